"""What a graph of ComfyUI's draws, read backwards from its samplers."""

from __future__ import annotations

from typing import Any

from lorakit.diagnostics import LorakitError
from lorakit.doors.generations import Generation, number, seed, whole
from lorakit.doors.graph import Graph, GraphNode

_SAMPLERS = ("KSampler", "KSamplerAdvanced")
_EMPTY = ("EmptyLatentImage", "EmptySD3LatentImage")
_MODELS = {
    "CheckpointLoaderSimple": "ckpt_name",
    "CheckpointLoader": "ckpt_name",
    "UNETLoader": "unet_name",
    "DiffusersLoader": "model_path",
}
# what nodes call that which they hand on; what else they do with it is lost
_CONDITIONS = ("conditioning", "conditioning_1", "conditioning_to", "positive")
_LATENTS = ("samples", "samples1", "latent", "pixels", "image")


def generations(graph: Graph) -> list[Generation]:
    """Each sampler, those that others begin from first. Raises LorakitError where there is none."""
    order = _in_order(graph)
    if not order:
        kinds = sorted({n.kind for n in graph.nodes.values() if "sampl" in n.kind.casefold()})
        more = f"; it has {', '.join(kinds[:5])}" if kinds else ""
        raise LorakitError(f"it has no KSampler, which is what can be read of a workflow{more}")
    places = {node.number: at for at, node in enumerate(order)}
    return [_of_sampler(graph, node, places) for node in order]


def _in_order(graph: Graph) -> list[GraphNode]:
    done: dict[str, GraphNode] = {}
    for first in graph.nodes.values():
        line = [first] if first.kind in _SAMPLERS else []
        met: set[str] = set()
        while line and line[-1].number not in done and line[-1].number not in met:
            met.add(line[-1].number)
            before, _ = _start(graph, line[-1], [])
            if before is None:
                break
            line.append(before)
        done.update((n.number, n) for n in reversed(line) if n.number not in done)
    return list(done.values())


def _of_sampler(graph: Graph, node: GraphNode, places: dict[str, int]) -> Generation:
    made = Generation()
    advanced = node.kind == "KSamplerAdvanced"

    def of(name: str) -> Any:
        return graph.value(node, name)

    _take_model(graph, node, made)
    made.take_words(_words(graph, node, "positive", made), _words(graph, node, "negative", made))
    made.seed = seed(of("noise_seed" if advanced else "seed"))
    if made.seed is None:
        made.notes.append("seed: it is no number in the file")
    made.steps = whole(of("steps"), 1, 1000)
    made.guidance_scale = number(of("cfg"), 0, 100)
    made.take_sampler(_text(of("sampler_name")), _text(of("scheduler")))
    before, empty = _start(graph, node, made.notes)
    if empty is not None:
        made.width = whole(graph.value(empty, "width"), 1, 100_000)
        made.height = whole(graph.value(empty, "height"), 1, 100_000)
        made.copies = whole(graph.value(empty, "batch_size"), 1, 1000) or 1
    share = number(of("denoise"), 0, 1)
    if advanced:
        made.notes.append("KSamplerAdvanced: it draws all of its steps here")
    if (
        before is not None
        and before.number in places
        and places[before.number] < places[node.number]
    ):
        made.start = places[before.number]
        _take_strength(made, 1.0 if share is None else share)
        _take_anchor(graph, node, places, made)
    elif share is not None and share < 1:
        made.notes.append(f"denoise: {share:g}: what it begins from is not in the workflow")
    return made


def _take_strength(made: Generation, share: float) -> None:
    """KSampler takes `steps` of int(steps / denoise); here int(steps * strength) of the whole are taken."""
    if share <= 0 or share >= 1 or made.steps is None:
        made.strength = 1.0
        return
    taken, whole_ = made.steps, min(1000, max(1, int(made.steps / share)))
    made.steps = whole_
    made.strength = share
    if int(whole_ * share) != taken:
        made.strength = min(1.0, round((taken + 0.5) / whole_, 4))


