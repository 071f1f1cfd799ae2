"""What the model is told, from a style, a sentence and a setting."""

from __future__ import annotations

from functools import lru_cache


def derive(style: str, sentence: str, setting: str = "") -> str:
    """Style, sentence and setting in a row; the sentence without its full stop, empty parts left out."""
    before, after = _around(style, setting)
    told = sentence.strip().rstrip(".\u3002").rstrip()
    return ", ".join([*before, told, *after] if told else [*before, *after])


@lru_cache(maxsize=64)
def _around(style: str, setting: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What stands before and after the sentences of a scene."""
    parts = style.strip(" ,"), setting.strip(" ,.\u3002")
    before, after = ((part,) if part else () for part in parts)
    return before, after
