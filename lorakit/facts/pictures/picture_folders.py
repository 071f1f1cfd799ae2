"""Pictures that are files: beside their captions, or listed in a metadata file. Without torch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from lorakit.facts.data.data_sets import (
    HUB,
    DataError,
    RowFaults,
    complain,
    no_split,
    shown_folder,
)
from lorakit.facts.files.digests import Digests
from lorakit.facts.files.folders import entries, walk
from lorakit.facts.pictures.found_pictures import Found
from lorakit.facts.pictures.open_picture import ENDINGS
from lorakit.facts.pictures.picture_memory import PictureMemory
from lorakit.facts.pictures.picture_metadata import listed_captions
from lorakit.files import read_text
from lorakit.language.recipe.trainings import DataSource
from lorakit.language.yaml import names

# what folders of a data set's splits are called: the hub's `imagefolder` reads these names
TRAINING_FOLDER = "train"
HELD_OUT_FOLDERS = frozenset({"test", "validation", "val", "valid", "dev", "eval"})
# to pass over them would lose pictures
UNREADABLE = {
    ".avif", ".heic", ".heif", ".jxl", ".jp2", ".j2k", ".psd", ".svg", ".tga", ".exr", ".hdr", ".dng", ".cr2",
    ".cr3", ".nef", ".arw", ".raw", ".eps", ".ppm", ".pgm", ".ico", ".pcx", ".xcf", ".kra",
}  # fmt: skip
MASK = "-masklabel"  # OneTrainer's ending
MOST_CAPTION = 100_000  # bytes: far more than any model reads
CAPTIONS = (".txt", ".caption")  # beside pictures, where no other ending is asked for
# as kohya's folders are called: 10_sks fox shows each of its pictures ten times, as a sks fox
_REPEATED = re.compile(r"([1-9][0-9]{0,2})_(.+)", re.DOTALL)


def from_folder(
    folder: Path,
    source: DataSource,
    digests: Digests,
    memory: PictureMemory,
    wrong: list[DataError] | None = None,
) -> list[Found]:
    """All pictures of a folder, in the order of their names. Raises DataError.

    Where `wrong` is a list, what is wrong with some of them is put there, and the others are found.
    """
    if "columns.image" in dict(source.places):
        raise DataError(
            "no-effect",
            "columns.image",
            f"columns.image has no effect on {shown_folder(folder, source)}: its pictures are files",
            "remove it",
        )
    part = part_of(folder, source)
    every = _pictures(folder, part, source, wrong)
    masks = {f.with_name(f.stem.removesuffix(MASK)): f for f in every if f.stem.endswith(MASK)}
    files = [f for f in every if not f.stem.endswith(MASK)]
    if not files:
        endings = ", ".join(ENDINGS)
        error = DataError(
            "data", "images", f"{shown_folder(folder, source)} holds no pictures ({endings})"
        )
        error.others = tuple(wrong or ())
        raise error
    digest = {file: digests.file(file) for file in every}
    headers = memory.headers([(file, digest[file], str(file)) for file in every], wrong)
    header = {file: one for file, one in zip(every, headers, strict=True) if one is not None}
    listed, repeated = listed_captions(folder, source, wrong), _repeated(files, part)
    beside = _all_beside(files, source, wrong)
    if "caption_extension" in dict(source.places) and not any(beside.values()):
        error = DataError(
            "no-effect",
            "caption_extension",
            f"no picture of {shown_folder(folder, source)} has a {source.caption_extension} file beside it",
            _endings_there(part),
        )
        complain(error, wrong)
    found = []
    faults = RowFaults(wrong)
    for file in (file for file in files if file in header):
        name = file.relative_to(folder).as_posix()
        repeats, words = repeated.get(file.parent, (1, ""))
        row = listed.get(name)
        if row and beside[file] and " ".join(row.split()) != beside[file]:
            faults.tried(partial(_check_meant, file, source))
        mask = masks.get(file.with_suffix(""), file if header[file].clear else None)
        mask = mask if mask in header else None
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


def _pictures(
    folder: Path, part: Path, source: DataSource, wrong: list[DataError] | None
) -> list[Path]:
    """The files that are to be pictures. Raises DataError where one would be passed over."""
    others = [f for f in walk(part) if f.suffix.lower() in UNREADABLE]
    if others:
        endings = names.listed(sorted({f.suffix.lower() for f in others}))
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        error = DataError(
            "data",
            "images",
            f"{others[0].name}{more} would not be trained on: {endings} files are not read",
            f"convert it to one of {', '.join(ENDINGS)}, or move it out of {shown_folder(folder, source)}",
        )
        complain(error, wrong)
    every = [f for f in walk(part) if f.suffix.lower() in ENDINGS]
    faults = RowFaults(wrong)
    for file in every:
        if not file.is_file():
            words = f"{file} is no file: a link to nothing, or a pipe"
            faults.note(DataError("data", "images", words, "remove it, or put the picture there"))
    faults.tell()
    return [file for file in every if file.is_file()]


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


def part_of(folder: Path, source: DataSource) -> Path:
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


def _all_beside(
    files: Sequence[Path], source: DataSource, wrong: list[DataError] | None
) -> dict[Path, str]:
    """The words of the caption file beside each picture. Raises DataError with all that is wrong."""
    faults = RowFaults(wrong)
    found = {file: faults.tried(partial(_beside, file, source)) or "" for file in files}
    faults.tell()
    return found


def _beside(file: Path, source: DataSource) -> str:
    """The words of the caption file beside a picture; empty where there is none. Raises DataError."""
    there = [b for end in caption_endings(source) if (b := file.with_suffix(end)).is_file()]
    told = dict.fromkeys(_words(beside) for beside in there)
    if len(told) > 1:
        raise DataError(
            "data",
            "images",
            f"{there[0].name} and {there[1].name} say different things of {file.name}",
            f"say which is meant: caption_extension: {there[0].suffix}",
        )
    return next(iter(told), "")


def caption_endings(source: DataSource) -> tuple[str, ...]:
    """How the files of captions beside pictures end."""
    return (source.caption_extension,) if source.caption_extension else CAPTIONS


def _check_meant(file: Path, source: DataSource) -> None:
    """Raise DataError where a metadata file says something else than the file beside a picture, unasked."""
    if "caption_extension" in dict(source.places):
        return
    beside = next(one for end in CAPTIONS if (one := file.with_suffix(end)).is_file())
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
