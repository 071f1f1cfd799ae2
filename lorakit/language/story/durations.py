"""Lengths of time as authors write them: `1.5`, `2s`, `36f`, `1:23.5`."""

from __future__ import annotations

from fractions import Fraction
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from lorakit.patterns import later
from lorakit.records import record

if TYPE_CHECKING:
    from lorakit.language.yaml.nodes import Node

_FRAMES = later(r"([0-9]{1,9})f\Z")
_CLOCK = later(r"(?:([0-9]{1,6}):)?([0-9]{1,2}):([0-9]{1,2}(?:\.[0-9]{1,9})?)\Z")
_SECONDS = later(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)s?\Z")


@record
class Duration:
    """A length of time, as written: seconds (`2.0`, `1:23.5`) or film frames (`36f`)."""

    seconds: Fraction | None = None
    frames: int | None = None

    def in_frames(self, fps: int | Fraction) -> int:
        """Whole film frames at `fps`, rounded to the nearest."""
        if self.frames is not None:
            return self.frames
        assert self.seconds is not None
        return _rounded(self.seconds.numerator, self.seconds.denominator, fps)

    def in_seconds(self, fps: int | Fraction) -> float:
        """Seconds at `fps`."""
        return float(self.frames / fps) if self.frames is not None else float(self.seconds or 0)

    @classmethod
    def decoded(cls, node: Node) -> Duration | None:
        """The duration that a node holds, if it is one."""
        return parse(node.value)


def of(value: float | str) -> Duration:
    """A duration that is known to be one, such as a schema's default."""
    duration = parse(value)
    assert duration is not None
    return duration


@lru_cache(maxsize=4096)
def _rounded(numerator: int, denominator: int, fps: int | Fraction) -> int:
    return round(Fraction(numerator, denominator) * fps)


@cache
def _exact(number: str) -> Duration:
    """Seconds as written, exactly; boards use few different ones, many times."""
    return Duration(seconds=Fraction(number))


def parse(value: object) -> Duration | None:
    """A duration from a document's value; None if it is none."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _exact(str(value))
    if not isinstance(value, str):
        return None
    text = value.strip()
    if match := _FRAMES.match(text):
        return Duration(frames=int(match[1]))
    if match := _SECONDS.match(text):
        return _exact(match[1])
    if match := _CLOCK.match(text):
        hours, minutes, seconds = int(match[1] or 0), int(match[2]), Fraction(match[3])
        return Duration(seconds=hours * 3600 + minutes * 60 + seconds)
    return None
