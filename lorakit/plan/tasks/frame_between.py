"""How a frame lies between two that were drawn before."""

from __future__ import annotations

from lorakit.records import record


@record
class FrameBetween:
    """A `share` of the way from the input `start` to the input `towards`, there told `prompt`; in (0, 1)."""

    share: float
    prompt: str
