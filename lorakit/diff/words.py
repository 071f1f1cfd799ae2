"""What differs between two texts, word by word."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Literal

Piece = tuple[Literal["same", "gone", "new"], str]
_WORD = re.compile(r"\s+|\w+|[^\w\s]")


def compared(before: str, after: str) -> Iterator[Piece]:
    """The pieces of both texts in order: what stays, what went, what came."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    pieces: list[tuple[str, str, str]] = [
        (what, "".join(old[i:k]), "".join(new[j:m])) for what, i, k, j, m in matcher.get_opcodes()
    ]
    for what, gone, came in _joined(pieces):
        if what == "equal":
            yield "same", came
            continue
        if gone:
            yield "gone", gone
        if came:
            yield "new", came


def _joined(pieces: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Changes that only blanks part are one change: words are read in groups."""
    found: list[tuple[str, str, str]] = []
    for number, (what, gone, came) in enumerate(pieces):
        last = number + 1 == len(pieces)
        joins = what == "equal" and not came.strip() and found and not last
        changed = "replace" if what != "equal" or joins else "equal"
        if found and changed != "equal" and found[-1][0] != "equal":
            found[-1] = ("replace", found[-1][1] + gone, found[-1][2] + came)
        else:
            found.append((changed, gone, came))
    return found
