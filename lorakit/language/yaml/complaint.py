"""What YAML's parser said, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lorakit.language.yaml.nodes import Source, Spot


class Complaint(NamedTuple):
    """What a parser said and where: `opened` is the (line, column) of what it was in the middle of."""

    source: Source
    problem: str
    line: int
    column: int
    context: str
    opened: tuple[int, int] | None

    @property
    def text(self) -> str:
        """The line it stumbled on."""
        return self.source.lines[self.line - 1]

    @property
    def first_column(self) -> int:
        """Where the line's text begins."""
        return len(self.text) - len(self.text.lstrip()) + 1

    def spot(self, column: int | None = None, length: int = 1) -> Spot:
        """A stretch of that line."""
        return self.source.spot(self.line, column or self.column, length)
