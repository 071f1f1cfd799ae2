"""The take of a frame that was picked: one of its takes' results, or the first's where the pick is stale.

Nothing is made: what it comes to follows from the digests of its inputs, in a plan as in a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import ClassVar

from lorakit.plan.tasks.json_form import BESIDE
from lorakit.plan.tasks.task import WorkerTask
from lorakit.records import record
from lorakit.store.manifests import Output

PARTS = ("picture", "latents")  # of a frame


@record
class PickTask(WorkerTask):
    """Take number `take`, whose picture had the digest `picture`; `frame` is what a user calls it.

    Its inputs are those of both takes, as `picture_3`. `width` and `height` are the picture's, in px.
    """

    kind: ClassVar[str] = "pick"
    version: ClassVar[int] = 1
    noun: ClassVar[str] = "pick"

    take: int
    picture: str
    frame: str = field(default="", metadata=BESIDE)
    width: int = field(default=0, metadata=BESIDE)
    height: int = field(default=0, metadata=BESIDE)

    def stale(self, inputs: Mapping[str, Output]) -> bool:
        """Whether the take is not what was picked any more."""
        return inputs[f"picture_{self.take}"].digest != self.picture

    def chosen(self, inputs: Mapping[str, Output]) -> dict[str, Output]:
        """The outputs of the take that stands for the frame, by their names."""
        take = 1 if self.stale(inputs) else self.take
        return {part: inputs[f"{part}_{take}"] for part in PARTS}
