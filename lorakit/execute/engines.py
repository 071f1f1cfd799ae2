"""The engine of a worker: what is asked of it, and how it is loaded."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, runtime_checkable

from lorakit.plan.engine_specs import EngineSpec
from lorakit.plan.tasks.job import Job, Report
from lorakit.plan.workers import WORKERS


class EngineProtocol(Protocol):
    """What a worker asks of an engine."""

    @property
    def busy(self) -> bool:
        """Whether there is work left."""

    def submit(self, job: Job[Any]) -> None:
        """Take a job."""

    def step(self) -> Iterable[Mapping[str, Any]]:
        """Do a bounded piece of work; the jobs that ended with it."""


@runtime_checkable
class DroppingEngine(Protocol):
    """An engine that can let go of what a run asked for, and stay loaded."""

    def drop(self) -> None:
        """Forget the jobs that are not done."""


@runtime_checkable
class ChangingEngine(Protocol):
    """An engine that can come to be another without loading a model."""

    def becomes(self, spec: Any) -> bool:
        """Be what a spec says from now on; False where that takes a new engine. Raises LorakitError."""


def changed(engine: EngineProtocol | None, spec: EngineSpec) -> bool:
    """Whether an engine came to be what a spec says."""
    return isinstance(engine, ChangingEngine) and engine.becomes(spec)


def build(slot: str, spec: EngineSpec, report: Report) -> EngineProtocol:
    """Load the engine of a slot."""
    # the one before holds itself, by its networks' hooks: without this both would be in memory
    gc.collect()
    module, name = WORKERS[slot].engine.split(":")
    engine: EngineProtocol = getattr(importlib.import_module(module), name)(spec, report)
    return engine
