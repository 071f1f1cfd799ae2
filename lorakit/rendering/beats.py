"""The beats of a song, found by librosa: dynamic programming over its onsets (Ellis 2007)."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lorakit.diagnostics import LorakitError, in_words
from lorakit.facts.sounds import decoding
from lorakit.plan.tasks.beats import BeatsTask

_RATE = 22_050  # samples a second, librosa's own
_HOP = 256  # samples between two looks for an onset: 12 ms
_FEWEST = 2
_LOOK = 0.1  # s


class BeatsError(LorakitError):
    """A song has no beats that could be found."""


def write_beats(
    target: Path, task: BeatsTask, _inputs: Mapping[str, str]
) -> Iterator[tuple[int, int]]:
    """Write the song's `beats` in seconds, and how many `seconds` it lasts, as JSON; yields (0, 1) meanwhile.

    Raises BeatsError.
    """
    found: list[Any] = []

    def find() -> None:
        try:
            found.append(_beats(Path(task.path)))
        except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
            found.append(error)

    # what librosa compiles takes many seconds, once a machine: the worker stays within reach
    thread = threading.Thread(target=find, daemon=True)
    thread.start()
    while thread.is_alive():
        yield 0, 1
        thread.join(_LOOK)
    (told,) = found
    if isinstance(told, LorakitError):
        raise told
    if isinstance(told, Exception):
        raise BeatsError(f"the beats cannot be found: {in_words(told)}") from told
    if len(told["beats"]) < _FEWEST:
        where = f"{task.place}: error[beats]: " if task.place else ""
        name = Path(task.path).name
        raise BeatsError(
            f"{where}{name} has no beats to cut on; remove beats: true, or name other music"
        )
    target.write_text(json.dumps(told) + "\n", "utf-8")
    yield 1, 1


def _beats(song: Path) -> dict[str, Any]:
    import numpy as np
    from librosa.beat import beat_track

    heard = np.frombuffer(_decoded(song), dtype="<f4")
    _, beats = beat_track(y=heard, sr=_RATE, hop_length=_HOP, units="time")
    return {"beats": [round(float(one), 4) for one in beats], "seconds": len(heard) / _RATE}


def _decoded(song: Path) -> bytes:
    """A song in one channel, as floats."""
    raw = ["-map", "0:a:0", "-ac", "1", "-ar", str(_RATE), "-f", "f32le", "pipe:1"]
    try:
        return decoding.run_for_bytes([*decoding.quiet(), *decoding.sound_input(song), *raw])
    except decoding.SoundError as error:
        raise BeatsError(f"{song.name} cannot be decoded: {error}") from error
