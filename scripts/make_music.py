"""Compose the music that ships with the storyboards: `python scripts/make_music.py`.

Twenty-four seconds that begin anew where they end: pads over four chords, a bell that goes through their
notes, a bass. Whatever rings on behind the end is heard at the beginning, so that a loop has no seam. The
same samples come out each time; which bytes they are encoded to is the encoder's affair.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Samples = NDArray[np.float64]

RATE = 48000  # Hz
BEAT = 0.75  # s
BAR = 4 * BEAT
TARGET = Path(__file__).resolve().parents[1] / "storyboards" / "music" / "red-planet.ogg"
PEAK = 0.5  # of full scale
# the notes of each chord, two bars long, as semitones above A at 440 Hz
CHORDS = (
    (-19, -12, -5, -3),  # D, with an E
    (-22, -15, -12, -7),  # B minor 7
    (-26, -19, -15, -10),  # G major 7
    (-24, -17, -12, -8),  # A
)
LENGTH = round(len(CHORDS) * 2 * BAR * RATE)
# which of a chord's notes the bell plays on each half beat of two bars; None for a rest
BELL = (0, None, 2, None, 3, None, 2, 1, None, 2, None, 3, None, 1, None, None)


def pitch(semitones: float) -> float:
    """Hz of a note so many semitones above A at 440 Hz."""
    return float(440 * 2 ** (semitones / 12))


def put(track: Samples, sound: Samples, second: float) -> None:
    """Lay a sound into a track that goes round."""
    begins = round(second * RATE) % LENGTH
    first = sound[: LENGTH - begins]
    track[begins : begins + len(first)] += first
    track[: len(sound) - len(first)] += sound[len(first) :]


def pad(semitones: float, seconds: float) -> Samples:
    """A soft note of three voices that are a little apart, with `seconds` until it fades."""
    rise, fall = 1.5, 2.5
    time = np.arange(round((seconds + fall) * RATE)) / RATE
    shape = np.clip(time / rise, 0, 1) * np.clip((seconds + fall - time) / fall, 0, 1)
    shape = np.sin(shape * np.pi / 2) ** 2
    note = np.zeros_like(time)
    for cents in (-4, 0, 4):
        base = pitch(semitones + cents / 100)
        for harmonic in range(1, 6):
            # each voice begins elsewhere in its wave, as players do
            phase = 1.7 * harmonic + 0.9 * cents
            note += np.sin(2 * np.pi * base * harmonic * time + phase) / harmonic**2.2
    return note * shape * (1 + 0.08 * np.sin(2 * np.pi * 0.25 * time))


def bell(semitones: float) -> Samples:
    """A struck note that rings on for two seconds."""
    time = np.arange(2 * RATE) / RATE
    base = pitch(semitones)
    partials = ((1.0, 1.0, 2.2), (2.0, 0.35, 3.5), (3.01, 0.12, 6.0))
    note = sum(
        level * np.sin(2 * np.pi * base * times * time) * np.exp(-decay * time)
        for times, level, decay in partials
    )
    return np.asarray(note) * np.clip(time / 0.006, 0, 1) * np.clip((2 - time) / 0.1, 0, 1)


def in_a_hall(track: Samples) -> Samples:
    """The track with what a large room adds, which goes round as the track does."""
    chance = np.random.default_rng(4)
    time = np.arange(LENGTH) / RATE
    tail = chance.standard_normal(LENGTH) * np.exp(-2.4 * time) * (time < 3)
    tail /= np.sqrt((tail**2).sum())
    wet = np.fft.irfft(np.fft.rfft(track) * np.fft.rfft(tail), LENGTH)
    # a room swallows what is high
    spectrum = np.fft.rfft(wet)
    hertz = np.fft.rfftfreq(LENGTH, 1 / RATE)
    return track + 0.45 * np.fft.irfft(spectrum / (1 + (hertz / 2500) ** 2), LENGTH)


def composed() -> Samples:
    """The music, mono, float64 in [-1, 1]."""
    pads, bells, bass = (np.zeros(LENGTH) for _ in "123")
    for number, chord in enumerate(CHORDS):
        begins = number * 2 * BAR
        for note in chord:
            put(pads, pad(note, 2 * BAR - 0.5), begins)
        for bar in range(2):
            put(bass, pad(chord[0] - 12, BAR - 1), begins + bar * BAR)
        for half, which in enumerate(BELL):
            if which is None:
                continue
            for echo, level in enumerate((1, 0.35, 0.12)):
                at = begins + half * BEAT / 2 + echo * 0.75 * BEAT
                put(bells, level * bell(chord[which] + 24), at)
    whole = in_a_hall(0.16 * pads + 0.22 * bells) + 0.12 * bass
    return np.asarray(whole * PEAK / np.abs(whole).max())


def main() -> None:
    """Write the file, as Opus in Ogg."""
    from imageio_ffmpeg import get_ffmpeg_exe

    TARGET.parent.mkdir(exist_ok=True)
    quiet = [get_ffmpeg_exe(), "-y", "-loglevel", "error"]
    samples_in = ["-f", "f32le", "-ar", f"{RATE}", "-ac", "1", "-i", "pipe:0"]
    exact = ["-fflags", "+bitexact", "-flags:a", "+bitexact", "-map_metadata", "-1"]
    opus = ["-c:a", "libopus", "-b:a", "16k", "-application", "audio"]
    subprocess.run(
        [*quiet, *samples_in, *opus, *exact, f"{TARGET}"],
        input=composed().astype("<f4").tobytes(),
        check=True,
    )
    print(f"{TARGET}: {TARGET.stat().st_size} bytes, {LENGTH / RATE:.0f} s")


if __name__ == "__main__":
    main()
