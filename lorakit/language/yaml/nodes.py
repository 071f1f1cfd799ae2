"""The text of a document as a tree of nodes that know where they stand."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from lorakit.diagnostics import Place

if TYPE_CHECKING:
    from pathlib import Path

# what YAML 1.1, and so libyaml, counts as the end of a line
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


class Broken:
    """The value of a node that was found wrong already: nothing more is said of it."""


BROKEN = Broken()


class Source:
    """One text with its name: a file, or the words of `--set`."""

    def __init__(self, path: Path, name: str, text: str) -> None:
        self.path = path
        self.name = name
        self.text = text
        self.repaired: frozenset[int] = frozenset()

    def with_line(self, number: int, line: str) -> Source:
        """The same text with one line put right, of which nothing more shall be said."""
        lines = self.text.splitlines(keepends=True)
        old = lines[number - 1]
        lines[number - 1] = line + old[len(old.rstrip("\r\n")) :]
        longer = Source(self.path, self.name, "".join(lines))
        longer.repaired = self.repaired | {number}
        return longer

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines without their ends."""
        return tuple(_BREAK.split(self.text))

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """Where in the text each line begins."""
        return (0, *(match.end() for match in _BREAK.finditer(self.text)))

    def spot(self, line: int, column: int, length: int = 1) -> Spot:
        """A stretch of a line, both counted from 1, kept inside the text."""
        line = max(1, min(line, len(self.lines)))
        column = max(1, min(column, len(self.lines[line - 1]) + 1))
        return Spot(self, line, column, max(1, length))

    def spot_at(self, index: int, length: int = 1) -> Spot:
        """A stretch of the text by its index."""
        line = bisect_right(self.line_starts, index)
        return self.spot(line, index - self.line_starts[line - 1] + 1, length)


class Spot(NamedTuple):
    """A stretch of one line of a source."""

    source: Source
    line: int
    column: int
    length: int

    @property
    def place(self) -> Place:
        """The same as plain data."""
        return Place(self.source.name, self.line, self.column, self.length)

    @property
    def excerpt(self) -> str:
        """The line it stands on."""
        return self.source.lines[self.line - 1]


class Node:
    """A value and where it stands.

    `start` and `end` are indices into the source's text, `line` and `column` count from 1, `style` is
    the quote or block character, `""` for plain. `keys` are a mapping's keys as nodes, `deleted` those that
    a merge took away. `cut` is a plain text with more behind it on its line, maybe a part of it.
    """

    __slots__ = (
        "anchor",
        "column",
        "cut",
        "deleted",
        "end",
        "keys",
        "line",
        "source",
        "start",
        "style",
        "value",
    )

    def __init__(
        self,
        value: str | float | bool | list[Node] | dict[str, Node] | Broken | None,
        source: Source,
        start: int,
        end: int,
        line: int,
        column: int,
        style: str = "",
        anchor: str | None = None,
        keys: dict[str, Node] | None = None,
    ) -> None:
        self.value = value
        self.source = source
        self.start = start
        self.end = end
        self.line = line
        self.column = column
        self.style = style
        self.anchor = anchor
        self.keys = keys
        self.deleted: dict[str, Node] | None = None
        self.cut = False

    @property
    def spot(self) -> Spot:
        """Where it stands, as far as its first line goes."""
        line, length = self.source.lines[self.line - 1], self.end - self.start
        if length > len(line) - self.column + 1:
            length = len(line[self.column - 1 :].rstrip())
        return Spot(self.source, self.line, self.column, max(1, length))

    @property
    def place(self) -> Place:
        """Where it stands, as plain data."""
        return self.spot.place

    def key_spot(self, key: str) -> Spot:
        """Where a mapping's key stands; where the mapping does, if it has no such key."""
        keys = self.keys or {}
        return keys[key].spot if key in keys else self.spot

    def like(
        self, value: str | float | bool | list[Node] | dict[str, Node] | Broken | None
    ) -> Node:
        """Another value at the same place."""
        node = Node(value, self.source, self.start, self.end, self.line, self.column, self.style)
        node.keys = self.keys
        node.deleted = self.deleted
        return node
