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

_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif")
_UNREADABLE = (
    ".avif",
    ".heic",
    ".heif",
    ".jxl",
    ".psd",
    ".svg",
)  # to pass over them would lose pictures
_MASK = "-masklabel"  # OneTrainer's ending
_ORIENTATION = 274  # EXIF's tag; 5 to 8 stand on their side


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: its file, what the model is told of it, (width, height) in px as it is seen.

    `name` is its path inside its data set, `digest` of its bytes. `mask` is a picture whose white parts
    are learnt from, or the picture itself where it is transparent in parts; None for none.
    """

    file: Path
    caption: str
    size: tuple[int, int]
    name: str = ""
    digest: str = ""
    mask: Path | None = None
    mask_digest: str = ""


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
    if source.images.startswith("hub:"):
        name = source.images.removeprefix("hub:")
        raise DataError(
            "data",
            "images",
            f"pictures are read from folders, and {source.images} is on the hub",
            f"download it, hf download --repo-type dataset {name} --local-dir pictures, and write "
            "images: pictures",
        )
    if not folder.is_dir():
        raise DataError("data", "images", f"there is no folder {source.images}")
    others = [f for f in sorted(folder.rglob("*")) if f.suffix.lower() in _UNREADABLE]
    if others:
        raise DataError(
            "data",
            "images",
            f"{others[0].name} would not be trained on: {others[0].suffix} files are not read",
            f"convert it to one of {', '.join(_ENDINGS)}, or move it out of {folder}",
        )
    every = sorted(f for f in folder.rglob("*") if f.suffix.lower() in _ENDINGS)
    masks = {f.with_name(f.stem.removesuffix(_MASK)): f for f in every if f.stem.endswith(_MASK)}
    files = [f for f in every if not f.stem.endswith(_MASK)]
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
    pictures = []
    for file in files:
        caption = source.caption.replace("{caption}", own[file] or "").strip()
        size, clear = _look_at(file)
        mask = masks.get(file.with_suffix(""), file if clear else None)
        pictures.append(
            Picture(
                file,
                _triggered(caption, source.trigger_word),
                size,
                file.relative_to(folder).as_posix(),
                digests.file(file),
                mask,
                digests.file(mask) if mask is not None else "",
            )
        )
    contents = [[p.digest, p.caption, p.mask_digest] for p in pictures]
    return PictureFacts(digest_of(contents), tuple(pictures))


def _triggered(caption: str, word: str) -> str:
    """A caption with its trigger word, which stands first where the caption has not got it."""
    if not word or word.casefold() in caption.casefold():
        return caption
    return f"{word}, {caption}" if caption else word


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


def _look_at(file: Path) -> tuple[tuple[int, int], bool]:
    """(Width, height) as the picture is seen, and whether it may be transparent."""
    from PIL import Image

    try:
        with Image.open(file) as picture:
            width, height = picture.size
            turned = picture.getexif().get(_ORIENTATION, 1) >= 5
            clear = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    except (OSError, Image.DecompressionBombError) as error:
        raise DataError("data", "images", f"{file} cannot be opened: {error}") from error
    return ((height, width) if turned else (width, height)), clear
