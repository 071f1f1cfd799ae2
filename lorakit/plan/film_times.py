"""The times of a film as its actions read them: how long pictures stand, when what is said begins."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

from lorakit.records import record


@record
class FilmTimes:
    """`pictures` in film frames each, `clips` likewise, `speech` the film frames that speeches begin at.

    There are `rate` film frames a second.
    """

    rate: Fraction
    clips: tuple[int, ...]
    pictures: tuple[int, ...]
    speech: tuple[int, ...]

    @property
    def frames(self) -> int:
        """How many film frames there are."""
        return sum(self.clips)

    def samples(self, frame: int, rate: int) -> int:
        """Which sample of `rate` a second a film frame begins at."""
        return round(Fraction(frame) / self.rate * rate)

    def to_json(self) -> str:
        """As the text of a file."""
        told = {
            "rate": [self.rate.numerator, self.rate.denominator],
            "clips": list(self.clips),
            "pictures": list(self.pictures),
            "speech": list(self.speech),
        }
        return json.dumps(told) + "\n"


def read_times(text: str) -> FilmTimes:
    """The times that `to_json` wrote. Raises ValueError where a text is none."""
    told = json.loads(text)
    try:
        return FilmTimes(
            Fraction(*told["rate"]),
            tuple(map(int, told["clips"])),
            tuple(map(int, told["pictures"])),
            tuple(map(int, told["speech"])),
        )
    except (KeyError, TypeError) as error:
        raise ValueError("these are no times of a film") from error


def times_in(path: str) -> FilmTimes:
    """The times in a file of the store. Raises OSError and ValueError."""
    return read_times(Path(path).read_text("utf-8"))


def shared(frames: int, pictures: int) -> list[int]:
    """How many film frames each of several pictures has of those that they share, one at least."""
    return [
        max(1, frames * (number + 1) // pictures - frames * number // pictures)
        for number in range(pictures)
    ]
