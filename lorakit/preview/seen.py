"""A data set looked at: pictures or texts, and what stands in the way of either."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lorakit.diagnostics import Diagnostic, InvalidDocument
from lorakit.facts.data.data_sets import DataError
from lorakit.preview.looks import Look, unplaced
from lorakit.preview.seen_pictures import SeenPictures, seen_pictures
from lorakit.preview.seen_texts import SeenTexts, seen_texts
from lorakit.preview.thumbnails import Progress

Seen = SeenPictures | SeenTexts


def see(look: Look, thumbnails: Path, progress: Progress, *, download: bool = False) -> Seen:
    """Look at a data set; thumbnails of pictures go into a folder. Raises InvalidDocument, LorakitError."""
    try:
        if look.source.texts:
            seen: Seen = seen_texts(look, progress, download=download)
        else:
            seen = seen_pictures(look, thumbnails, progress, download=download)
    except DataError as error:
        every = (error, *error.others)
        found = [unplaced(_finding(one, look), look.unwritten) for one in every]
        raise InvalidDocument(found) from error
    except InvalidDocument as error:
        raise InvalidDocument(
            [unplaced(one, look.unwritten) for one in error.diagnostics]
        ) from error
    return replace(seen, findings=tuple(unplaced(one, look.unwritten) for one in seen.findings))


def _finding(error: DataError, look: Look) -> Diagnostic:
    place = look.source.where(error.key)
    hints = (error.hint,) if error.hint else ()
    return Diagnostic(error.code, error.message, place, look.project.excerpt(place), hints)
