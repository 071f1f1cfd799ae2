"""What can be done about pictures without a caption: three ways, each in words that can be typed."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lorakit.facts.data.data_sets import HUB
from lorakit.facts.pictures.found_pictures import USUAL_CAPTIONS
from lorakit.facts.pictures.picture_folders import CAPTIONS
from lorakit.preview.looks import Look

if TYPE_CHECKING:
    from collections.abc import Sequence


class Way(NamedTuple):
    """A way out: what it is called, and how it is gone."""

    name: str
    how: str


def ways(look: Look, lacking: Sequence[str], *, rows: bool) -> tuple[Way, Way, Way]:
    """A file beside each, a table of all, or the same words for every one."""
    source = look.source
    same = 'caption: "a picture in my style", without {caption}'
    here = ' (here --caption "a picture in my style" shows it)' if look.unwritten else ""
    words = Way("The same words for all", f"write {same}, for the data set{here}")
    if rows:
        usual = ", ".join(USUAL_CAPTIONS)
        return (
            Way("In the table", "fill in the rows that have none"),
            Way("Another column", f"name it, columns: {{caption: ...}}; else it is one of {usual}"),
            words,
        )
    if source.images.startswith(HUB):
        own = "put its files into a folder of yours, with a .txt beside each, and write images: that folder"
        return (
            Way("A copy", own),
            Way("Another column", "if its metadata has one, name it, columns: {caption: ...}"),
            words,
        )
    ending = source.caption_extension or CAPTIONS[0]
    typed = shlex.quote(source.images if look.unwritten else str(look.project.recipe.path))
    row = json.dumps(
        {"file_name": Path(lacking[0]).name, "text": "a fox in the snow"}, ensure_ascii=False
    )
    return (
        Way(
            "A file beside each",
            f"`lorakit data {typed} --write-captions` writes a {ending} beside each, of its file's name "
            'or of --caption "a photo of a fox"; then make each of them true',
        ),
        Way("One table", f"put metadata.jsonl into the folder, a line for each: {row}"),
        words,
    )
