"""Where labelled texts stand: tables, folders, the package, the hub. Read row by row, without torch."""

from __future__ import annotations

import contextlib
import gzip
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from lorakit import resources
from lorakit.facts.data.data_sets import (
    HUB,
    DataError,
    RowFaults,
    check_column,
    hub_copy,
    splits_of,
)
from lorakit.facts.data.separated import separated
from lorakit.facts.files.folders import entries, walk
from lorakit.files import open_text, parse_json, read_text
from lorakit.language.recipe.trainings import Columns, DataSource
from lorakit.language.yaml import names

Row = tuple[str, object]
TABLES = (".csv", ".tsv", ".jsonl", ".parquet")
_MOST = 10_000_000  # bytes of a text
_SHOWN = 6  # rows that an error names
# what spreadsheets and their libraries write where there was none
_NOTHING = frozenset({"nan", "n/a", "#n/a", "<na>", "null"})
_SNIPPETS = "movie-snippets/snippets.tsv.gz"


def folder_of(source: DataSource, *, download: bool = False) -> Path | None:
    """The file or folder that holds a data set; None for one of the hub that is not here yet."""
    if source.texts.startswith("lorakit:"):
        return resources.path("data") / _SNIPPETS
    if source.texts.startswith(HUB):
        return hub_copy(source, download=download)
    return Path(source.texts)


def rows_of(source: DataSource, place: Path) -> tuple[dict[str, list[Row]], tuple[str, ...]]:
    """The rows of each split, and the labels' names where the data has them; one split called "" if none."""
    try:
        if source.texts.startswith("lorakit:"):
            return _snippets(place), ("negative", "positive")
        if source.texts.startswith(HUB):
            return _from_hub(source, place)
        if place.is_file():
            return {"": list(_table(place, source))}, ()
        if not place.is_dir():
            message = f"{place.name} is neither a file nor a folder: a link to nothing, or a pipe"
            raise DataError(
                "data", "texts", message, "write what is in it to a file, and name that"
            )
        return _folder(source, place), ()
    except OSError as error:
        raise DataError("data", "texts", f"{place.name} cannot be read: {error}") from error


def _snippets(file: Path) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for line in gzip.decompress(file.read_bytes()).decode().splitlines():
        split, label, text = line.split("\t", 2)
        found.setdefault(split, []).append((text, int(label)))
    return found


def _folder(source: DataSource, folder: Path) -> dict[str, list[Row]]:
    tables = [path for path in entries(folder) if path.suffix.lower() in TABLES]
    if tables:
        return {path.stem: list(_table(path, source)) for path in tables}
    inside = {path.name: path for path in entries(folder) if path.is_dir()}
    if {source.split, source.test_split} & set(inside):
        return {name: list(_labelled_files(path)) for name, path in inside.items()}
    rows = list(_labelled_files(folder))
    if not rows:
        raise DataError(
            "data",
            "texts",
            f"the folder {folder.name} holds no texts",
            "put a .csv, .tsv, .jsonl or .parquet in it, or a sub-folder of .txt files for each label",
        )
    return {"": rows}


def _labelled_files(folder: Path) -> Iterator[Row]:
    empty = []
    for label in (path for path in entries(folder) if path.is_dir()):
        for file in (path for path in entries(label) if path.suffix == ".txt"):
            with _decoded(file):
                text = read_text(file, _MOST).strip()
            if not text:
                empty.append(f"{label.name}/{file.name}")
            yield text, label.name
    if empty:
        raise DataError(
            "empty-row",
            "texts",
            f"{names.enumerated(empty, _SHOWN)} {'has' if len(empty) == 1 else 'have'} no text",
            f"remove the file{'s'[: len(empty) > 1]}, or fill {'it' if len(empty) == 1 else 'them'} in",
        )


def _table(file: Path, source: DataSource) -> Iterator[Row]:
    row = None
    with _decoded(file):
        for row in _rows(file, source):
            yield row
    if row is None:
        raise DataError(
            "data",
            "texts",
            f"{file.name} is empty: it holds no texts",
            "fill it in, a row for each text, or name another file",
        )


def _rows(file: Path, source: DataSource) -> Iterator[Row]:
    match file.suffix.lower():
        case ".csv" | ".tsv":
            wanted = (source.columns.text, source.columns.label)
            yield from _picked(separated(file, "texts", wanted), source, file.name)
        case ".jsonl":
            with open_text(file) as handle:
                yield from _picked(
                    _json_lines(handle, file.name, source.columns), source, file.name
                )
        case _:
            table = _parquet(file)
            _check_columns(table.column_names, source, file.name)
            yield from _picked(table.to_pylist(), source, file.name)


