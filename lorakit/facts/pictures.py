"""Pictures to train on: files, captions, sizes. Without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lorakit import resources
from lorakit.facts.digests import Digests
from lorakit.facts.text_files import DataError
from lorakit.language.trainings import DataSource
from lorakit.store.canonical import digest_of

_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
_ORIENTATION = 274  # EXIF's tag; 5 to 8 stand on their side


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: its file, what the model is told of it, (width, height) in px as it is seen."""

    file: Path
    caption: str
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """A data set of pictures; `digest` is of files' contents and captions."""

    digest: str
    pictures: tuple[Picture, ...]


def picture_facts(source: DataSource, digests: Digests) -> PictureFacts:
    """All pictures of a folder, in the order of their names. Raises DataError."""
    folder = Path(source.images)
    if source.images == "lorakit:hologram":
        folder = resources.path("data") / "hologram"
    if not folder.is_dir():
        raise DataError("data", "images", f"there is no folder {source.images}")
    files = sorted(f for f in folder.rglob("*") if f.suffix.lower() in _ENDINGS)
    if not files:
        endings = ", ".join(_ENDINGS)
        raise DataError("data", "images", f"{folder} holds no pictures ({endings})")
    listed = _listed(folder)
    own = {file: _own_caption(file, folder, listed) for file in files}
    bare = [file.name for file in files if own[file] is None]
    if bare and "{caption}" in source.caption:
        some = f"{bare[0]} has" if len(bare) == 1 else f"{len(bare)} pictures have"
        raise DataError(
            "no-caption",
            "images",
            f"{some} no caption: {', '.join(bare[:4])}{' ...' if len(bare) > 4 else ''}",
            f"put {Path(bare[0]).stem}.txt beside it, or a line in metadata.jsonl, "
            "or give all the same words, without {caption}: caption: a picture in my style",
        )
    pictures = tuple(
        Picture(file, source.caption.replace("{caption}", own[file] or "").strip(), _size(file))
        for file in files
    )
    contents = [[digests.file(p.file), p.caption] for p in pictures]
    return PictureFacts(digest_of(contents), pictures)


def _listed(folder: Path) -> dict[str, str]:
    """Captions from metadata.jsonl, as Hugging Face's image folders have them."""
    file = folder / "metadata.jsonl"
    if not file.is_file():
        return {}
    found: dict[str, str] = {}
    number = 0
    try:
        for line in file.read_text("utf-8-sig").splitlines():
            number += 1
            row: Mapping[str, Any] = json.loads(line) if line.strip() else {}
            text = next((row[k] for k in ("text", "caption", "prompt") if k in row), None)
            if "file_name" in row and isinstance(text, str):
                found[str(row["file_name"])] = text
    except (OSError, ValueError) as error:
        raise DataError("data", "images", f"{file}, line {number}: {error}") from error
    return found


def _own_caption(file: Path, folder: Path, listed: Mapping[str, str]) -> str | None:
    beside = file.with_suffix(".txt")
    if beside.is_file():
        try:
            text = " ".join(beside.read_text("utf-8-sig").split())
        except (OSError, UnicodeDecodeError) as error:
            raise DataError("data", "images", f"{beside} cannot be read: {error}") from error
        return text or None
    return listed.get(file.relative_to(folder).as_posix()) or None


def _size(file: Path) -> tuple[int, int]:
    from PIL import Image

    try:
        with Image.open(file) as picture:
            width, height = picture.size
            turned = picture.getexif().get(_ORIENTATION, 1) >= 5
    except OSError as error:
        raise DataError("data", "images", f"{file} cannot be opened: {error}") from error
    return (height, width) if turned else (width, height)
