"""The tasks of encoding references for an IP-Adapter, and how frames see them."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar

from lorakit.plan.tasks.json_form import BESIDE, OMITTED
from lorakit.plan.tasks.task import WorkerTask
from lorakit.records import record


@record
class IpAdapterUse:
    """How a frame sees its inputs `embeds_1` and so on: each weighs its number of `scales`.

    `model` is the digest of the IP-Adapter's weights, which are the `file`.
    """

    model: str | None
    scales: tuple[float, ...]
    file: str = field(default="", metadata=BESIDE)


@record
class ImageEmbedsTask(WorkerTask):
    """What the image encoder with a digest sees in a picture, and in none.

    The picture is its input `picture`, or a `file` with the digest `picture`. What is seen are the projected
    embeds, or with `hidden_states` those before the encoder's last layer.
    """

    kind: ClassVar[str] = "image-embeds"
    version: ClassVar[int] = 1
    noun: ClassVar[str] = "reference"

    encoder: str | None
    hidden_states: bool
    device_class: str
    picture: str | None = field(default=None, metadata=OMITTED)
    file: str = field(default="", metadata=BESIDE)