@contextlib.contextmanager
def _decoded(file: Path) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise DataError(
            "data",
            "texts",
            f"{file.name} is not written in UTF-8",
            "save it as UTF-8; spreadsheets ask for the encoding where they save as CSV",
        ) from error


def _json_lines(lines: Iterable[str], name: str, columns: Columns) -> Iterator[Mapping[str, Any]]:
    faults = RowFaults()
    for number, line in enumerate(lines, 1):
        if line.strip():
            row = faults.tried(partial(_json_row, line, f"{name}, line {number}", columns))
            if row is not None:
                yield row
    faults.tell()


def _json_row(line: str, where: str, columns: Columns) -> Mapping[str, Any]:
    try:
        row = parse_json(line, constants=True)
    except ValueError as error:
        raise DataError("data", "texts", f"{where}, is no JSON: {error}") from error
    if not isinstance(row, dict):
        way = f'each line is one row: {{"{columns.text}": ..., "{columns.label}": ...}}'
        raise DataError("data", "texts", f"{where}, is no JSON object", way)
    return row


def _parquet(file: Path) -> Any:
    try:
        from pyarrow import parquet
    except ImportError as error:
        message = f"{file.name} is Parquet, which needs pyarrow: pip install 'lorakit[data]'"
        raise DataError("data", "texts", message) from error
    try:
        return parquet.read_table(file)
    except Exception as error:
        raise DataError("data", "texts", f"{file.name} cannot be read: {error}") from error


def _picked(
    rows: Iterable[Mapping[str, Any]], source: DataSource, name: str
) -> Iterator[tuple[str, object]]:
    text, label = source.columns.text, source.columns.label
    lacking: dict[str, list[str]] = {}
    for number, row in enumerate(rows, 1):
        if text not in row or label not in row:
            _check_columns(tuple(row), source, name)
        missing = _missing(row[text], row[label])
        if missing:
            lacking.setdefault(missing, []).append(f"{number:,}")
        yield str(row[text]), row[label]
    if lacking:
        told = [
            f"row {found[0]} has {missing}"
            if len(found) == 1
            else f"rows {names.enumerated(found, _SHOWN)} have {missing}"
            for missing, found in lacking.items()
        ]
        one = sum(map(len, lacking.values())) == 1
        raise DataError(
            "empty-row",
            "texts",
            f"{name}: {'; '.join(told)}",
            "remove the row, or fill it in" if one else "remove the rows, or fill them in",
        )


def _missing(text: object, label: object) -> str:
    """What a row lacks, in words; empty where it has a text and a label."""
    if text is None or not str(text).strip() or (isinstance(text, float) and math.isnan(text)):
        return "no text"
    if isinstance(text, Mapping | list | bytes):
        return f"no text, but a {type(text).__name__}"
    if label is None or not str(label).strip():
        return "no label"
    if str(label).strip().casefold() in _NOTHING:
        return f"no label, but {str(label).strip() if isinstance(label, str) else 'NaN'}"
    if isinstance(label, Mapping | list | bytes):
        return f"no label, but a {type(label).__name__}"
    return ""


def _check_columns(there: Sequence[str], source: DataSource, name: str) -> None:
    wanted = (source.columns.text, source.columns.label)
    if len(there) == 2 and not set(wanted) & set(there) and Path(name).suffix in (".csv", ".tsv"):
        raise DataError(
            "missing-column",
            "columns.text",
            f"{name} has no columns {wanted[0]} and {wanted[1]}",
            f"it has {names.listed(there)}: write columns: {{text: ..., label: ...}} with these names; "
            "or, if its first line is a row already, write text,label above it",
        )
    for key, column in (("text", source.columns.text), ("label", source.columns.label)):
        check_column(key, column, there, name)


def _from_hub(source: DataSource, folder: Path) -> tuple[dict[str, list[Row]], tuple[str, ...]]:
    loaded = splits_of(folder, source)
    known: tuple[str, ...] = ()
    found: dict[str, list[Row]] = {}
    for name in map(str, loaded):
        if len(loaded) > 1 and name not in (source.split, source.test_split):
            found[name] = []  # it is there, and not read
            continue
        part = loaded[name]
        _check_columns(part.column_names, source, source.texts)
        feature = part.features[source.columns.label]
        known = tuple(getattr(feature, "names", known))  # a ClassLabel's
        part = part.select_columns([source.columns.text, source.columns.label])
        found[name] = list(_picked(part, source, source.texts))
    return found, known


def files_of(folder: Path) -> list[str]:
    """The files of a folder that decide what it holds."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in walk(folder)
        if path.is_file() and path.suffix.lower() in (*TABLES, ".txt", ".md", ".json")
    )
