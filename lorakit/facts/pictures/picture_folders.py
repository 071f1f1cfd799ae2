"""Pictures that are files: beside their captions, or listed in a metadata file. Without torch."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from lorakit.facts.data.data_sets import HUB, DataError, RowFaults, check_column, no_split
from lorakit.facts.data.separated import separated
from lorakit.facts.files.digests import Digests
from lorakit.facts.files.folders import entries, walk
from lorakit.facts.pictures.found_pictures import USUAL_CAPTIONS, Found
from lorakit.facts.pictures.open_picture import ENDINGS
from lorakit.facts.pictures.picture_memory import PictureMemory
from lorakit.files import open_text, parse_json, read_text
from lorakit.language.recipe.trainings import DataSource
from lorakit.language.yaml import names

# to pass over them would lose pictures
_UNREADABLE = {
    ".avif", ".heic", ".heif", ".jxl", ".jp2", ".j2k", ".psd", ".svg", ".tga", ".exr", ".hdr", ".dng", ".cr2",
    ".cr3", ".nef", ".arw", ".raw", ".eps", ".ppm", ".pgm", ".ico", ".pcx", ".xcf", ".kra",
}  # fmt: skip
_MASK = "-masklabel"  # OneTrainer's ending
_METADATA = ("metadata.jsonl", "metadata.csv")  # as Hugging Face's image folders have them
MOST_CAPTION = 100_000  # bytes: far more than any model reads
_CAPTIONS = (".txt", ".caption")  # beside pictures, where no other ending is asked for
# as kohya's folders are called: 10_sks fox shows each of its pictures ten times, as a sks fox
_REPEATED = re.compile(r"([1-9][0-9]{0,2})_(.+)", re.DOTALL)


def from_folder(
    folder: Path, source: DataSource, digests: Digests, memory: PictureMemory
) -> list[Found]:
    """All pictures of a folder, in the order of their names. Raises DataError."""
    if "columns.image" in dict(source.places):
        raise DataError(
            "no-effect",
            "columns.image",
            f"columns.image has no effect on {_shown(folder, source)}: its pictures are files",
            "remove it",
        )
    part = _part(folder, source)
    every = _pictures(folder, part, source)
    masks = {f.with_name(f.stem.removesuffix(_MASK)): f for f in every if f.stem.endswith(_MASK)}
    files = [f for f in every if not f.stem.endswith(_MASK)]
    if not files:
        endings = ", ".join(ENDINGS)
        raise DataError("data", "images", f"{_shown(folder, source)} holds no pictures ({endings})")
    digest = {file: digests.file(file) for file in every}
    headers = memory.headers([(file, digest[file], str(file)) for file in every])
    header = dict(zip(every, headers, strict=True))
    listed, repeated = _listed(folder, source), _repeated(files, part)
    beside = _all_beside(files, source)
    if "caption_extension" in dict(source.places) and not any(beside.values()):
        raise DataError(
            "no-effect",
            "caption_extension",
            f"no picture of {_shown(folder, source)} has a {source.caption_extension} file beside it",
            _endings_there(part),
        )
    found = []
    faults = RowFaults()
    for file in files:
        name = file.relative_to(folder).as_posix()
        repeats, words = repeated.get(file.parent, (1, ""))
        row = listed.get(name)
        if row and beside[file] and " ".join(row.split()) != beside[file]:
            faults.tried(partial(_check_meant, file, source))
        mask = masks.get(file.with_suffix(""), file if header[file].clear else None)
        found.append(
            Found(
                name,
                file,
                digest[file],
                header[file].size,
                beside[file] or row or words or None,
                mask,
                digest[mask] if mask is not None else "",
                header[file].converted,
                repeats,
                header[file].several,
            )
        )
    faults.tell()
    return found


def holds_pictures(folder: Path) -> bool:
    """Whether any file is a picture."""
    return any(f.suffix.lower() in ENDINGS for f in walk(folder))


def _pictures(folder: Path, part: Path, source: DataSource) -> list[Path]:
    """The files that are to be pictures. Raises DataError where one would be passed over."""
    others = [f for f in walk(part) if f.suffix.lower() in _UNREADABLE]
    if others:
        endings = names.listed(sorted({f.suffix.lower() for f in others}))
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        raise DataError(
            "data",
            "images",
            f"{others[0].name}{more} would not be trained on: {endings} files are not read",
            f"convert it to one of {', '.join(ENDINGS)}, or move it out of {_shown(folder, source)}",
        )
    every = [f for f in walk(part) if f.suffix.lower() in ENDINGS]
    faults = RowFaults()
    for file in every:
        if not file.is_file():
            words = f"{file} is no file: a link to nothing, or a pipe"
            faults.note(DataError("data", "images", words, "remove it, or put the picture there"))
    faults.tell()
    return every


def kohya_folder(name: str) -> re.Match[str] | None:
    """A folder's name as kohya has them: how often, and as what, as in 10_sks fox."""
    return _REPEATED.fullmatch(name)


