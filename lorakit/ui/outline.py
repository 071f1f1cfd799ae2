"""An indented tree of lines, drawn with branches; wrapped on a terminal, one line each off it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lorakit import terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console
    from rich.text import Text

    from lorakit.ui.theme import Glyphs

    Line = Sequence[tuple[str, str]]  # pieces: words and their style

_NARROWEST = 20  # cells that a wrapped line keeps for its words


@dataclass(slots=True)
class TreeNode:
    """A line of the tree, the plain lines that belong to it, and its branches."""

    line: Line
    notes: list[Line] = field(default_factory=list)
    branches: list[TreeNode] = field(default_factory=list)


def lines_of(roots: Iterable[TreeNode], glyphs: Glyphs) -> Iterator[tuple[str, str, Line]]:
    """Yield each line as (what stands before it, before its continuation, its pieces)."""
    for root in roots:
        yield from _draw(root, "", "", glyphs)


def _draw(node: TreeNode, first: str, rest: str, glyphs: Glyphs) -> Iterator[tuple[str, str, Line]]:
    below = rest + (glyphs.pipe if node.branches else glyphs.space)
    yield first, below, node.line
    for note in node.notes:
        yield below, below + "  ", note
    for number, branch in enumerate(node.branches, 1):
        last = number == len(node.branches)
        yield from _draw(
            branch,
            rest + (glyphs.last if last else glyphs.branch),
            rest + (glyphs.space if last else glyphs.pipe),
            glyphs,
        )


def show(console: Console, lines: Iterable[tuple[str, str, Line]]) -> None:
    """Print lines: in colour and wrapped under themselves on a terminal, else as they are."""
    if not console.is_terminal:
        # not through rich, which would break long lines for whatever width it believes in
        text = "".join(f"{before}{_plain(line)}".rstrip() + "\n" for before, _, line in lines)
        terminal.write(console.file, text)
        return
    from rich.text import Text

    whole = Text("\n").join(
        piece for before, after, line in lines for piece in _wrapped(console, before, after, line)
    )
    console.print(whole, soft_wrap=True)


def _plain(line: Line) -> str:
    return "".join(terminal.line(text) for text, _ in line)


def _wrapped(console: Console, before: str, after: str, line: Line) -> Iterator[Text]:
    from rich.text import Text

    words = Text.assemble(*((terminal.line(text), style) for text, style in line))
    room = max(_NARROWEST, console.width - max(len(before), len(after)))
    # a line with a word longer than itself is left to the terminal, so that a path can be copied
    fits = all(len(word) <= room for word in words.plain.split())
    pieces = words.wrap(console, room) if fits and words.cell_len > room else [words]
    for number, piece in enumerate(pieces or [words]):
        piece.rstrip()
        yield Text.assemble((before if number == 0 else after, "dim"), piece)
