"""A data set looked at: pictures or texts, and what stands in the way of either."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lorakit.preview.looks import Look, in_words, unplaced
from lorakit.preview.seen_pictures import SeenPictures, seen_pictures
from lorakit.preview.seen_texts import SeenTexts, seen_texts
from lorakit.preview.thumbnails import Progress

Seen = SeenPictures | SeenTexts


def see(look: Look, thumbnails: Path, progress: Progress, *, download: bool = False) -> Seen:
    """Look at a data set; thumbnails of pictures go into a folder. Raises InvalidDocument, LorakitError."""
    with in_words(look):
        if look.source.texts:
            seen: Seen = seen_texts(look, progress, download=download)
        else:
            seen = seen_pictures(look, thumbnails, progress, download=download)
    return replace(seen, findings=tuple(unplaced(one, look.unwritten) for one in seen.findings))
