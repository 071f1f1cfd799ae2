"""What a model's `memory` and `speed` cannot do here, or do not do with its family."""

from __future__ import annotations

from collections.abc import Iterator

from lorakit.diagnostics import Diagnostic
from lorakit.facts.machine.packages import MODULES, ROUNDING, install
from lorakit.kinds.frames.settings import RenderSettings
from lorakit.language.recipe.documents import ModelSource, TrainImageStep
from lorakit.plan import attention_backends
from lorakit.plan.kind import Context
from lorakit.plan.memory_modes import BITS


def check_memory(settings: RenderSettings) -> Iterator[Diagnostic]:
    """Findings at the two values."""
    source, traits = settings.source_model, settings.model.traits
    machine, finding = settings.context.facts.machine, settings.context.finding
    wish, place = source.memory, source.memory_place or source.place
    if not traits.waves:
        yield from _rounds(source, settings.context)
    elif wish == "low" and traits.waves:
        yield finding(
            "no-effect",
            f"memory: low has no effect: {source.source} is {traits.title}, whose weights are small enough "
            "to stay as dtype has them",
            place,
            "remove it; what does not fit a card waits beside it in any case",
            warning=True,
        )
    on_a_card = machine.card is not None and (traits.compiles or traits.attention)
    if source.speed == "fast" and not traits.block_cache and (traits.waves or not on_a_card):
        yield finding(
            "no-effect",
            f"speed: fast has no effect: diffusers has no cache of steps for {traits.title}",
            source.speed_place or source.place,
            "remove it; fewer num_inference_steps take less time",
            warning=True,
        )
    yield from _attention(settings)


def _attention(settings: RenderSettings) -> Iterator[Diagnostic]:
    """A backend that is asked for and cannot be had."""
    source, context, family = settings.source_model, settings.context, settings.model.traits
    wish = source.attention_backend
    place, told = source.attention_backend_place or source.place, f"attention_backend: {wish}"
    if wish == "auto":
        return
    if not family.attention:
        if wish != attention_backends.NATIVE:
            yield context.finding(
                "no-effect",
                f"{told} has no effect: the attention of {family.title} is always computed by torch's own",
                place,
                "remove it",
                warning=True,
            )
        return
    machine, precision = context.facts.machine, settings.precision
    for reason in attention_backends.lacks(wish, family, machine, precision):
        yield context.finding(
            "attention", f"{told} {reason}", place, "write attention_backend: native, or remove it"
        )
        return
    if package := attention_backends.missing(wish):
        yield context.finding(
            "missing-package",
            f"{told} needs the package {package}, which is not installed",
            place,
            f"pip install {package}, built for this torch and its CUDA",
        )


def check_trained(step: TrainImageStep, context: Context) -> Iterator[Diagnostic]:
    """The same where a model is trained, whose frozen weights alone are rounded."""
    source, model = context.project.recipe.models[step.model], context.facts.models[step.model]
    if source.memory == "auto" or model.traits.flow is None:
        return
    yield from _rounds(source, context)
    if step.lora.peft_type != "lora":
        yield context.finding(
            "no-effect",
            f"memory: {source.memory} has no effect on a training of a {step.lora.peft_type}, "
            "which PEFT puts on whole weights alone",
            source.memory_place or source.place,
            "write lora: {peft_type: lora}",
            warning=True,
        )


def _rounds(source: ModelSource, context: Context) -> Iterator[Diagnostic]:
    """Weights that are to be rounded where they cannot be."""
    machine, wish, place = context.facts.machine, source.memory, source.memory_place or source.place
    if wish == "auto":
        return
    if not machine.kind.rounds:
        yield context.finding(
            "memory",
            f"memory: {wish} rounds weights to {BITS[wish][0]} bits with kernels for NVIDIA GPUs and CPUs, "
            f"and this computes on {machine.device}",
            place,
            "write memory: auto, and dtype: bf16 or fp16",
        )
    elif not machine.rounds:
        yield context.finding(
            "missing-package",
            f"memory: {wish} rounds weights to {BITS[wish][0]} bits with the package "
            f"{MODULES[ROUNDING]}, which is not installed",
            place,
            install(ROUNDING),
        )
