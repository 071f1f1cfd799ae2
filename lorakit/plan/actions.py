"""Actions: the smallest things that are made, kept and reused (a frame, a film, a contact sheet).

An action's task says everything that decides its result; its inputs are outputs of other actions, meant by
role. Names, paths and labels are beside them and never enter a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from lorakit.diagnostics import Place
from lorakit.plan.cost import Cost
from lorakit.plan.engine_specs import NOTHING, EngineSpec
from lorakit.plan.tasks.task import WorkerTask
from lorakit.records import record

if TYPE_CHECKING:
    from lorakit.plan.gates import Unless


@record
class Input:
    """An output of another action, in a role: `start`, `anchor`, `picture_0001`, ...

    Where the other fails, an `optional` input is left out, and the action made without it.
    """

    role: str
    action: str
    output: str
    optional: bool = False


@record
class Engine:
    """What a worker must have at hand before it can do an action's work.

    `slot` names the worker (`render`, `assemble`); `spec` is what it loads; two actions
    whose engines are equal can share a warm one.
    """

    slot: str
    spec: EngineSpec = NOTHING
    id: str = ""


@record
class Held:
    """A result that was approved, and stays whatever its inputs come to: its key, and its picture's digest.

    `take` is which it was, and `place` where that is written.
    """

    key: str
    picture: str
    take: int = 1
    place: Place | None = None


@record
class Action:
    """One thing to make.

    `id` is its address, stable as long as its step, scene and number are: `film/meadow/2`.
    `files` says where its outputs go in a run folder; an output without files stays in the store.
    `units` is the amount of work: UNet steps of a frame, frames of a film. `notes` are lines that a plan
    says of it. `places` are where a field of its task stands, by the field's name in a key.
    Where it stands `alone`, its failure fails the run and keeps nothing from being made but what needs it;
    where it `may_fail`, its failure is told and the run is done all the same. `held` is what was approved
    at its address. What `needs_approval` waits until all its inputs are. What is made `unless` a try
    before it has passed its gate may come to nothing, and is spared then.
    """

    id: str
    step: str
    group: str
    label: str
    place: Place | None
    engine: Engine
    task: WorkerTask = field(hash=False)
    cost: Cost
    inputs: tuple[Input, ...] = ()
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    units: int = 1
    notes: tuple[str, ...] = ()
    places: Mapping[str, Place] = field(default_factory=dict, hash=False)
    alone: bool = False
    may_fail: bool = False
    held: Held | None = None
    needs_approval: bool = False
    unless: Unless | None = None

    @property
    def kind(self) -> str:
        """What sort of thing it makes: `frame`, `film`, `train-text`, ..."""
        return self.task.kind

    @property
    def name(self) -> str:
        """What it is called where it stands alone: by its task's title, or by its label.

        What a task makes on the way, which a run does not hand out, has its label alone: a film's pictures.
        """
        return (self.task.title if self.files else "") or self.label
