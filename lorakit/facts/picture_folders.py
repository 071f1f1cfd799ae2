"""Pictures that are files: beside their captions, or listed in a metadata file. Without torch."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lorakit.facts.data_sets import HUB, DataError, check_column, no_split
from lorakit.facts.digests import Digests
from lorakit.facts.found_pictures import USUAL_CAPTIONS, Found, look_at
from lorakit.language.recipe.trainings import DataSource
from lorakit.language.yaml import names

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif")
_UNREADABLE = (
    ".avif",
    ".heic",
    ".heif",
    ".jxl",
    ".psd",
    ".svg",
)  # to pass over them would lose pictures
_MASK = "-masklabel"  # OneTrainer's ending
_METADATA = ("metadata.jsonl", "metadata.csv")  # as Hugging Face's image folders have them


def from_folder(folder: Path, source: DataSource, digests: Digests) -> list[Found]:
    """All pictures of a folder, in the order of their names. Raises DataError."""
    if "columns.image" in dict(source.places):
        raise DataError(
            "no-effect",
            "columns.image",
            f"columns.image has no effect on {_shown(folder, source)}: its pictures are files",
            "remove it",
        )
    part = _part(folder, source)
    others = [f for f in sorted(part.rglob("*")) if f.suffix.lower() in _UNREADABLE]
    if others:
        raise DataError(
            "data",
            "images",
            f"{others[0].name} would not be trained on: {others[0].suffix} files are not read",
            f"convert it to one of {', '.join(ENDINGS)}, or move it out of {folder}",
        )
    every = sorted(f for f in part.rglob("*") if f.suffix.lower() in ENDINGS)
    masks = {f.with_name(f.stem.removesuffix(_MASK)): f for f in every if f.stem.endswith(_MASK)}
    files = [f for f in every if not f.stem.endswith(_MASK)]
    if not files:
        endings = ", ".join(ENDINGS)
        raise DataError("data", "images", f"{_shown(folder, source)} holds no pictures ({endings})")
    listed = _listed(folder, source)
    found = []
    for file in files:
        name = file.relative_to(folder).as_posix()
        size, clear = look_at(file, str(file))
        mask = masks.get(file.with_suffix(""), file if clear else None)
        found.append(
            Found(
                name,
                file,
                digests.file(file),
                size,
                _beside(file) or listed.get(name) or None,
                mask,
                digests.file(mask) if mask is not None else "",
            )
        )
    return found


def holds_pictures(folder: Path) -> bool:
    """Whether any file is a picture."""
    return any(f.suffix.lower() in ENDINGS for f in folder.rglob("*"))


def _shown(folder: Path, source: DataSource) -> str:
    return source.images if source.images.startswith(HUB) else str(folder)


def _part(folder: Path, source: DataSource) -> Path:
    """The split's own folder; all of it where there is none, and none was asked for."""
    asked = "split" in dict(source.places)
    places = (folder / source.split, folder / "data" / source.split)
    there = next((place for place in places if place.is_dir()), None)
    if there and (asked or source.images.startswith(HUB)):
        return there
    if asked:
        inside = sorted(p.name for p in folder.iterdir() if p.is_dir() and holds_pictures(p))
        raise no_split(source, "split", inside)
    return folder


def _listed(folder: Path, source: DataSource) -> dict[str, str]:
    """Captions by pictures' names, from metadata files."""
    found: dict[str, str] = {}
    columns: dict[str, None] = {}
    given = source.columns.caption
    usual = (given,) if given else USUAL_CAPTIONS
    for file in sorted(f for f in folder.rglob("metadata.*") if f.name in _METADATA):
        here: dict[str, None] = {}
        for row in _rows(file):
            here |= dict.fromkeys(row)
            if "file_name" not in row:
                continue
            place = file.parent.relative_to(folder) / str(row["file_name"])
            if not (folder / place).is_file():
                raise _no_picture(file, str(row["file_name"]), folder, source)
            text = next((row[k] for k in usual if k in row), None)
            if isinstance(text, str):
                found[place.as_posix()] = text.strip()
        if here and "file_name" not in here:
            near = names.nearest("file_name", here)
            raise DataError(
                "data",
                "images",
                f"{file.relative_to(folder)} of {_shown(folder, source)} names no pictures: "
                "it has no file_name",
                f"did you mean file_name by {near}?" if near else f"it has {names.listed(here)}",
            )
        columns |= here
    if given:
        check_column("caption", given, tuple(columns), _shown(folder, source))
    return found


def _no_picture(file: Path, name: str, folder: Path, source: DataSource) -> DataError:
    """What is wrong where a row names a picture that is not there."""
    there = [
        f.relative_to(file.parent).as_posix()
        for f in sorted(file.parent.rglob("*"))
        if f.suffix.lower() in ENDINGS
    ]
    return DataError(
        "data",
        "images",
        f"{file.relative_to(folder)} of {_shown(folder, source)} names {name}, which is not there",
        names.did_you_mean(name, there) or "remove its row, or put the picture there",
    )


def _rows(file: Path) -> Iterator[Mapping[str, Any]]:
    number = 0
    try:
        with file.open(encoding="utf-8-sig", newline="") as handle:
            if file.suffix == ".csv":
                reader = csv.DictReader(handle)
                for row in reader:
                    number = reader.line_num
                    yield row
                return
            for number, line in enumerate(handle, 1):
                row = json.loads(line) if line.strip() else {}
                if not isinstance(row, dict):
                    raise DataError("data", "images", f"{file}, line {number}, is no JSON object")
                yield row
    except (OSError, ValueError, csv.Error) as error:
        raise DataError("data", "images", f"{file}, line {number}: {error}") from error


def _beside(file: Path) -> str:
    beside = file.with_suffix(".txt")
    if not beside.is_file():
        return ""
    try:
        return " ".join(beside.read_text("utf-8-sig").split())
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("data", "images", f"{beside} cannot be read: {error}") from error
