"""What a film says as subtitles: SubRip (.srt) and WebVTT (.vtt)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from html import escape
from typing import NamedTuple
from unicodedata import category

from lorakit.plan.clock import stamp

_ARROW = "\u2192"


class Cue(NamedTuple):
    """A text from a film frame on until another, which no longer shows it."""

    first: int
    end: int
    text: str


def cues(shown: Iterable[tuple[str, int]]) -> Iterator[Cue]:
    """What is said when, of texts that stand for so many film frames each, one after the other.

    Equal ones in a row are one cue, as in the film.
    """
    waiting: Cue | None = None
    first = 0
    for caption, frames in shown:
        text, end = _plain(caption), first + frames
        if waiting is not None and waiting.text == text:
            waiting = waiting._replace(end=end)
        else:
            if waiting is not None and waiting.text:
                yield waiting
            waiting = Cue(first, end, text)
        first = end
    if waiting is not None and waiting.text:
        yield waiting


def srt(shown: Iterable[Cue], fps: int | Fraction) -> str:
    """SubRip, as VLC and most players read it: an arrow within a text would be taken for a time."""
    blocks = [
        f"{number}\n{stamp(cue.first, fps, ',')} --> {stamp(cue.end, fps, ',')}\n"
        f"{cue.text.replace('-->', _ARROW)}\n"
        for number, cue in enumerate(shown, 1)
    ]
    return "\n".join(blocks)


def vtt(shown: Iterable[Cue], fps: int | Fraction, *, on_top: bool = False) -> str:
    """WebVTT, as browsers read it (W3C): at the top where the film's captions are."""
    settings = " line:0" if on_top else ""
    blocks = [
        f"{number}\n{stamp(cue.first, fps, '.')} --> {stamp(cue.end, fps, '.')}{settings}\n"
        f"{escape(cue.text, quote=False)}\n"
        for number, cue in enumerate(shown, 1)
    ]
    return "\n".join(["WEBVTT\n", *blocks])


def _plain(text: str) -> str:
    """A caption in one line, without characters that control something."""
    return " ".join("".join(c for c in text if c.isspace() or category(c) != "Cc").split())
