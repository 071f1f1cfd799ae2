"""What a film sounds like, sample by sample: songs are decoded by ffmpeg, laid over each other here.

Neither ffmpeg's filters nor moviepy's clips do the laying: the one takes hundreds of inputs for a long story,
the other works at times in floating point; a sample's place is a whole number here.
"""

from __future__ import annotations

import subprocess
import wave
from pathlib import Path
from typing import IO, TYPE_CHECKING

from lorakit import children
from lorakit.facts.sounds.decoding import (
    AS_MIXED,
    CHANNELS,
    RATE,
    SoundError,
    quiet,
    run,
    sound_input,
)
from lorakit.plan.film_times import times_in
from lorakit.rendering.speech import length

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from lorakit.plan.tasks.sound import Music, SoundMixTask

    Samples = NDArray[np.float32]

_BLOCK = RATE  # samples that are mixed at once
_LOUDEST = (
    0.97  # of full scale: what comes out above is turned down as a whole, so that nothing clips
)
_BEFORE, _BEHIND = (
    RATE // 4,
    RATE // 2,
)  # samples in which music makes room for words, and comes back
_BYTES = 4 * CHANNELS  # of a sample in all channels


def write_mix(
    target: Path, task: SoundMixTask, inputs: Mapping[str, str]
) -> Iterator[tuple[int, int]]:
    """Write what is heard as FLAC, yielding (seconds mixed, seconds in all). Raises SoundError.

    A block at a time is held in memory; decoded and mixed sound lies beside `target` meanwhile.
    """
    import numpy as np

    times = times_in(inputs["timing"]) if task.timed else None
    total = times.samples(times.frames, RATE) if times else task.samples
    starts = [times.samples(frame, RATE) for frame in times.speech] if times else []
    speech = _Speech([Path(inputs[role]) for role in task.speech], starts, task.speech_gain)
    seconds = -(-total // RATE)
    music = None
    if task.music is not None:
        music = _Looped(_decoded(Path(task.music.file), target.with_name("music.raw"), total))
    mixed = target.with_name("mix.raw")
    peak = 0.0
    with mixed.open("wb") as out:
        for first in range(0, total, _BLOCK):
            block = np.zeros((min(_BLOCK, total - first), CHANNELS), dtype=np.float32)
            if task.music is not None and music is not None:
                played = music.at(first, len(block))
                level = _loudness(task.music, first, len(block), total)
                level *= speech.ducked(first, len(block), task.music.duck)
                block += played * level[:, None]
            speech.add(block, first)
            peak = max(peak, float(np.abs(block).max(initial=0.0)))
            out.write(block.tobytes())
            yield first // RATE, seconds
    _encode(mixed, target, min(1.0, _LOUDEST / peak) if peak else 1.0)
    yield seconds, seconds


def _decoded(song: Path, target: Path, most: int) -> Samples:
    """A song's samples, `most` of them at the most, in a file that is read as they are needed."""
    import numpy as np

    with target.open("wb") as out:
        command = [*quiet(), *sound_input(song), *AS_MIXED]
        _to_file([*command, "-af", f"atrim=end_sample={most}", "-f", "f32le", "pipe:1"], out)
    whole = target.stat().st_size // _BYTES
    if not whole:
        raise SoundError(f"{song.name} has no sound in it")
    return np.memmap(target, dtype=np.float32, mode="r", shape=(whole, CHANNELS))


def _to_file(command: list[str], out: IO[bytes]) -> None:
    done = subprocess.run(
        command, stdout=out, stderr=subprocess.PIPE, check=False, env=children.environment()
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", errors="replace").strip()
        raise SoundError(f"ffmpeg failed (exit code {done.returncode}): {said}")


class _Looped:
    """A song that begins anew where it ends."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples

    def at(self, first: int, count: int) -> Samples:
        import numpy as np

        length = len(self._samples)
        places = np.arange(first, first + count) % length
        return np.asarray(self._samples[places])


class _Speech:
    """What is said, each from a sample of the film on."""

    def __init__(self, files: Sequence[Path], starts: Sequence[int], gain: float) -> None:
        self._level = 10 ** (gain / 20) / 32768
        self._said = [
            (first, first + length(file), file) for file, first in zip(files, starts, strict=True)
        ]

    def add(self, block: Samples, first: int) -> None:
        """Lay what is said over the samples from `first` on, in both channels alike."""
        import numpy as np

        last = first + len(block)
        for begins, ends, path in self._said:
            if begins < last and first < ends:
                here = max(begins, first)
                with wave.open(str(path), "rb") as file:
                    file.setpos(here - begins)
                    raw = file.readframes(min(ends, last) - here)
                said = np.frombuffer(raw, dtype="<i2").astype(np.float32) * np.float32(self._level)
                block[here - first : here - first + len(said)] += said[:, None]

    def ducked(self, first: int, count: int, decibels: float) -> Samples:
        """By what music is multiplied, to be softer from before somebody speaks until a while after."""
        import numpy as np

        share = np.zeros(count, dtype=np.float32)
        at = np.arange(first, first + count, dtype=np.float32)
        for begins, ends, _ in self._said:
            if begins - _BEFORE < first + count and first < ends + _BEHIND:
                rise = np.clip((at - (begins - _BEFORE)) / _BEFORE, 0, 1)
                fall = np.clip((ends + _BEHIND - at) / _BEHIND, 0, 1)
                np.maximum(share, np.minimum(rise, fall), out=share)
        return np.asarray(10 ** (-decibels * share / 20), dtype=np.float32)


def _loudness(music: Music, first: int, count: int, total: int) -> Samples:
    """By what samples of a song are multiplied."""
    import numpy as np

    at = np.arange(first, first + count)
    level = np.full(count, 10 ** (music.gain / 20))
    for seconds, passed in ((music.fade_in, at), (music.fade_out, total - 1 - at)):
        if seconds:
            level *= np.clip(passed / (seconds * RATE), 0, 1)
    return level.astype(np.float32)


def _encode(mixed: Path, target: Path, level: float) -> None:
    raw = ["-f", "f32le", "-ar", str(RATE), "-ac", str(CHANNELS), "-i", f"file:{mixed.absolute()}"]
    exact = ["-fflags", "+bitexact", "-flags:a", "+bitexact", "-map_metadata", "-1"]
    flac = ["-af", f"volume={level:.9f}:precision=double", "-c:a", "flac", "-sample_fmt", "s32"]
    run([*quiet(), *raw, *flac, *exact, f"file:{target.absolute()}"])
    mixed.unlink()
