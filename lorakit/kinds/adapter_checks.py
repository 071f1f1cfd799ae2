"""What can be wrong with the adapters that a step wears, by the model that wears them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lorakit.diagnostics import Diagnostic, Place
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.facts.networks.unet_shapes import shapes_of
from lorakit.language.recipe.adapters import AdapterUse
from lorakit.language.recipe.trainings import maker_of
from lorakit.language.yaml import names
from lorakit.plan.kind import Context

if TYPE_CHECKING:
    from lorakit.facts.adapters.fit import Sizes
    from lorakit.facts.adapters.layers import Network
    from lorakit.facts.adapters.layout import AdapterLayout


def check_adapters(
    uses: Sequence[AdapterUse], model: str, context: Context
) -> Iterator[Diagnostic]:
    """Each layer that an adapter from a file changes must be in the model, of the same size."""
    for use in uses:
        yield from handed_out(use.name, use.place, context)
        adapter = context.facts.adapters.get(use.name)
        if adapter is not None:
            yield from _check_file(adapter.layout, use.place, context.facts.models[model], context)


def _check_file(
    layout: AdapterLayout, place: Place, facts: ModelFacts, context: Context
) -> Iterator[Diagnostic]:
    """What of an adapter from a file has no place in a model."""
    from lorakit.facts.adapters.fit import misfits, other_base

    wrong = list(misfits(layout, _sizes(facts), facts.unet))
    for words in wrong:
        yield context.finding(
            "adapter",
            words,
            place,
            f"{facts.source} is {facts.traits.title}: take an adapter that was made for it",
        )
    other = other_base(layout, facts.unet)
    if other and not wrong:
        yield context.finding(
            "adapter",
            f"{layout.file} fits, but says that it was trained on {other} "
            f"(ss_base_model_version), and {facts.source} is another",
            place,
            "take an adapter that was made for this model, or look at what it draws",
            warning=True,
        )


def handed_out(name: str, place: Place, context: Context) -> Iterator[Diagnostic]:
    """An adapter of an optimizer step that its training does not keep."""
    step, output = maker_of(name)
    planned = context.step_plans.get(step)
    trained = next((a for a in planned.actions if "adapter" in a.files), None) if planned else None
    if trained is None or output in trained.files:
        return
    from lorakit.plan.tasks.training import TrainTask

    if not isinstance(trained.task, TrainTask):
        return
    kept = [
        int(file_role.removeprefix("adapter_"))
        for file_role in trained.files
        if "adapter_" in file_role
    ]
    if not trained.task.train.steps:
        return  # how many there will be is unknown until its data is downloaded
    at = output.removeprefix("adapter_")
    shown = names.listed([f"step {step_number}" for step_number in kept])
    yield context.finding(
        "unknown-adapter",
        f"{step} keeps no adapter of its step {at}",
        place,
        f"it keeps those of {shown}" if kept else f"write train: {{save_every: {at}}} into {step}",
    )


def _sizes(model: ModelFacts) -> Sizes:
    """The parameters of a model's networks, those that are known."""
    from lorakit.facts.adapters.fit import sizes_of
    from lorakit.facts.adapters.layers import NETWORKS

    sizes: dict[Network, dict[str, tuple[int, ...]]] = {}
    for name in ("unet", "transformer"):
        known = shapes_of(model.unet) if name == "unet" else model.denoiser_shapes
        # a model of another kind has none of that network's layers
        if known or model.traits.denoiser != name:
            sizes[name] = sizes_of(name, known)
    for name in NETWORKS:
        if not name.startswith("text_encoder"):
            continue
        inside = {
            key.removeprefix(f"{name}."): shape
            for key, shape in model.text_shapes.items()
            if key.startswith(f"{name}.")
        }
        if inside or name not in model.traits.text_parts:
            sizes[name] = sizes_of(name, inside)
    return sizes
