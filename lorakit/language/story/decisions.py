"""What was decided of a board's frames: takes that were picked, frames that were approved.

They stand in a file beside the board, `board.picks.yaml`, which is kept in git and merged line by line: a
line a decision, in an order that does not depend on who wrote it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import NamedTuple, TypeVar

from lorakit.diagnostics import Place
from lorakit.records import record

ValueT = TypeVar("ValueT")
_PLAIN = re.compile(r"[a-z][\w-]*/[0-9]+\Z")
_HEAD = (
    "# What was decided of {board}'s frames. Written by lorakit pick and lorakit approve; "
    "keep it in git.\n"
)


class FrameName(NamedTuple):
    """A frame as users call it: its scene's name, and its number from 1."""

    scene: str
    number: int

    @classmethod
    def of(cls, text: str) -> FrameName | None:
        """The frame of a text such as meadow/2; None where it is of no such form."""
        scene, slash, number = text.rpartition("/")
        if not (slash and scene and number.isascii() and number.isdecimal()) or len(number) > 9:
            return None
        return cls(scene, int(number))

    def __str__(self) -> str:
        return f"{self.scene}/{self.number}"


@record
class Pick:
    """A take from 1, the digest of its picture as it was picked, and where that is written."""

    take: int
    picture: str
    place: Place | None = field(default=None, compare=False)


@record
class Approval:
    """A take that is held: the digest of its picture, and the key of its result in the store."""

    take: int
    picture: str
    key: str
    place: Place | None = field(default=None, compare=False)


@record
class Decisions:
    """The decisions on one board's frames."""

    picks: Mapping[FrameName, Pick] = field(default_factory=dict)
    approved: Mapping[FrameName, Approval] = field(default_factory=dict)

    def picking(self, frame: FrameName, pick: Pick | None) -> Decisions:
        """The same with another pick of a frame, or with none."""
        return replace(self, picks=_with(self.picks, frame, pick))

    def approving(self, frame: FrameName, approval: Approval | None) -> Decisions:
        """The same with a frame approved, or released."""
        return replace(self, approved=_with(self.approved, frame, approval))


def _with(
    given: Mapping[FrameName, ValueT], frame: FrameName, one: ValueT | None
) -> dict[FrameName, ValueT]:
    others = {name: value for name, value in given.items() if name != frame}
    return others if one is None else {**others, frame: one}


def file_of(board: Path) -> Path:
    """Where the decisions on a board stand: board.picks.yaml beside board.yaml."""
    return board.with_name(f"{board.stem}.picks{board.suffix}")


def board_of(path: Path) -> Path | None:
    """The board whose decisions a file is meant to hold, by its name; None for any other file."""
    stem = path.stem.removesuffix(".picks")
    return path.with_name(f"{stem}{path.suffix}") if stem and stem != path.stem else None


def written(decisions: Decisions, board: str) -> str:
    """The text of a board's decisions; `board` is the name of its file."""
    lines = [_HEAD.format(board=" ".join(board.split())), "picks: 1\n"]
    for part, every in (("frames", decisions.picks), ("approved", decisions.approved)):
        lines += [f"{part}:\n"] if every else []
        for name in sorted(every):
            lines.append(f"  {_quoted(name)}: {{{', '.join(_values(every[name]))}}}\n")
    return "".join(lines)


def _values(one: Pick | Approval) -> Iterator[str]:
    yield f"take: {one.take}"
    yield f'picture: "{one.picture}"'
    if isinstance(one, Approval):
        yield f'key: "{one.key}"'


def _quoted(name: FrameName) -> str:
    text = str(name)
    return text if _PLAIN.match(text) else json.dumps(text, ensure_ascii=False)