def _take_anchor(graph: Graph, node: GraphNode, places: dict[str, int], made: Generation) -> None:
    """Where a sampler begins from a blend of two others: the first of them, and its share."""
    blend = graph.linked(node, "latent_image")
    if blend is None or blend.kind != "LatentBlend":
        return
    anchor = graph.linked(blend, "samples1")
    share = number(graph.value(blend, "blend_factor"), 0, 1)
    if anchor is None or anchor.number not in places or share is None:
        made.notes.append("LatentBlend: what is blended into what it begins from")
        return
    made.anchor, made.anchor_weight = places[anchor.number], share


def _take_model(graph: Graph, node: GraphNode, made: Generation) -> None:
    """The checkpoint, the adapters on the way to it, and how many layers the text encoder leaves out."""
    for one in _way(graph, node, "model"):
        if one.kind in ("LoraLoader", "LoraLoaderModelOnly"):
            name, weight = _text(graph.value(one, "lora_name")), graph.value(one, "strength_model")
            strength = number(weight, -100, 100)
            if name:
                made.loras.append((name, 1.0 if strength is None else strength))
            words = number(graph.value(one, "strength_clip"), -100, 100)
            if words is not None and strength is not None and words != strength:
                made.notes.append(f"strength_clip {words:g} of {name}: it is {strength:g} here")
        elif one.kind in _MODELS:
            made.model = _text(graph.value(one, _MODELS[one.kind]))
        elif one.kind == "ModelSamplingDiscrete":
            made.notes.append(f"{one.kind}: what a model predicts is read from its own files here")
        else:
            made.notes.append(f"{one.kind}: what it does to the model")
    made.loras.reverse()
    for one in _way(graph, node, "positive"):
        for other in _way(graph, one, "clip"):
            if other.kind == "CLIPSetLastLayer":
                layer = whole(graph.value(other, "stop_at_clip_layer"), -31, -1)
                made.clip_skip = -(layer or -1) - 1


def _words(graph: Graph, node: GraphNode, name: str, made: Generation) -> str:
    found: list[str] = []
    for one in _way(graph, node, name):
        texts = [_text(graph.value(one, key)) for key in ("text", "text_g", "text_l", "prompt")]
        if any(texts):
            found += list(dict.fromkeys(text for text in texts if text))
        elif "Encode" not in one.kind:
            made.notes.append(f"{one.kind}: what it does to the {name} prompt")
        elif not isinstance(one.inputs.get("text"), str):
            made.notes.append(f"the {name} prompt, which {one.kind} is given by another node")
    return ", ".join(found)


def _way(graph: Graph, node: GraphNode, name: str) -> list[GraphNode]:
    """The nodes behind an input, one after the other, as long as each hands on the same."""
    found: list[GraphNode] = []
    seen: set[str] = set()
    at = graph.linked(node, name)
    while at is not None and at.number not in seen:
        seen.add(at.number)
        found.append(at)
        keys = [name] if name in ("clip", "model") else [name, *_CONDITIONS]
        at = next((n for key in keys if (n := graph.linked(at, key)) is not None), None)
    return found


def _start(
    graph: Graph, node: GraphNode, notes: list[str]
) -> tuple[GraphNode | None, GraphNode | None]:
    """The sampler that this one begins from, or the node of empty latents; both None for a picture."""
    seen: set[str] = set()
    at = graph.linked(node, "latent_image")
    while at is not None and at.number not in seen:
        seen.add(at.number)
        if at.kind in _SAMPLERS:
            return at, None
        if at.kind in _EMPTY or (graph.value(at, "width") and not _goes_on(graph, at)):
            return None, at
        if at.kind == "LoadImage":
            notes.append(f"it begins from a picture, {_text(graph.value(at, 'image'))}")
            return None, None
        if at.kind == "LatentBlend":
            at = graph.linked(at, "samples2")
            continue
        if at.kind not in ("VAEDecode", "VAEEncode"):
            notes.append(f"{at.kind}: what it does between two samplers")
        at = next((n for key in _LATENTS if (n := graph.linked(at, key)) is not None), None)
    return None, None


def _goes_on(graph: Graph, node: GraphNode) -> bool:
    return any(graph.linked(node, key) is not None for key in _LATENTS)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
