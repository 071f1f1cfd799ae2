"""Pictures to train on: files, captions, sizes. Without torch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from lorakit import resources
from lorakit.facts.data.data_sets import HUB, DataError, complain, hub_copy
from lorakit.facts.files.digests import Digests
from lorakit.facts.pictures.found_pictures import SAME_WORDS, Found
from lorakit.facts.pictures.picture import Picture, PictureFacts
from lorakit.facts.pictures.picture_folders import MOST_CAPTION, from_folder, kohya_folder
from lorakit.facts.pictures.picture_memory import PictureMemory
from lorakit.facts.pictures.picture_tables import from_tables, in_tables
from lorakit.language.recipe.trainings import DataSource
from lorakit.store.canonical import digest_of
from lorakit.store.store import Store


def picture_facts(
    source: DataSource,
    digests: Digests,
    store: Store,
    *,
    download: bool = False,
    keep: bool = True,
    keep_rows: bool | None = None,
    wrong: list[DataError] | None = None,
) -> PictureFacts:
    """All pictures of a data set, in the order of their names.

    What stands in tables goes into `store`, or with `keep_rows` false nowhere; without `keep` files are not
    decoded. Where `wrong` is a list, what is wrong with some pictures is put there, and the others are found.
    Raises DataError, StoreError.
    """
    folder = folder_of(source, download=download)
    if folder is None:
        return PictureFacts(None)
    if not folder.is_dir():
        if folder.exists():
            way = "write the folder that it is in"
            raise DataError("data", "images", f"{source.images} is no folder", way)
        raise DataError("data", "images", f"there is no folder {source.images}")
    rows = in_tables(folder, source)
    memory = PictureMemory(store.folder / "pictures.json" if keep else None)
    found = (
        from_tables(
            folder, source, store, keep=keep if keep_rows is None else keep_rows, wrong=wrong
        )
        if rows
        else from_folder(folder, source, digests, memory, wrong)
    )
    memory.save()
    for error in (*_too_long(found), *_lacking(found, source, rows=rows)):
        complain(error, wrong)
    pictures = tuple(
        Picture(
            one.file,
            _caption(one, source),
            one.size,
            one.name,
            one.digest,
            one.mask,
            one.mask_digest,
            one.converted,
            one.repeats,
            one.several,
            one.caption,
        )
        for one in found
    )
    contents = [[p.digest, p.caption, p.mask_digest] for p in pictures]
    return PictureFacts(digest_of(contents), pictures)


def _too_long(found: Sequence[Found]) -> Iterator[DataError]:
    """What should be a caption and is a whole book: to count it would take long."""
    for one in found:
        if one.caption is not None and len(one.caption) > MOST_CAPTION:
            said = f"the caption of {one.name} has {len(one.caption):,} characters"
            yield DataError("data", "images", f"{said}, more than {MOST_CAPTION:,}", "shorten it")


def folder_of(source: DataSource, *, download: bool) -> Path | None:
    """The folder of a data set; None for one of the hub that is not here yet."""
    if source.images == "lorakit:hologram":
        return resources.path("data") / "hologram"
    if source.images.startswith(HUB):
        return hub_copy(source, download=download)
    return Path(source.images)


def _lacking(found: Sequence[Found], source: DataSource, *, rows: bool) -> Iterator[DataError]:
    """Pictures without a caption, where each is told its own."""
    if "{caption}" not in source.caption:
        return
    bare = [one.name if rows else one.file.name for one in found if one.caption is None]
    if not bare:
        return
    some = f"{bare[0]} has" if len(bare) == 1 else f"{len(bare)} pictures have"
    if rows:
        way = "fill in its row, or "
    elif source.images.startswith(HUB):
        way = "put its files in a folder, write images: that folder and captions beside them, or "
    elif kohya := next((f for o in found if kohya_folder(f := Path(o.name).parent.name)), ""):
        way = (
            f"put every picture into a folder called as {kohya} is, which then is its caption, or "
        )
    else:
        ending = source.caption_extension or ".txt"
        way = f"put {Path(bare[0]).stem}{ending} beside it, or a line in metadata.jsonl, or "
    yield DataError(
        "no-caption",
        "images",
        f"{some} no caption: {', '.join(bare[:4])}{' ...' if len(bare) > 4 else ''}",
        f"{way}{SAME_WORDS}",
    )


def has_word(caption: str, word: str) -> bool:
    """Whether a caption has a word, or several in a row, as words: an ox is in no fox."""
    found = re.search(rf"(?<!\w){re.escape(word.casefold())}(?!\w)", caption.casefold())
    return found is not None


def _caption(found: Found, source: DataSource) -> str:
    """What the model is told; the trigger word stands first where it is not in it."""
    caption = source.caption.replace("{caption}", found.caption or "").strip()
    word = source.trigger_word
    if not word or has_word(caption, word):
        return caption
    return f"{word}, {caption}" if caption else word
