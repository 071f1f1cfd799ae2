"""The engines a worker can hold: one line each. Imported in the worker only."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from typing import Any, Protocol


class Report(Protocol):
    """How an engine tells of a job's progress; `figures` are what a training knows of a step."""

    def __call__(
        self, job: str, done: int, total: int, figures: Mapping[str, float] | None = None
    ) -> None:
        """`done` of `total` units are through."""


class EngineProtocol(Protocol):
    """What a worker asks of an engine."""

    @property
    def busy(self) -> bool:
        """Whether there is work left."""

    def submit(self, job: Mapping[str, Any]) -> None:
        """Take a job."""

    def step(self) -> Iterable[Mapping[str, Any]]:
        """Do a bounded piece of work; the jobs that ended with it."""


ENGINES: Mapping[str, str] = {
    "render": "lorakit.rendering.engine:RenderEngine",
    "assemble": "lorakit.rendering.assemble:AssemblyEngine",
    "encode": "lorakit.training.encode_engine:EncodeEngine",
    "train": "lorakit.training.engine:TrainEngine",
}


def build(slot: str, spec: Mapping[str, Any], report: Report) -> EngineProtocol:
    """Load the engine of a slot."""
    module, name = ENGINES[slot].split(":")
    engine: EngineProtocol = getattr(importlib.import_module(module), name)(spec, report)
    return engine
