"""Weights of words in prompts, `(red hat:1.3)`: read, taken off, or handed on in pieces.

Weights within weights are multiplied. Parentheses without a number, times of day (`(at 10:30)`) and
proportions (`(16:9)`) are words as any.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lorakit.patterns import later

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST, MOST = 0.0, 2.0  # beyond, pictures fall to pieces
_WORDS_OF_A_NAME = 4
_LONGEST = 16  # of a number with the blanks beside it


class Weight(NamedTuple):
    """Words with a weight: `text[start:end]` is all of it, `text[start + 1 : colon]` the words."""

    start: int
    colon: int
    end: int
    value: float


class WeighedWords(NamedTuple):
    """Some of a prompt's words, and how much they count."""

    text: str
    weight: float


def weights(text: str) -> list[Weight]:
    """The weights of a text, inner ones before those around them."""
    if ":" not in text or "(" not in text:
        return []
    found: list[Weight] = []
    opened: list[int] = []
    for match in _PARENTHESIS.finditer(text):
        at = match.start()
        if match[0] == "(":
            opened.append(at)
        elif opened:
            start = opened.pop()
            colon = text.rfind(":", max(start + 1, at - _LONGEST), at)
            number = _NUMBER.fullmatch(text, colon + 1, at) if colon >= 0 else None
            if (
                number is not None
                and text[start + 1 : colon].strip()
                and not (text[colon - 1].isdecimal() and number[1].isdecimal())
            ):
                found.append(Weight(start, colon, at + 1, float(number[1])))
    return found


def pieces(text: str) -> list[WeighedWords]:
    """A text cut where weights change; joined, they are `plain` of it."""
    marked = weights(text)
    # where a mark stands, what it takes off, and by what the weight changes there
    cuts = [(w.start, w.start + 1, w, 1) for w in marked]
    cuts += [(w.colon, w.end, w, -1) for w in marked]
    around: list[Weight] = []
    found: list[WeighedWords] = []
    at = 0
    for start, end, weight, side in sorted(cuts, key=lambda cut: cut[0]):
        _add(found, text[at:start], around)
        at = end
        if side > 0:
            around.append(weight)
        else:
            around.remove(weight)
    _add(found, text[at:], around)
    return found


def _add(found: list[WeighedWords], text: str, around: list[Weight]) -> None:
    value = 1.0
    for weight in around:
        value *= weight.value
    value = round(value, 6)
    if not text:
        return
    if found and found[-1].text[-1].isalnum() and text[0].isalnum():
        text = f" {text}"  # (red:1.2)(hat:1.3) is two words
    if found and found[-1].weight == value:
        found[-1] = WeighedWords(found[-1].text + text, value)
    else:
        found.append(WeighedWords(text, value))


def plain(text: str) -> str:
    """A text without the marks of its weights."""
    if ":" not in text or "(" not in text:
        return text
    return "".join(piece.text for piece in pieces(text))


def weighted(text: str) -> bool:
    """Whether any words of a text have another weight than 1."""
    return any(piece.weight != 1 for piece in pieces(text)) if weights(text) else False


def without_marks(text: str) -> str:
    """The same text with blanks in place of the marks, so that all else stands where it stood."""
    letters = list(text)
    for weight in weights(text):
        letters[weight.start] = " "
        letters[weight.colon : weight.end] = " " * (weight.end - weight.colon)
    return "".join(letters)


def around_articles(text: str, is_name: Callable[[str], bool]) -> str:
    """A text whose weights of names begin at their articles: `the (bunny:1.2)` is `(the bunny:1.2)`.

    It is as long as it was.
    """
    if ":" not in text or "(" not in text:
        return text

    def moved(match: re.Match[str]) -> str:
        words = [word.removesuffix("'s") for word in match[2].split()]
        named = any(
            is_name(" ".join(words[first:last]))
            for first in range(len(words))
            for last in range(first + 1, first + 1 + _WORDS_OF_A_NAME)
        )
        return f"({match[1]}{match[2]}" if named else match[0]

    return _ARTICLE.sub(moved, text)


_PARENTHESIS = later(r"(?<!\\)[()]")
_NUMBER = later(r"\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+))\s*")
_ARTICLE = later(r"\b((?:the|an?)\s+)\(([^()\n:]{1,80})(?=:\s*[\d.]+\s*\))", re.IGNORECASE)
