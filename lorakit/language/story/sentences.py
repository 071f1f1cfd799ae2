"""A paragraph split into its sentences, each with the place of its first word.

Lines of a literal block (`text: |`) stand by themselves; a folded one (`>`) is a paragraph to a blank line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lorakit.language.story.cuts import mended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorakit.language.yaml.nodes import Node, Spot

_WORDS_SOUGHT = 3
_BLANKS_BETWEEN = 400  # how much indentation and how many breaks may stand between two sentences


def split(node: Node) -> Iterator[tuple[str, Spot]]:
    """The sentences of a node that holds text, on one line each, with where they begin."""
    assert isinstance(node.value, str)
    raw = node.source.text
    cursor = node.start
    for found in sentences(node.value):
        words = found.split()
        sentence = " ".join(words)
        # YAML folds lines and drops indentation, so only the words themselves can be sought in the file
        first = re.compile(r"\s+".join(re.escape(word) for word in words[:_WORDS_SOUGHT]))
        match = first.search(raw, cursor, min(node.end, cursor + len(found) + _BLANKS_BETWEEN))
        if match is None:
            yield sentence, node.spot
            continue
        spot = node.source.spot_at(match.start())
        rest = len(spot.excerpt.rstrip()) - spot.column + 1
        cursor = match.end()
        yield sentence, spot._replace(length=max(1, min(len(sentence), rest)))


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text as they stand in it; the end of a line ends one as well."""
    from sentencex import segment

    for line in text.split("\n"):
        if line.strip():
            yield from (piece for piece in mended(segment("en", line)) if piece.strip())
