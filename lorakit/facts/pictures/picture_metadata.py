"""Captions of pictures that are files, from the metadata files that lie with them. Without torch."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from lorakit.facts.data.data_sets import (
    DataError,
    RowFaults,
    check_column,
    complain,
    shown_folder,
)
from lorakit.facts.data.separated import separated
from lorakit.facts.files.folders import walk
from lorakit.facts.pictures.found_pictures import USUAL_CAPTIONS
from lorakit.facts.pictures.open_picture import ENDINGS
from lorakit.files import open_text, parse_json
from lorakit.language.recipe.trainings import DataSource
from lorakit.language.yaml import names

METADATA = ("metadata.jsonl", "metadata.csv")  # as Hugging Face's image folders have them


def listed_captions(
    folder: Path, source: DataSource, wrong: list[DataError] | None = None
) -> dict[str, str]:
    """Captions by pictures' names, from metadata files. Raises DataError, or puts it into `wrong`."""
    found: dict[str, str] = {}
    columns: dict[str, None] = {}
    given = source.columns.caption
    usual = (given,) if given else USUAL_CAPTIONS
    faults = RowFaults(wrong)
    for file in (f for f in walk(folder) if f.name in METADATA):
        here: dict[str, None] = {}
        for row in _rows(file, wrong):
            here |= dict.fromkeys(row)
            if "file_name" not in row:
                continue
            name = str(row["file_name"])
            place = faults.tried(partial(_place, file, name, folder, source))
            text = next((row[k] for k in usual if k in row), None)
            if place:
                where = f"{file.relative_to(folder)} of {shown_folder(folder, source)}"
                faults.tried(partial(_add, found, place, text, where))
        if here and "file_name" not in here:
            near = names.nearest("file_name", here)
            error = DataError(
                "data",
                "images",
                f"{file.relative_to(folder)} of {shown_folder(folder, source)} names no pictures: "
                "it has no file_name",
                f"did you mean file_name by {near}?" if near else f"it has {names.listed(here)}",
            )
            complain(error, wrong)
        columns |= here
    faults.tell()
    if given:
        check_column("caption", given, tuple(columns), shown_folder(folder, source))
    return found


def _add(found: dict[str, str], place: str, text: object, where: str) -> None:
    """Note what a row says of a picture. Raises DataError where that is no text, or another row's differs."""
    # NaN is what tables' libraries write where there was none
    if text is None or (isinstance(text, float) and math.isnan(text)):
        return
    if not isinstance(text, str):
        raise DataError(
            "data",
            "images",
            f"{where} says of {place} what is no text: {str(text)[:40]}",
            "put it in quotes, or name another column: columns: {caption: ...}",
        )
    words = text.strip()
    if words.casefold() == "nan":
        return
    if found.get(place, words) != words:
        raise DataError(
            "data",
            "images",
            f"{where} has two rows of {place}, which say different things",
            "remove one of them",
        )
    found[place] = words


def _place(file: Path, name: str, folder: Path, source: DataSource) -> str:
    """The picture that a row of a metadata file names, by its path in the folder. Raises DataError."""
    path = Path(os.path.normpath(file.parent / name))
    where = f"{file.relative_to(folder)} of {shown_folder(folder, source)}"
    if not path.is_relative_to(os.path.normpath(folder)):
        raise DataError(
            "data",
            "images",
            f"{where} names {name}, which is outside the folder, and would not be trained on",
            "put the picture into the folder, or name the folder above both",
        )
    if not path.is_file():
        raise _no_picture(file, name, folder, source)
    if path.suffix.lower() not in ENDINGS:
        raise DataError(
            "data",
            "images",
            f"{where} names {name}, which would not be trained on: its ending is of no picture",
            f"pictures end in {', '.join(ENDINGS)}; remove its row, or convert it",
        )
    return path.relative_to(os.path.normpath(folder)).as_posix()


def _no_picture(file: Path, name: str, folder: Path, source: DataSource) -> DataError:
    """What is wrong where a row names a picture that is not there."""
    there = [
        f.relative_to(file.parent).as_posix()
        for f in walk(file.parent)
        if f.suffix.lower() in ENDINGS
    ]
    return DataError(
        "data",
        "images",
        f"{file.relative_to(folder)} of {shown_folder(folder, source)} names {name}, which is not there",
        names.did_you_mean(name, there) or "remove its row, or put the picture there",
    )


def _rows(file: Path, wrong: list[DataError] | None) -> Iterator[Mapping[str, Any]]:
    try:
        yield from _read_rows(file)
    except DataError as error:
        complain(error, wrong)


def _read_rows(file: Path) -> Iterator[Mapping[str, Any]]:
    number = 0
    try:
        if file.suffix == ".csv":
            yield from separated(file, "images", {"file_name"})
            return
        with open_text(file, newline="") as handle:
            for number, line in enumerate(handle, 1):
                row = parse_json(line, constants=True) if line.strip() else {}
                if not isinstance(row, dict):
                    message = f"{file}, line {number}, is no JSON object"
                    way = 'each line is one row: {"file_name": "a.png", "text": "a fox"}'
                    raise DataError("data", "images", message, way)
                yield row
    except (OSError, ValueError) as error:
        raise DataError("data", "images", f"{file}, line {number}: {error}") from error
