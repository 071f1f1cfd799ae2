"""What can be wrong with the adapters that a step wears, by the model that wears them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lorakit.diagnostics import Diagnostic
from lorakit.facts.adapters.fit import Sizes, misfits, sizes_of
from lorakit.facts.adapters.layers import NETWORKS, Network
from lorakit.facts.models import ModelFacts
from lorakit.facts.unet_shapes import shapes_of
from lorakit.language.recipe.documents import AdapterUse
from lorakit.plan.kind import Context

_FAMILIES = {"sd": "Stable Diffusion", "sdxl": "SDXL"}


def check_adapters(
    uses: Sequence[AdapterUse], model: str, context: Context
) -> Iterator[Diagnostic]:
    """Each layer that an adapter from a file changes must be in the model, of the same size."""
    facts = context.facts.models[model]
    sizes = _sizes(facts)
    for use in uses:
        found = context.facts.adapters.get(use.name)
        for words in misfits(found.layout, sizes, facts.unet) if found else ():
            yield context.finding(
                "adapter",
                words,
                use.place,
                f"{facts.source} is {_FAMILIES[facts.family]}: take an adapter that was made for it",
            )


def _sizes(model: ModelFacts) -> Sizes:
    """The parameters of a model's networks, those that are known."""
    found: dict[Network, dict[str, tuple[int, ...]]] = {}
    unet = shapes_of(model.unet)
    if unet:
        found["unet"] = sizes_of("unet", unet)
    for name in NETWORKS[1:]:
        inside = {
            key.removeprefix(f"{name}."): shape
            for key, shape in model.text_shapes.items()
            if key.startswith(f"{name}.")
        }
        if inside or (name == "text_encoder_2" and model.family == "sd"):
            found[name] = sizes_of(name, inside)
    return found
