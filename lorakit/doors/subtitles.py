"""A story as subtitles: SubRip (.srt) and WebVTT (.vtt)."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import NamedTuple
from unicodedata import category

from lorakit.doors.clock import stamp
from lorakit.doors.cut import Cut

_ARROW = "\u2192"


class Cue(NamedTuple):
    """A text from a film frame on until another, which no longer shows it."""

    first: int
    end: int
    text: str


def cues(cut: Cut) -> Iterator[Cue]:
    """What is said when: shots with the same text, one after the other, are one cue, as in the film."""
    waiting: Cue | None = None
    for shot in cut.shots:
        text = _plain(shot.caption)
        if waiting is not None and waiting.text == text:
            waiting = waiting._replace(end=shot.end)
            continue
        if waiting is not None and waiting.text:
            yield waiting
        waiting = Cue(shot.first, shot.end, text)
    if waiting is not None and waiting.text:
        yield waiting


def srt(cut: Cut) -> str:
    """SubRip, as VLC and most players read it: an arrow within a text would be taken for a time."""
    blocks = [
        f"{number}\n{stamp(cue.first, cut.fps, ',')} --> {stamp(cue.end, cut.fps, ',')}\n"
        f"{cue.text.replace('-->', _ARROW)}\n"
        for number, cue in enumerate(cues(cut), 1)
    ]
    return "\n".join(blocks)


def vtt(cut: Cut) -> str:
    """WebVTT, as browsers read it (W3C): at the top where the film's captions are."""
    settings = " line:0" if cut.captions_on_top else ""
    blocks = [
        f"{number}\n{stamp(cue.first, cut.fps, '.')} --> {stamp(cue.end, cut.fps, '.')}{settings}\n"
        f"{escape(cue.text, quote=False)}\n"
        for number, cue in enumerate(cues(cut), 1)
    ]
    return "\n".join(["WEBVTT\n", *blocks])


def _plain(text: str) -> str:
    """A caption in one line, without characters that control something."""
    return " ".join("".join(c for c in text if c.isspace() or category(c) != "Cc").split())
