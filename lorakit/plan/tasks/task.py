"""What every task has: a key for its result, and a form that a worker can be sent."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, ClassVar

from lorakit.plan.tasks.json_form import key_of, to_json
from lorakit.records import record


@record
class WorkerTask:
    """Everything a worker must know to make one thing, but for the files that are its inputs.

    `kind` and `version` are part of its key; a version is raised by hand where the same fields come to mean
    something else. `noun` is what several such things are called, `unit` what their work is counted in, and
    `title` how one alone is named, where its label says too much.
    """

    kind: ClassVar[str]
    version: ClassVar[int]
    noun: ClassVar[str] = "action"
    unit: ClassVar[str] = "unit"
    title: ClassVar[str] = ""

    @property
    def made_by(self) -> int:
        """The version that keys know: `version`, but where only some results have changed."""
        return self.version

    def key(self) -> dict[str, Any]:
        """What decides the result, as plain JSON."""
        key: dict[str, Any] = key_of(self)
        return key

    def beside(self) -> dict[str, Any]:
        """What a worker needs to know and no key has, as plain JSON."""
        decides = {f.name for f in fields(self) if f.metadata.get("keyed", True)}
        return {name: value for name, value in to_json(self).items() if name not in decides}

    def to_json(self) -> dict[str, Any]:
        """The whole of it, as plain JSON with its kind."""
        return {"kind": self.kind, **to_json(self)}
