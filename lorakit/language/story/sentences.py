"""A paragraph split into its sentences, each with the place of its first word.

Lines of a literal block (`text: |`) stand by themselves; a folded one (`>`) is a paragraph to a blank line.
"""

from __future__ import annotations

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
    for piece in sentences(node.value):
        words = piece.split()
        sentence = " ".join(words)
        last = min(node.end, cursor + len(piece) + _BLANKS_BETWEEN)
        place = _sought(words[:_WORDS_SOUGHT], raw, cursor, last)
        if place is None:
            yield sentence, node.spot
            continue
        start, cursor = place
        spot = node.source.spot_at(start)
        rest = len(spot.excerpt.rstrip()) - spot.column + 1
        yield sentence, spot._replace(length=max(1, min(len(sentence), rest)))


def _sought(words: list[str], raw: str, start: int, end: int) -> tuple[int, int] | None:
    """Where words stand next between `start` and `end`, and where they end.

    YAML folds lines and drops indentation, so that any blanks may part them in the file.
    """
    at = raw.find(words[0], start, end)
    while at >= 0:
        here = at + len(words[0])
        for word in words[1:]:
            following = here + 1 + len(word)
            if following <= end and raw[here] == " " and raw.startswith(word, here + 1):
                here = following
                continue
            rest = raw[here:end].lstrip()
            parted = len(rest) < end - here
            if not (parted and rest.startswith(word)):
                break
            here = end - len(rest) + len(word)
        else:
            return at, here
        at = raw.find(words[0], at + 1, end)
    return None


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text as they stand in it; the end of a line ends one as well."""
    from sentencex import segment

    for line in text.split("\n"):
        if line.strip():
            yield from (piece for piece in mended(segment("en", line)) if piece.strip())
