"""What a model's `memory` and `speed` cannot do here, or do not do with its family."""

from __future__ import annotations

from collections.abc import Iterator

from lorakit.diagnostics import Diagnostic
from lorakit.facts.machine.packages import ROUNDING, absent, install
from lorakit.kinds.frames.settings import RenderSettings
from lorakit.plan.memory_modes import BITS


def check_memory(settings: RenderSettings) -> Iterator[Diagnostic]:
    """Findings at the two values."""
    source, traits = settings.source_model, settings.model.traits
    machine, finding = settings.context.facts.machine, settings.context.finding
    wish, place = source.memory, source.memory_place or source.place
    rounds = wish != "auto" and not traits.waves
    if wish == "low" and traits.waves:
        yield finding(
            "no-effect",
            f"memory: low has no effect: {source.source} is {traits.title}, whose weights are small enough "
            "to stay as dtype has them",
            place,
            "remove it; what does not fit a card waits beside it in any case",
            warning=True,
        )
    elif rounds and not machine.kind.rounds:
        yield finding(
            "memory",
            f"memory: {wish} rounds weights to {BITS[wish][0]} bits with kernels for NVIDIA GPUs and CPUs, "
            f"and this computes on {machine.device}",
            place,
            "write memory: auto, and dtype: bf16 or fp16",
        )
    elif rounds and (module := absent(ROUNDING)):
        yield finding(
            "missing-package",
            f"memory: {wish} rounds weights to {BITS[wish][0]} bits with the package {module}, "
            "which is not installed",
            place,
            install(ROUNDING),
        )
    if source.speed == "fast" and not traits.block_cache and (traits.waves or machine.card is None):
        yield finding(
            "no-effect",
            f"speed: fast has no effect: diffusers has no cache of steps for {traits.title}",
            source.speed_place or source.place,
            "remove it; fewer num_inference_steps take less time",
            warning=True,
        )
