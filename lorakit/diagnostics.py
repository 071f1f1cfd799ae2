"""What is wrong with a document, where it stands, and the way out.

A `Diagnostic` is plain data; the functions at the end only draw it. The first line of the text form is
`file:line:col: error[code]: what`, so that editors and terminals make it a link.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from lorakit import terminal
from lorakit.records import record

Severity = Literal["error", "warning"]
Format = Literal["text", "json", "github"]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A stretch of one line of a file: `line` and `column` count from 1, `length` in characters."""

    file: str
    line: int
    column: int
    length: int = 1

    @classmethod
    def of(cls, text: str) -> Place:
        """The place that was written as `file:line:column`. Raises ValueError."""
        file, line, column = text.rsplit(":", 2)
        return cls(file, int(line), int(column))

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@record
class Diagnostic:
    """One finding: a stable `code`, a sentence, the place with its line of text, and ways out."""

    code: str
    message: str
    place: Place | None = None
    excerpt: str | None = None
    hints: tuple[str, ...] = ()
    severity: Severity = "error"

    def as_warning(self) -> Diagnostic:
        """The same finding, not fatal."""
        return replace(self, severity="warning")


class LorakitError(Exception):
    """Anything that lorakit tells a user in words; never shown as a traceback."""


def shortened(text: str, most: int = 200) -> str:
    """A text of others as a message quotes it: its beginning and its end."""
    return text if len(text) <= most else f"{text[: most // 2]} … {text[-most // 2 :]}"


def in_words(error: Exception) -> str:
    """An error as a user reads it; whoever catches one that is not of ours logs its traceback."""
    return str(error) if isinstance(error, LorakitError) else f"{type(error).__name__}: {error}"


class InvalidDocument(LorakitError):
    """A document (or the words of a command line about one) cannot be used; carries every finding."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(render_text(self.diagnostics))

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The findings that are fatal."""
        return tuple(d for d in self.diagnostics if d.severity == "error")


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sorted as a reader meets them: by file, line and column; those without a place last; no doubles."""
    unique = dict.fromkeys(diagnostics)
    far = Place("\uffff", 0, 0)
    return tuple(sorted(unique, key=lambda d: (d.place or far, d.severity, d.code, d.message)))


def _tail(excerpt: str, place: Place) -> Iterable[str]:
    shown = terminal.in_place(excerpt.expandtabs(1).rstrip("\r\n"))
    start = place.column - 1
    window = 100
    offset = max(0, start - window // 2) if len(shown) > window else 0
    piece = shown[offset : offset + window]
    left = "…" if offset else ""
    right = "…" if len(shown) > offset + window else ""
    gutter = str(place.line)
    caret = "^" * max(1, min(place.length, len(piece) - (start - offset)))
    yield f"  {gutter} | {left}{piece}{right}"
    yield f"  {' ' * len(gutter)} | {' ' * (len(left) + start - offset)}{caret}"


def render_text(diagnostics: Sequence[Diagnostic]) -> str:
    """As a person reads them: the place, the line, a caret, and the hints."""
    blocks = []
    for d in diagnostics:
        head = f"{terminal.quoted(str(d.place))}: " if d.place else ""
        lines = [f"{head}{d.severity}[{d.code}]: {terminal.quoted(d.message)}"]
        if d.place and d.excerpt is not None:
            lines += _tail(d.excerpt, d.place)
        lines += [f"  = {terminal.quoted(hint)}" for hint in d.hints]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def as_json(diagnostic: Diagnostic) -> dict[str, object]:
    """One finding as plain JSON data."""
    place = diagnostic.place
    return {
        "severity": diagnostic.severity,
        "code": diagnostic.code,
        "message": diagnostic.message,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "length": place.length if place else None,
        "hints": list(diagnostic.hints),
    }


def _github(d: Diagnostic) -> str:
    def escape(text: str) -> str:
        return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")

    def escape_property(text: str) -> str:
        return escape(text).replace(":", "%3A").replace(",", "%2C")

    where = ""
    if d.place:
        file = escape_property(d.place.file)
        end = d.place.column + d.place.length
        where = f"file={file},line={d.place.line},col={d.place.column},endColumn={end},"
    text = "\n".join(map(terminal.quoted, [d.message, *d.hints]))
    return f"::{d.severity} {where}title={escape_property(d.code)}::{escape(text)}"


def render(diagnostics: Sequence[Diagnostic], style: Format = "text") -> str:
    """All findings in one of three forms: for people, for scripts, for GitHub's annotations."""
    if style == "json":
        return json.dumps([as_json(d) for d in diagnostics], indent=2, ensure_ascii=False)
    if style == "github":
        return "\n".join(_github(d) for d in diagnostics)
    return render_text(diagnostics)


def count_line(diagnostics: Iterable[Diagnostic], files: int) -> str:
    """The last line of `validate`: what was found in how many files."""
    found = list(diagnostics)
    errors = sum(d.severity == "error" for d in found)
    warnings = len(found) - errors

    def count(number: int, noun: str) -> str:
        return f"{number} {noun}{'' if number == 1 else 's'}"

    return f"{count(files, 'file')}: {count(errors, 'error')}, {count(warnings, 'warning')}"
