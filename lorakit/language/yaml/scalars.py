"""What a plain scalar means: only what looks like a value in JSON is one, all else is text.

YAML's own rules would make `no` false, `012` ten and `12:30` seven hundred and fifty, and would leave
`1e-4` a string; an author means none of these.
"""

from __future__ import annotations

import math
import re

_WORDS = {"true": True, "false": False, "null": None, "": None}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")
_OPENS_VALUE = frozenset("tfn.+-0123456789")
_MOST_DIGITS = 40


class NotFinite(ValueError):
    """A number that no computation should meet: NaN, an infinity, or one too large to hold."""


def resolve(text: str) -> str | int | float | bool | None:
    """The value that a plain scalar stands for; raises NotFinite."""
    if text and text[0] not in _OPENS_VALUE:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text):
        if len(text) > _MOST_DIGITS:
            raise NotFinite(text)
        return int(text)
    if _FLOAT.match(text):
        number = float(text)
        if not math.isfinite(number):
            raise NotFinite(text)
        return number
    if _NOT_FINITE.match(text):
        raise NotFinite(text)
    return text
