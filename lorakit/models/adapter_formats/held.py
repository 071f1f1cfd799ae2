"""What a format holds of an adapter: the rest is an error by name, and never left out."""

from __future__ import annotations

from collections.abc import Collection

from torch import Tensor

from lorakit.diagnostics import LorakitError
from lorakit.facts.adapters.sgm import is_sgm
from lorakit.models.adapter_formats.layers import Adapter, Layer

_SHOWN = 3
_WORDS = {
    "mid": "a Tucker form (lora_mid)",
    "up_bias": "a bias of the adapter (lora_B.bias)",
    "diff_b": "a changed bias (diff_b)",
    "dora_scale": "a DoRA (dora_scale)",
    "magnitude": "a DoRA",
    "loha": "a LoHa",
    "lokr": "a LoKr",
    "full": "a whole difference (diff)",
    "norm": "a changed norm (w_norm)",
    "embedding": "a LoRA of a table of embeddings",
}


def check_held(
    adapter: Adapter, name: str, methods: Collection[str], roles: Collection[str]
) -> None:
    """Raise LorakitError with every layer that is of another method or has tensors of other roles."""
    beyond: dict[str, list[str]] = {}
    for key, layer in adapter.items():
        if layer.method not in methods:
            beyond.setdefault(_WORDS.get(layer.method, layer.method), []).append(key)
            continue
        for role in layer.tensors:
            if role in _WORDS and role not in roles:
                beyond.setdefault(_WORDS[role], []).append(key)
        if is_sgm(key.partition(".")[2]) and name != "kohya's":
            beyond.setdefault("layers of a UNet that is not known", []).append(key)
    if beyond:
        listed = "; ".join(f"{what}: {_listed(keys)}" for what, keys in beyond.items())
        raise LorakitError(f"{name} format cannot hold all of this adapter: {listed}")


def _listed(keys: list[str]) -> str:
    shown = ", ".join(keys[:_SHOWN])
    return f"{shown} and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else shown


def peft_magnitude(layer: Layer, name: str) -> Tensor | None:
    """DoRA's magnitudes as PEFT has them; None for none. Raises LorakitError where they are of the inputs."""
    if "magnitude" in layer.tensors:
        return layer.tensors["magnitude"]
    scale = layer.tensors.get("dora_scale")
    if scale is None:
        return None
    rows = layer.tensors["up"].shape[0]
    if scale.shape[0] != rows:
        raise LorakitError(
            f"only kohya's format holds a DoRA whose dora_scale is of the inputs: {name}"
        )
    windowed = layer.tensors["down"].dim() == 4
    return scale.reshape(1, rows, 1, 1) if windowed else scale.reshape(rows)


def all_or_none_dora(layers: Adapter, where: str) -> bool:
    """Whether the layers of one network are of DoRA. Raises LorakitError where some are and some are not."""
    plain = [k for k, v in layers.items() if not {"magnitude", "dora_scale"} & set(v.tensors)]
    if plain and len(plain) < len(layers):
        raise LorakitError(
            f"{where} says for a whole network whether it is of DoRA, and here it is not: {_listed(plain)}"
        )
    return not plain and bool(layers)
