"""How a frame is changed that was drawn before."""

from __future__ import annotations

from dataclasses import field

from lorakit.plan.tasks.json_form import BESIDE
from lorakit.records import record


@record
class FrameEdit:
    """The input `edited` is changed where the picture with the digest `mask` is white, or anywhere for None.

    Where it is `told`, the prompt says what to change; else it says what is seen.
    """

    mask: str | None
    told: bool
    file: str = field(default="", metadata=BESIDE)
