"""Tables whose columns commas, semicolons, tabs or bars divide: no field is lost or moved in silence."""

from __future__ import annotations

import contextlib
import csv
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from lorakit.facts.data.data_sets import DataError, RowFaults
from lorakit.files import open_text

_MARKS = {
    ",": "commas",
    ";": "semicolons",
    "\t": "tabs",
    "|": "bars",
}  # what divides the columns of a table
_SHOWN = 40  # characters of a row that an error shows


def separated(file: Path, key: str, wanted: Collection[str]) -> Iterator[Mapping[str, str | None]]:
    """The rows of a table by its header's columns, which should hold those `wanted`.

    `key` is the data set's that names the file. Raises OSError, UnicodeDecodeError, DataError.
    """
    number = 1
    faults = RowFaults()
    try:
        with _long_fields(), open_text(file, newline="") as handle:
            heads = {}
            for mark in _MARKS:
                handle.seek(0)
                first = next(csv.reader(handle, delimiter=mark), [])
                heads[mark] = [name.strip() for name in first]
            # the first that has the columns, or of none what divides it into most
            mark = max(heads, key=lambda mark: (set(wanted) <= set(heads[mark]), len(heads[mark])))
            head = heads[mark]
            _check_head(head, file, key)
            handle.seek(0)
            lines = _Remembered(handle)
            reader = csv.reader(lines, delimiter=mark)
            next(reader, None)
            lines.seen.clear()
            held: list[str] = []
            for row in reader:
                # the row before is given out now: the last one may have swallowed others
                if held:
                    yield from _rows_of(held, head, mark, number, file, key, faults)
                held, number, seen = row, reader.line_num, list(lines.seen)
                lines.seen.clear()
            if held:
                _check_end(seen, mark, number, file, key)
                yield from _rows_of(held, head, mark, number, file, key, faults)
    except csv.Error as error:
        message = f"{file.name} cannot be read after line {number}: {error}"
        raise DataError("data", key, message) from error
    faults.tell()


class _Remembered:
    """Lines of a file, of which the last are kept until somebody clears them."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = iter(lines)
        self.seen: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.seen.append(line)
        return line


def _check_head(head: list[str], file: Path, key: str) -> None:
    twice = [name for name, count in Counter(filter(None, head)).items() if count > 1]
    if twice:
        raise DataError(
            "data",
            key,
            f"{file.name} has two columns called {twice[0]}",
            "give each a name of its own",
        )


def _rows_of(
    row: list[str],
    head: list[str],
    mark: str,
    line: int,
    file: Path,
    key: str,
    faults: RowFaults,
) -> Iterator[Mapping[str, str | None]]:
    """The row by its columns; none where it has more fields than there are columns, which is told."""
    rest = row[len(head) :]
    if any(field.strip() for field in rest):
        shown = mark.join(row).replace("\n", " ")
        shown = f"{shown[:_SHOWN]}…" if len(shown) > _SHOWN else shown
        faults.note(
            DataError(
                "data",
                key,
                f"{file.name}, line {line}, has {len(row)} fields, and the header names {len(head)}: {shown}",
                f"put a text with {_MARKS[mark]} in it between double quotes",
            )
        )
        return
    lacking: list[str | None] = [None] * (len(head) - len(row))
    yield dict(zip(head, [*row, *lacking], strict=False))


def _check_end(lines: list[str], mark: str, line: int, file: Path, key: str) -> None:
    """Raise DataError where a quote that nobody closed has swallowed all rows after it."""
    try:
        list(csv.reader(lines, delimiter=mark, strict=True))
    except csv.Error as error:
        if "unexpected end of data" not in str(error):
            return
        raise DataError(
            "data",
            key,
            f"{file.name}: the quote in line {line - len(lines) + 1} is not closed, "
            "and all that follows is its text",
            'close it, or write "" for a quote within a text',
        ) from error


@contextlib.contextmanager
def _long_fields() -> Iterator[None]:
    """Python's own limit of 131,072 characters is shorter than some texts are."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)
