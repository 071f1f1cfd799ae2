"""A graph of ComfyUI's, from either of its forms: nodes with inputs that are values or links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lorakit.diagnostics import LorakitError
from lorakit.records import record

_MOST = 20_000  # nodes
# the values of nodes that ComfyUI's page saves without their names, in the order of its nodes.py
_WIDGETS: Mapping[str, tuple[str, ...]] = {
    "KSampler": ("seed", "", "steps", "cfg", "sampler_name", "scheduler", "denoise"),
    "KSamplerAdvanced": (
        *("add_noise", "noise_seed", "", "steps", "cfg", "sampler_name", "scheduler"),
        *("start_at_step", "end_at_step", "return_with_leftover_noise"),
    ),
    "CheckpointLoaderSimple": ("ckpt_name",),
    "CheckpointLoader": ("config_name", "ckpt_name"),
    "UNETLoader": ("unet_name", "weight_dtype"),
    "LoraLoader": ("lora_name", "strength_model", "strength_clip"),
    "LoraLoaderModelOnly": ("lora_name", "strength_model"),
    "CLIPSetLastLayer": ("stop_at_clip_layer",),
    "CLIPTextEncode": ("text",),
    "CLIPTextEncodeSDXL": (
        *("width", "height", "crop_w", "crop_h", "target_width", "target_height"),
        *("text_g", "text_l"),
    ),
    "EmptyLatentImage": ("width", "height", "batch_size"),
    "EmptySD3LatentImage": ("width", "height", "batch_size"),
    "LatentBlend": ("blend_factor",),
    "LoadImage": ("image",),
    "PrimitiveNode": ("value",),
    "PrimitiveInt": ("value",),
    "PrimitiveFloat": ("value",),
    "PrimitiveString": ("value",),
    "PrimitiveStringMultiline": ("value",),
}
_SCALARS = ("value", "int", "float", "number", "seed", "noise_seed", "text", "string", "prompt")


@record
class GraphNode:
    """A node: `inputs` are values, or links to another (its number, which of its outputs)."""

    number: str
    kind: str
    inputs: Mapping[str, Any]


@record
class Graph:
    """Nodes by number; whatever is of a wrong type in the file is not there."""

    nodes: Mapping[str, GraphNode]

    def linked(self, node: GraphNode, name: str) -> GraphNode | None:
        """The node that an input comes from; None where it is a value, or leads nowhere."""
        value = node.inputs.get(name)
        return self.nodes.get(value[0]) if isinstance(value, Link) else None

    def value(self, node: GraphNode, name: str) -> Any:
        """What an input is, through nodes that only hold a value; None where that is worked out by others."""
        seen: set[str] = set()
        while True:
            value = node.inputs.get(name)
            if not isinstance(value, Link):
                return value
            source = self.nodes.get(value[0])
            if source is None or source.number in seen:
                return None
            seen.add(source.number)
            held = [n for n in _SCALARS if n in source.inputs]
            if len(held) != 1:
                return None
            node, name = source, held[0]


class Link(tuple[str, int]):
    """Where an input comes from."""

    __slots__ = ()


def is_prompt(data: Any) -> bool:
    """Whether JSON is of the form of ComfyUI's API."""
    return isinstance(data, dict) and any(
        isinstance(node, dict) and "class_type" in node for node in data.values()
    )


def is_page(data: Any) -> bool:
    """Whether JSON is of the form that ComfyUI's page saves."""
    return isinstance(data, dict) and isinstance(data.get("nodes"), list)


def graph_of(data: Any) -> Graph:
    """The graph of either form. Raises LorakitError where it is neither, or larger than any is."""
    if is_prompt(data):
        nodes = [
            GraphNode(str(number), str(node["class_type"]), _inputs(node.get("inputs")))
            for number, node in data.items()
            if isinstance(node, dict) and isinstance(node.get("class_type"), str)
        ]
    elif is_page(data):
        nodes = _of_page(data)
    else:
        raise LorakitError("it is no workflow of ComfyUI's: neither nodes nor class_type")
    if len(nodes) > _MOST:
        raise LorakitError(f"it has {len(nodes):,} nodes, more than {_MOST:,}")
    through = {
        (node.number, 0): link
        for node in nodes
        if node.kind == "Reroute"
        for link in node.inputs.values()
        if isinstance(link, Link)
    }
    return Graph({node.number: node for node in _joined(nodes, through)})


def _joined(nodes: list[GraphNode], through: Mapping[tuple[str, int], Link]) -> list[GraphNode]:
    """Nodes whose links skip those that only hand on what they are given, by (number, output)."""

    def joined(value: Any) -> Any:
        seen: set[Link] = set()
        while isinstance(value, Link) and value in through and value not in seen:
            seen.add(value)
            value = through[value]
        return value

    return [
        replace(node, inputs={name: joined(value) for name, value in node.inputs.items()})
        for node in nodes
    ]


def _inputs(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        return {}
    return {str(name): _linked(value) for name, value in given.items()}


def _linked(value: Any) -> Any:
    if (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str | int)
        and isinstance(value[1], int)
    ):
        return Link((str(value[0]), value[1]))
    return value


def _of_page(data: Mapping[str, Any]) -> list[GraphNode]:
    links: dict[Any, Link] = {}
    for one in data.get("links") or ():
        if isinstance(one, list) and len(one) >= 5 and isinstance(one[0], int):
            links[one[0]] = Link((str(one[1]), one[2] if isinstance(one[2], int) else 0))
        elif isinstance(one, dict) and isinstance(one.get("id"), int):
            slot = one.get("origin_slot")
            links[one["id"]] = Link(
                (str(one.get("origin_id")), slot if isinstance(slot, int) else 0)
            )
    found = []
    bypassed: dict[tuple[str, int], Link] = {}
    for node in data["nodes"]:
        # muted nodes (2) draw nothing; bypassed ones (4) hand on what they are given
        if not isinstance(node, dict) or node.get("mode") == 2:
            continue
        if node.get("mode") == 4:
            bypassed |= _handed_on(node, links)
            continue
        kind, inputs = str(node.get("type")), dict[str, Any]()
        values = node.get("widgets_values")
        if isinstance(values, list):
            names = _WIDGETS.get(kind, ())
            inputs |= {n: v for n, v in zip(names, values, strict=False) if n}
        elif isinstance(values, dict):
            inputs |= {str(n): v for n, v in values.items() if not isinstance(v, list | dict)}
        for one in node.get("inputs") or ():
            if isinstance(one, dict) and isinstance(one.get("link"), int) and one["link"] in links:
                inputs[str(one.get("name"))] = links[one["link"]]
        found.append(GraphNode(str(node.get("id")), kind, inputs))
    return _joined(found, bypassed)


def _handed_on(node: Mapping[str, Any], links: Mapping[Any, Link]) -> dict[tuple[str, int], Link]:
    """What a bypassed node's outputs are: each its first input of the same type, as ComfyUI has it."""
    given: dict[str, Link] = {}
    for one in node.get("inputs") or ():
        if isinstance(one, dict) and isinstance(one.get("link"), int) and one["link"] in links:
            given.setdefault(str(one.get("type")), links[one["link"]])
    return {
        (str(node.get("id")), at): given[str(one.get("type"))]
        for at, one in enumerate(node.get("outputs") or ())
        if isinstance(one, dict) and str(one.get("type")) in given
    }
