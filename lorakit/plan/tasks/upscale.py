"""The tasks of making a picture larger that was drawn before."""

from __future__ import annotations

from typing import ClassVar

from lorakit.plan.tasks.task import WorkerTask
from lorakit.records import record


@record
class EnlargeTask(WorkerTask):
    """The input `picture` at `width` x `height` px, interpolated by Lanczos' windowed sinc."""

    kind: ClassVar[str] = "enlarge"
    version: ClassVar[int] = 1
    noun: ClassVar[str] = "larger picture"

    width: int
    height: int


@record
class UpscaleTask(WorkerTask):
    """What a model makes of the input `picture`, told a `prompt`, at `width` x `height` px.

    `noise` seeds its generator; `model` is the model's digest.
    """

    kind: ClassVar[str] = "upscale"
    version: ClassVar[int] = 1
    noun: ClassVar[str] = "larger picture"
    unit: ClassVar[str] = "step"

    width: int
    height: int
    prompt: str
    negative_prompt: str
    noise: int
    num_inference_steps: int
    guidance_scale: float
    model: str | None
    precision: str
    device_class: str