def _repeated(files: Sequence[Path], part: Path) -> dict[Path, tuple[int, str]]:
    """Repeats and words by folder, where all pictures lie in folders called as kohya's are."""
    folders = {file.parent for file in files}
    marks = {folder: kohya_folder(folder.name) for folder in folders}
    if not all(mark and folder.parent == part for folder, mark in marks.items()):
        return {}
    return {folder: (int(mark[1]), mark[2].strip()) for folder, mark in marks.items() if mark}


def _endings_there(part: Path) -> str:
    """Which files stand beside pictures, by their endings."""
    there = sorted({f.suffix for f in walk(part) if f.suffix and f.suffix.lower() not in ENDINGS})
    return f"there are {names.listed(there)} files" if there else "remove it"


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
        inside = [p.name for p in entries(folder) if p.is_dir() and holds_pictures(p)]
        raise no_split(source, "split", inside)
    return folder


def _listed(folder: Path, source: DataSource) -> dict[str, str]:
    """Captions by pictures' names, from metadata files."""
    found: dict[str, str] = {}
    columns: dict[str, None] = {}
    given = source.columns.caption
    usual = (given,) if given else USUAL_CAPTIONS
    faults = RowFaults()
    for file in (f for f in walk(folder) if f.name in _METADATA):
        here: dict[str, None] = {}
        for row in _rows(file):
            here |= dict.fromkeys(row)
            if "file_name" not in row:
                continue
            name = str(row["file_name"])
            place = faults.tried(partial(_place, file, name, folder, source))
            text = next((row[k] for k in usual if k in row), None)
            if place:
                where = f"{file.relative_to(folder)} of {_shown(folder, source)}"
                faults.tried(partial(_add, found, place, text, where))
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
    faults.tell()
    if given:
        check_column("caption", given, tuple(columns), _shown(folder, source))
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
    where = f"{file.relative_to(folder)} of {_shown(folder, source)}"
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
        f"{file.relative_to(folder)} of {_shown(folder, source)} names {name}, which is not there",
        names.did_you_mean(name, there) or "remove its row, or put the picture there",
    )


def _rows(file: Path) -> Iterator[Mapping[str, Any]]:
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


def _all_beside(files: Sequence[Path], source: DataSource) -> dict[Path, str]:
    """The words of the caption file beside each picture. Raises DataError with all that is wrong."""
    faults = RowFaults()
    found = {file: faults.tried(partial(_beside, file, source)) or "" for file in files}
    faults.tell()
    return found


def _beside(file: Path, source: DataSource) -> str:
    """The words of the caption file beside a picture; empty where there is none. Raises DataError."""
    endings = (source.caption_extension,) if source.caption_extension else _CAPTIONS
    there = [beside for end in endings if (beside := file.with_suffix(end)).is_file()]
    told = dict.fromkeys(_words(beside) for beside in there)
    if len(told) > 1:
        raise DataError(
            "data",
            "images",
            f"{there[0].name} and {there[1].name} say different things of {file.name}",
            f"say which is meant: caption_extension: {there[0].suffix}",
        )
    return next(iter(told), "")


def _check_meant(file: Path, source: DataSource) -> None:
    """Raise DataError where a metadata file says something else than the file beside a picture, unasked."""
    if "caption_extension" in dict(source.places):
        return
    beside = next(one for end in _CAPTIONS if (one := file.with_suffix(end)).is_file())
    raise DataError(
        "data",
        "images",
        f"{beside.name} and a row of metadata say different things of {file.name}",
        f"remove one of them, or say that files are meant: caption_extension: {beside.suffix}",
    )


def _words(file: Path) -> str:
    try:
        return " ".join(read_text(file, MOST_CAPTION).split())
    except UnicodeDecodeError as error:
        message = f"{file} is not written in UTF-8"
        raise DataError("data", "images", message, "save it as UTF-8") from error
    except OSError as error:
        raise DataError("data", "images", f"{file} cannot be read: {error}") from error
