"""What a doctor finds: the form of a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "note", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Condition:
    """One finding of an `area`; `ways` lead out of what is amiss. What is noted need not be mended."""

    area: str
    level: Level
    message: str
    ways: tuple[str, ...] = ()


Examination = Callable[[], Iterable[Condition]]
