"""What a training on a folder of pictures never sees of it, and why: each file, in the order of paths."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from lorakit.facts.files.folders import left_behind
from lorakit.facts.pictures.open_picture import ENDINGS
from lorakit.facts.pictures.picture_folders import (
    CAPTIONS,
    MASK,
    UNREADABLE,
    caption_endings,
    part_of,
)
from lorakit.facts.pictures.picture_metadata import METADATA
from lorakit.language.recipe.trainings import DataSource
from lorakit.language.yaml import names

LEFT_BEHIND = "left there by a system or a program"
NOT_READ = "such files are not read"
NO_PICTURE = "no picture is called so: the caption is of nothing"


class PassedOver(NamedTuple):
    """A file of a data set, by its path in there, and why nothing is learnt from it."""

    name: str
    why: str


def passed_over(folder: Path, source: DataSource, used: Collection[Path]) -> Iterator[PassedOver]:
    """Yield what is passed over in a folder whose pictures in `used` are taken. Raises DataError."""
    part = part_of(folder, source)
    stems = {file.with_suffix("") for file in used}
    masked = {file.with_name(f"{file.stem}{MASK}") for file in used}
    endings = caption_endings(source)
    hidden: set[Path] = set()
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        junk = next((n for n, name in enumerate(inside.parts) if left_behind(name)), None)
        if junk is not None:
            top = Path(*inside.parts[: junk + 1])
            if top not in hidden:
                hidden.add(top)
                whole = "/" if (folder / top).is_dir() else ""
                yield PassedOver(f"{top.as_posix()}{whole}", LEFT_BEHIND)
            continue
        if path.is_dir():
            if path.is_symlink():
                yield PassedOver(f"{inside.as_posix()}/", "links to folders are not followed")
            continue
        why = _why(path, part, source, used, stems, masked, endings)
        if why:
            yield PassedOver(inside.as_posix(), why)


def _why(
    path: Path,
    part: Path,
    source: DataSource,
    used: Collection[Path],
    stems: Collection[Path],
    masked: Collection[Path],
    endings: Collection[str],
) -> str:
    """Why a file is passed over; empty where it is not."""
    if path in used or path.name in METADATA:
        return ""
    if not path.is_relative_to(part):
        return f"it is not of the split {source.split}"
    ending, stem = path.suffix.lower(), path.with_suffix("")
    if ending in UNREADABLE:
        return f"{ending} files are not read: convert it"
    if ending in ENDINGS:
        return "" if stem in masked else "it cannot be read"
    if path.suffix in endings:
        return "" if stem in stems else NO_PICTURE
    if path.suffix in CAPTIONS:
        return f"captions are read from {names.listed(list(endings))} files"
    return NOT_READ
