"""The font that ships, and which characters it lacks: asked at plan time, without opening it."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from lorakit import resources

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Weight = Literal["Regular", "SemiBold"]


def font_file(weight: Weight) -> Path:
    """Find the font of a weight: SemiBold for films' captions and titles, Regular for the rest."""
    return resources.path("fonts") / f"Inter-{weight}.otf"


def drawable(text: str) -> str:
    """Bring a text into the form it is drawn in: composed letters, single spaces, all visible.

    Controls, joiners and variation selectors vanish; marks are composed with their letters where
    Unicode knows the pair. Line breaks become spaces: where lines end is the captions' business.
    """
    spaced = (" " if c.isspace() else c for c in unicodedata.normalize("NFC", text))
    return " ".join("".join(c for c in spaced if not _invisible(c)).split())


def missing_glyphs(text: str) -> str:
    """Find the characters that the shipped font lacks, each once, in the order they are met."""
    if text.isascii():
        return ""
    return "".join(dict.fromkeys(c for c in drawable(text) if not _covered(c)))


def _invisible(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf") or _is_variation_selector(character)


def _is_variation_selector(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def _covered(character: str) -> bool:
    edges = _edges()
    return bisect_right(edges, ord(character)) % 2 == 1


@lru_cache(maxsize=1)
def _edges() -> tuple[int, ...]:
    """First covered, first uncovered, first covered, ...: an even place in it is outside."""
    text = (resources.path("fonts") / "coverage.txt").read_text(encoding="utf-8")
    return tuple(_parse(text))


def _parse(text: str) -> Iterator[int]:
    for line in text.splitlines():
        if line and not line.startswith("#"):
            first, _, last = line.partition("-")
            yield int(first, 16)
            yield int(last or first, 16) + 1
