r"""The one place that prints: what a terminal would obey instead of showing reaches it in words.

Names, captions, columns and what libraries say come from others. Escape sequences in them would move the
cursor, retitle the window or paint over what was said; marks of writing direction turn lines around. They are
shown as JSON writes them, `\u001b`, so that JSON on a pipe stays what it is.
"""

from __future__ import annotations

import contextlib
import os
import sys
import unicodedata
from collections.abc import Callable, Iterable
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

_LAYOUT = "\n\t"
_JOINERS = "\u200c\u200d"  # of emoji, of Persian and Indic scripts: they are of the text
# controls, formats, halves of pairs, private use, separators of lines and paragraphs
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
_PLACEHOLDER = "\ufffd"


def _obeyed(character: str) -> bool:
    return unicodedata.category(character) in _UNSEEN and character not in _JOINERS


def _escaped(character: str) -> str:
    code = ord(character)
    if code < 0x10000:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


def visible(text: str) -> str:
    """A text of many lines as it may be printed."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    return "".join(_escaped(c) if c not in _LAYOUT and _obeyed(c) else c for c in text)


def line(text: str) -> str:
    """A text of others within a line of ours: line breaks and tabs become spaces."""
    if not text.isprintable():
        text = visible(" ".join(text.split("\r\n")).translate({9: " ", 10: " ", 13: " "}))
    return text


def quoted(text: str) -> str:
    """The same where every character counts, as in names: a line break is shown as one."""
    return text if text.isprintable() else visible(text).replace("\n", "\\n").replace("\t", "\\t")


def in_place(text: str) -> str:
    """A text with as many characters as before, so that a caret below it points where it did."""
    if text.isprintable():
        return text
    return "".join(_PLACEHOLDER if _obeyed(c) else c for c in text)


def indented(text: str) -> str:
    """A message of several lines whose later ones cannot be taken for messages of their own."""
    return text.replace("\n", "\n  ")


def write(file: IO[str], text: str) -> None:
    """Print to a stream, whichever it is."""
    file.write(visible(text))


class _Visible:
    """A stream that shows what it is given: click, warnings and libraries print to it as to any other."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.lost: OSError | None = None  # why nothing is printed any more

    def write(self, text: str) -> int:
        self._do(lambda: self.stream.write(visible(text)))
        return len(text)

    def flush(self) -> None:
        self._do(self.stream.flush)

    def _do(self, what: Callable[[], object]) -> None:
        """Where nobody reads any more, or a disk is full, what was begun goes on and prints nothing."""
        try:
            what()
        except OSError as error:
            if self.lost is None:
                self.lost = error
                _send_nowhere(self.stream)

    def print_bytes(self, data: bytes) -> None:
        self.flush()
        self._do(lambda: self.stream.buffer.write(data))
        self._do(self.stream.buffer.flush)

    def writelines(self, lines: Iterable[str]) -> None:
        for text in lines:
            self.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def print_bytes(data: bytes) -> None:
    """Print a file to standard output as it is: where that is no terminal, which might obey it."""
    if isinstance(sys.stdout, _Visible):
        sys.stdout.print_bytes(data)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)


def _send_nowhere(stream: Any) -> None:
    """What is in a stream's buffer, and all that follows, goes nowhere: at our end it is flushed again."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):  # it is no file
        return


def unwritten() -> OSError | None:
    """Why what was to be printed was not, once all is over; a reader that left is no reason."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, _Visible):
            stream.flush()
            if stream.lost is not None and not isinstance(stream.lost, BrokenPipeError):
                return stream.lost
    return None


def guard() -> None:
    """From here on standard output and standard error show everything and obey nothing."""
    _open_what_was_closed()
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None or isinstance(stream, _Visible):
            continue
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
        setattr(sys, name, _Visible(stream))


def _open_what_was_closed() -> None:
    """Let standard streams that were closed (`>&-`) lead nowhere: the next file to be opened would be one."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            os.set_inheritable(number, True)
            stream = open(number, "w" if number else "r", encoding="utf-8", closefd=False)  # noqa: SIM115
            setattr(sys, name, stream)


def _bare(stream: Any) -> Any:
    return stream.stream if isinstance(stream, _Visible) else stream


def errors_as_they_are() -> Any:
    """The error stream itself, for bars that redraw their line; the words of others in them are escaped."""
    return _bare(sys.stderr)


def show_cursor() -> None:
    """Give the cursor back that a live view has hidden, at once and whatever holds the streams."""
    with contextlib.suppress(OSError):
        if os.isatty(1):
            os.write(1, b"\x1b[?25h\n")


def console(file: IO[str] | None = None, *, width: int | None = None) -> Console:
    """What colours and redraws: its own sequences reach the terminal, those within texts do not.

    To a `file` in place of standard output, in lines of so many characters.
    """
    from rich.console import Console
    from rich.segment import Segment

    class Guarded(Console):
        def render(self, *given: Any, **named: Any) -> Iterable[Segment]:
            for segment in super().render(*given, **named):
                if segment.control or segment.text.isprintable():
                    yield segment
                else:
                    text = "".join(
                        _PLACEHOLDER if c not in _LAYOUT and _obeyed(c) else c for c in segment.text
                    )
                    yield Segment(text, segment.style)

    if file is not None:
        return Guarded(file=file, width=width, color_system=None)
    out = sys.stdout
    return Guarded(file=_bare(out) if out.isatty() else out)
