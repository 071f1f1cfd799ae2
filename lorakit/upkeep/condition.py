"""What a doctor finds: the form of a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from lorakit.records import record

Level = Literal["ok", "note", "warning", "error"]


@record
class Condition:
    """One finding of an `area`; `ways` lead out of what is amiss. What is noted need not be mended."""

    area: str
    level: Level
    message: str
    ways: tuple[str, ...] = ()


Examination = Callable[[], Iterable[Condition]]
