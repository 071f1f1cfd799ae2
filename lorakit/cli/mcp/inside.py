"""What an agent may name: files of one project, links followed, and answers that end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from lorakit import terminal
from lorakit.diagnostics import LorakitError, shortened
from lorakit.records import record

HOST = "127.0.0.1"  # and no other: whoever reaches the server makes what this user may make
WIDE = 120  # characters of its lines where they are laid out
MOST = 40_000  # characters of an answer: about 10,000 tokens of a model that reads it


@record
class Inside:
    """The project that is served, by its folder."""

    root: Path

    def path(self, text: str) -> Path:
        """A path that an agent named. Raises LorakitError where it, or what it links to, is elsewhere."""
        path = Path(text)
        if not self.holds(path):
            shown = terminal.quoted(shortened(text))
            raise LorakitError(
                f"{shown} is not in the project {terminal.quoted(str(self.root))}: "
                "only what is in it can be named here"
            )
        return path

    def holds(self, path: Path) -> bool:
        """Whether a path leads into the project, links followed."""
        try:
            return path.resolve().is_relative_to(self.root)
        except (OSError, ValueError, RuntimeError):  # a circle of links, a NUL
            return False

    def held(self, paths: Iterable[Path]) -> Iterator[Path]:
        """Yield those that lead into the project."""
        yield from filter(self.holds, paths)


def bounded(text: str, most: int = MOST) -> str:
    """A text for an agent: what a terminal would obey is shown, and it ends, with a word of what is left."""
    shown = terminal.visible(text).rstrip()
    if len(shown) <= most:
        return shown
    kept = shown[:most].rpartition("\n")[0] or shown[:most]
    left = shown.count("\n") - kept.count("\n")
    return f"{kept}\n… {left:,} more lines were left out: ask for less at once"
