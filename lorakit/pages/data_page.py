"""A data set as one page, before anything is trained on it."""

from __future__ import annotations

from pathlib import Path

from lorakit.pages.data_pictures import pictures_page
from lorakit.pages.data_texts import texts_page
from lorakit.pages.parts import Page
from lorakit.pages.render import render
from lorakit.preview.seen import Seen
from lorakit.preview.seen_pictures import SeenPictures
from lorakit.store import atomic
from lorakit.store.errors import StoreError, why


def page_of_data(seen: Seen) -> Page:
    """The page of a data set, whose thumbnails lie in a folder beside it. Pure."""
    return pictures_page(seen) if isinstance(seen, SeenPictures) else texts_page(seen)


def write_data_page(seen: Seen, target: Path) -> Path:
    """Write the page of a data set. Raises StoreError."""
    text = render(page_of_data(seen))
    try:
        atomic.write_bytes(target, text.encode("utf-8", "replace"), durable=False)
    except OSError as error:
        raise StoreError(f"{target} cannot be written: {why(error)}") from error
    return target
