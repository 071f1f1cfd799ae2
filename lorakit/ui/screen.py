"""The live view's picture of a run, for the terminal's size as it is at this moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit import terminal
from lorakit.plan import numbers
from lorakit.plan.workers import RENDER
from lorakit.records import record
from lorakit.ui.summary import short_path
from lorakit.ui.theme import BAD, BUSY, FAINT, GOOD, STRONG, WARN, clean, glyphs_for
from lorakit.ui.words import done_words, speed_words, worker_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, RenderableType
    from rich.text import Text

    from lorakit.plan.actions import Action
    from lorakit.ui.progress import Progress, ProgressRow

_INDENT = 8
_MOST_LINES = 3  # of one piece of news: a prompt can be long
_ROOMY = 20  # rows of a terminal that has room for a picture, and for long prompts
_FEWEST_ROWS = 3  # of the tree, however low the terminal is


@record
class ShownPicture:
    """A thumbnail as rich draws it, and its width in cells."""

    drawing: RenderableType
    width: int


class Screen:
    """Draws a `Progress`; asks the console for its size each time, so that it follows a resize."""

    def __init__(self, progress: Progress, console: Console) -> None:
        self._progress = progress
        self._console = console
        self._glyphs = glyphs_for(console)

    def picture_size(self) -> tuple[int, int] | None:
        """Columns and rows that a thumbnail may take here; None where there is no room."""
        width, height = self._console.size
        if width < 60 or height < _ROOMY:
            return None
        rows = min(16, height * 2 // 5)
        return min(width // 3, 3 * rows), rows

    def draw(self, now: float, picture: ShownPicture | None) -> RenderableType:
        """Draw everything; `now` is in seconds since the run began."""
        from rich.console import Group

        over = self._progress.finished is not None
        size = self.picture_size()
        shown = picture if size is not None and not over else None
        room = self._console.size.width - (shown.width + 2 if shown else 0)
        news = [] if over else list(self._news(now, room))
        below = max(len(news), size[1] if shown and size else 0) + 2
        rows = max(_FEWEST_ROWS, self._console.size.height - below - 2)
        parts: list[RenderableType] = [self._head(), *self._tree(rows)]
        if shown is not None:
            parts += ["", self._beside(shown, news)]
        else:
            parts += news
        return Group(*parts)

    def _head(self) -> Text:
        plan, folder = self._progress.plan, self._progress.folder
        where = f" {self._glyphs.arrow} {short_path(folder)}" if folder else ""
        return self._line((plan.recipe, STRONG), (where, FAINT))

    def _line(self, *pieces: tuple[str, str]) -> Text:
        """Put a line together, cut at the terminal's edge: a wrapped one would break the count."""
        from rich.text import Text

        whole = ((terminal.line(text), style) for text, style in pieces)
        line = Text.assemble(*whole, no_wrap=True, overflow="ellipsis")
        line.truncate(self._console.size.width, overflow="ellipsis")
        return line

    # -- the tree --------------------------------------------------------------------------------

    def _tree(self, room: int) -> Iterator[Text]:
        """Yield the rows around what is under way; those before and after are counted."""
        rows = self._progress.rows
        heads = len({row.step for row in rows})
        first, last = 0, len(rows)
        if len(rows) + heads > room:
            room = max(1, room - heads - 2)
            begun = next((n for n, row in enumerate(rows) if not row.over), len(rows))
            first = max(0, min(begun - 1, len(rows) - room))
            last = first + room
        title = max((len(row.title) for row in rows[first:last]), default=0)
        title = min(title, max(8, self._console.size.width // 3))
        if first:
            yield self._line((f"{self._glyphs.ellipsis} {self._folded(rows[:first])}", FAINT))
        step = None
        for number, row in enumerate(rows[first:last], first):
            if row.step != step:
                step = row.step
                yield self._line((step, STRONG))
            ends = number + 1 == len(rows) or rows[number + 1].step != step
            yield self._row(row, title, ends=ends)
        if last < len(rows):
            yield self._line((f"{self._glyphs.ellipsis} {self._folded(rows[last:])}", FAINT))

    def _folded(self, rows: list[ProgressRow]) -> str:
        over = sum(row.over for row in rows)
        parts = [(over, "done"), (len(rows) - over, "to come")]
        return ", ".join(f"{number} {word}" for number, word in parts if number)

    def _row(self, row: ProgressRow, title: int, *, ends: bool) -> Text:
        glyphs = self._glyphs
        name = clean(row.title)
        if len(name) > title:
            name = name[: title - 1] + glyphs.ellipsis[:1]
        style = FAINT
        if row.failed:
            style = BAD
        elif row.over:
            style = GOOD
        elif row.active:
            style = BUSY
        pieces = [(glyphs.last if ends else glyphs.branch, FAINT), (f"{name.ljust(title)}  ", "")]
        width = min(30, self._console.size.width - title - 34)
        if width >= 6:
            pieces += [*self._bar(row.share, width, style), ("  ", "")]
        words = done_words(row)
        return self._line(*pieces, (words, "" if row.active else style))

    def _bar(self, share: float, width: int, style: str) -> Iterator[tuple[str, str]]:
        glyphs = self._glyphs
        halves = round(share * width * 2)
        if 0 < share < 1:
            halves = min(max(halves, 1), 2 * width - 1)
        yield glyphs.full * (halves // 2) + glyphs.half * (halves % 2), style
        # without colours the part to come must look different, so it is left out
        rest = width - (halves + 1) // 2
        yield (" " if self._console.no_color else glyphs.empty) * rest, "bright_black"

    # -- what is going on ------------------------------------------------------------------------

    def _beside(self, picture: ShownPicture, news: list[Text]) -> RenderableType:
        from rich.console import Group
        from rich.table import Table

        table = Table.grid(padding=(0, 2))
        table.add_column(width=picture.width, no_wrap=True)
        table.add_column(ratio=1)
        table.add_row(picture.drawing, Group(*news))
        return table

    def _news(self, now: float, room: int) -> Iterator[Text]:
        """Yield what is going on, in lines no wider than `room`."""
        from rich.text import Text

        progress = self._progress
        yield Text()
        for name, worker in progress.workers.items():
            # that the others start as well is no news while there is something to draw
            drawing = name.startswith(RENDER.name) or RENDER.name not in progress.slots
            if worker.state == "starting" and not drawing:
                continue
            words = worker_words(name, worker, now)
            if words and worker.state != "ready":
                style = WARN if worker.state == "waiting" else BUSY
                yield from self._wrapped("", words, style, room)
        at_work = progress.at_work
        if len(at_work) > 1:
            for name, action in at_work.items():
                where = progress.workers[name].where if name in progress.workers else ""
                named = f"{name} on {clean(where)}" if where else name
                yield self._one_line(f"{named}  {self._doing(action)}", room)
        elif progress.current is not None:
            yield from self._wrapped("now", self._doing(progress.current), "", room)
        if progress.pictured is not None:
            yield from self._wrapped("newest", clean(progress.pictured.id), FAINT, room)
        done = f"{progress.done} of {progress.total} done"
        gone = f"{numbers.duration(now)} gone"
        yield from self._wrapped("", ", ".join([done, *speed_words(progress), gone]), "", room)

    def _doing(self, action: Action) -> str:
        row = self._progress.row_of(action.id)
        return clean(action.label if row is None or not row.single else f"the {row.title}")

    def _one_line(self, words: str, room: int) -> Text:
        from rich.text import Text

        line = Text(terminal.line(words), no_wrap=True)
        line.truncate(room, overflow="ellipsis")
        return line

    def _wrapped(self, head: str, words: str, style: str, room: int) -> Iterator[Text]:
        from rich.text import Text

        indent = _INDENT if head else 0
        lines = Text(terminal.line(words), style).wrap(self._console, max(8, room - indent))
        most = _MOST_LINES if self._console.size.height >= _ROOMY else 1
        for number, line in enumerate(lines[:most]):
            line.rstrip()
            if number == most - 1 and len(lines) > most:
                line.append(self._glyphs.ellipsis)
            before = head.ljust(indent) if number == 0 else " " * indent
            whole = Text.assemble((before, STRONG), line, no_wrap=True)
            whole.truncate(room, overflow="ellipsis")
            yield whole
