"""Caption files for pictures that have none: written beside them, and never over anything."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from lorakit.diagnostics import LorakitError
from lorakit.facts.data.data_sets import HUB, LORAKIT
from lorakit.facts.gather import inside
from lorakit.facts.pictures.picture import Picture
from lorakit.facts.pictures.picture_folders import CAPTIONS
from lorakit.files import check_root
from lorakit.language.yaml import names
from lorakit.plan import numbers
from lorakit.preview.looks import Look, in_words
from lorakit.preview.seen_pictures import found_pictures
from lorakit.records import record

# what cameras, phones and downloads call pictures: nothing in it is of what they show
_CAMERAS = re.compile(
    r"(?:img|dsc[fn]?|pict?|pxl|mvimg|image|photo|picture|screenshot|scan|unnamed|untitled|download|copy|frame|"
    r"whatsapp|mov|vid|gopr|dji|sam|cimg|at|of)",
    re.IGNORECASE,
)
# numbers, sizes, digests
_NUMBERS = re.compile(r"[0-9]+|[0-9]+x[0-9]+|(?=.*[0-9])[0-9a-fA-F]{6,}")


@record
class WrittenCaptions:
    """What was written: (file, words). `left` are files that were there and hold no words."""

    files: tuple[tuple[Path, str], ...]
    left: tuple[Path, ...] = ()
    had: int = 0


def holds_files(look: Look) -> bool:
    """Whether a look is of pictures in a folder of the user's own."""
    images = look.source.images
    return bool(images) and not images.startswith((HUB, LORAKIT))


def write_captions(look: Look, words: str) -> WrittenCaptions:
    """Write `words` beside each picture that has no caption; {caption} in them is the picture's name.

    Without `words` it is what the file is called, or the trigger word where that says nothing. All texts are
    settled before the first is written. Raises LorakitError, where pictures stand in tables or a name says
    nothing too.
    """
    if not look.source.images:
        raise LorakitError("--write-captions is for pictures, and these are texts")
    if not holds_files(look):
        raise LorakitError(
            f"{look.source.images} is not yours to write into: copy its files into a folder, and name that"
        )
    with in_words(look):
        pictures = found_pictures(look, wrong=[]).pictures
    bare = [one for one in pictures if one.own is None]
    if bare and bare[0].file.suffix == "":  # an object of the store
        raise LorakitError("these pictures stand in a table: fill in its column of captions")
    ending = look.source.caption_extension or CAPTIONS[0]
    # a file that is there holds no words, and is the user's all the same
    left = [file for one in bare if (file := one.file.with_suffix(ending)).exists()]
    bare_of_all = [one for one in bare if one.file.with_suffix(ending) not in left]
    texts = _texts(bare_of_all, words or look.source.trigger_word, ending, by_name=not words)
    written = []
    with inside(look.project, look.reads):
        for file, text in texts.items():
            try:
                check_root(file)
                with file.open("x", encoding="utf-8", newline="\n") as handle:
                    handle.write(f"{text}\n")
            except FileExistsError:
                left.append(file)
                continue
            except OSError as error:
                raise LorakitError(
                    f"{file} cannot be written: {error.strerror or error}"
                ) from error
            written.append((file, text))
    return WrittenCaptions(tuple(written), tuple(left), len(pictures) - len(bare))


def _texts(bare: Sequence[Picture], words: str, ending: str, *, by_name: bool) -> dict[Path, str]:
    """The text of each file that is to be written."""
    found: dict[Path, str] = {}
    silent = []
    for one in bare:
        name = words_of_name(one.file.stem)
        text = (name or words) if by_name else words.replace("{caption}", name)
        text = " ".join(text.split()).strip(" ,")
        if not text or (not by_name and not name and "{caption}" in words):
            silent.append(one.file.name)
        found.setdefault(one.file.with_suffix(ending), text)
    if silent:
        single = len(silent) == 1
        way = '--caption "a photo of a fox"' if by_name else "a --caption without {caption}"
        raise LorakitError(
            f"the name{'' if single else 's'} of {numbers.count(len(silent), 'picture')} "
            f"say{'s' if single else ''} nothing of what {'it shows' if single else 'they show'} "
            f"({names.enumerated(silent, 4)}): give the words, {way}; nothing was written"
        )
    return found


def words_of_name(stem: str) -> str:
    """What a file's name says of its picture: red_fox-03 is a red fox; IMG_2041 says nothing."""
    parts = [part for part in re.split(r"[\s_.\-()\[\]+,]+", stem) if part]
    told = [re.sub(r"(?<=\D)[0-9]+\Z", "", part) for part in parts if not _NUMBERS.fullmatch(part)]
    silent = all(_CAMERAS.fullmatch(part) or (len(part) == 1 and part.isascii()) for part in told)
    return "" if silent else " ".join(told)
