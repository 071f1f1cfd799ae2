"""What the model is told, from a style, a sentence and a setting."""

from __future__ import annotations


def derive(style: str, sentence: str, setting: str = "") -> str:
    """Style, sentence and setting in a row; the sentence without its full stop, empty parts left out."""
    parts = (
        style.strip(" ,"),
        sentence.strip().rstrip(".\u3002").rstrip(),
        setting.strip(" ,.\u3002"),
    )
    return ", ".join(part for part in parts if part)
