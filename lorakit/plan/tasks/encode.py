"""The tasks of encoding pictures and captions before a training needs them."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar

from lorakit.plan.tasks.json_form import BESIDE, OMITTED
from lorakit.plan.tasks.task import WorkerTask
from lorakit.records import record

View = tuple[int, float, float]  # mirrored or not; where it is cut out, 0 (left, top) to 1


@record
class LatentsTask(WorkerTask):
    """The latents of a picture's views at `width` x `height` px, with their masks.

    `vae`, `picture` and `mask` are digests; `file` and `mask_file` where the two lie. `colours` is
    the space they are converted to, where they are.
    """

    kind: ClassVar[str] = "latents"
    version: ClassVar[int] = 1
    noun: ClassVar[str] = "picture"

    vae: str | None
    picture: str
    width: int
    height: int
    views: tuple[View, ...]
    device_class: str
    mask: str | None = field(default=None, metadata=OMITTED)
    colours: str | None = field(default=None, metadata=OMITTED)
    file: str = field(default="", metadata=BESIDE)
    mask_file: str | None = field(default=None, metadata=BESIDE)


@record
class EmbedsTask(WorkerTask):
    """The prompt embeds of a caption; `empty` is how a model is told nothing.

    What is longer than 75 tokens is encoded in chunks, up to `max_token_length`, which is how many all in all
    are read where the denoiser is a transformer. `precision` is that of the text encoders.
    """

    kind: ClassVar[str] = "embeds"
    version: ClassVar[int] = 1
    noun: ClassVar[str] = "caption"

    text_encoders: str | None
    text: str
    empty: bool
    device_class: str
    max_token_length: int = field(default=75, metadata=OMITTED)
    clip_skip: int = field(default=0, metadata=OMITTED)
    precision: str = field(default="fp32", metadata=OMITTED)
