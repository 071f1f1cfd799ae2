"""The tasks of making clips: frames that move, kept without loss, from pictures of a story."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import ClassVar

from lorakit.plan.tasks.json_form import OMITTED
from lorakit.plan.tasks.task import WorkerTask
from lorakit.records import record


@record
class ClipTask(WorkerTask):
    """A clip of so many `frames`, of `width` x `height` px each."""

    version: ClassVar[int] = 1
    noun: ClassVar[str] = "clip"
    unit: ClassVar[str] = "film frame"
    file: ClassVar[str] = "clip.mkv"

    frames: int
    width: int
    height: int


@record
class KenBurnsTask(ClipTask):
    """A view that moves over the input `picture`.

    At first and at the end the picture is shown `zoom` times as large, centred on the points `start` and
    `end` as far as it reaches; these are shares of its width and height.
    """

    kind: ClassVar[str] = "kenburns"

    zoom: tuple[float, float]
    start: tuple[float, float]
    end: tuple[float, float]


@record
class PassingTask(ClipTask):
    """What passes through its inputs `picture_0` and so on, as many as `pictures`, by optical flow.

    It begins as the first of them, and ends where the last would be next.
    """

    kind: ClassVar[str] = "passing"
    version: ClassVar[int] = 2  # 1 dropped what is gone at the end at once

    pictures: int


@record
class VideoClipTask(ClipTask):
    """What a video model makes from its input `first`, from that and its input `last`, or from words alone.

    `noise` seeds its generator, `rate` is the frames a second that it is told. `model` is the model's digest,
    `base` that of the model whose UNet it moves.
    """

    kind: ClassVar[str] = "video-clip"
    unit: ClassVar[str] = "step"

    prompt: str
    negative_prompt: str
    noise: int
    num_inference_steps: int
    guidance_scale: float
    rate: int
    model: str | None
    precision: str
    device_class: str
    base: str | None = field(default=None, metadata=OMITTED)


@record
class ClipPicturesTask(ClipTask):
    """The frames of the input `clip` as pictures of their own."""

    kind: ClassVar[str] = "clip-pictures"
    noun: ClassVar[str] = "clip as pictures"
    unit: ClassVar[str] = "picture"
    file: ClassVar[str] = "pictures"

    @property
    def pictures(self) -> tuple[str, ...]:
        """What they are called, in their order."""
        return tuple(f"picture_{number:04d}" for number in range(1, self.frames + 1))

    def outputs(self) -> Mapping[str, str]:
        """What it makes, each with the file that has it."""
        return {name: f"{self.file}/{name}.png" for name in self.pictures}


@record
class JoinedClipTask(ClipTask):
    """The clip whose frames are its inputs, called as a clip's pictures are."""

    kind: ClassVar[str] = "joined-clip"
