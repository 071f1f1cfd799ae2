"""A film's subtitles as files."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

from lorakit.plan.film_times import times_in
from lorakit.plan.subtitles import cues, srt, vtt
from lorakit.plan.tasks.subtitles import SubtitlesTask


def write_subtitles(folder: Path, task: SubtitlesTask, inputs: Mapping[str, str]) -> dict[str, str]:
    """Write what a film says, each text from the film frame on at which its picture's hold begins.

    Raises OSError and ValueError.
    """
    lengths = times_in(inputs["timing"]).clips if task.timed else [t.frames for t in task.texts]
    shown = list(cues(zip((one.text for one in task.texts), lengths, strict=True)))
    rate = Fraction(*task.rate)
    written = {"srt": srt(shown, rate), "vtt": vtt(shown, rate, on_top=task.on_top)}
    for name, text in written.items():
        # as bytes, or Windows would end lines its own way
        (folder / task.files[name]).write_bytes(text.encode())
    return {name: str(folder / task.files[name]) for name in written}
