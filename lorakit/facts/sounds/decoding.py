"""Sounds decoded by ffmpeg: how it is asked, and how long a sound is.

It is the ffmpeg that imageio-ffmpeg brings. A file is read as what it is and nothing else: no playlist that
names other files or addresses, which some formats are.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lorakit.diagnostics import LorakitError

RATE = 48_000  # samples a second of all that is mixed
CHANNELS = 2
# containers of sounds; a list of songs is none of them
_FORMATS = "wav,w64,aiff,au,caf,flac,mp3,ogg,mov,matroska,aac"
_PATIENCE = 300  # s for one file
_LONGEST = 6 * 3600  # s of one file that are ever read


class SoundError(LorakitError):
    """A sound cannot be read; says why."""


def ffmpeg() -> str:
    """The path of the ffmpeg. Raises SoundError."""
    import imageio_ffmpeg

    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise SoundError(f"no ffmpeg: {error}") from error


def sound_input(path: Path) -> list[str]:
    """The options of ffmpeg by which it reads a sound of anybody's."""
    safe = ["-protocol_whitelist", "file", "-format_whitelist", _FORMATS, "-t", str(_LONGEST)]
    return [*safe, "-i", f"file:{path.absolute()}"]


def quiet() -> list[str]:
    """ffmpeg, saying nothing but what is wrong, and asking nothing."""
    return [ffmpeg(), "-nostdin", "-hide_banner", "-nostats", "-loglevel", "error", "-y"]


# decoded to what is mixed; the first stream of sound counts, and no picture on the cover
AS_MIXED = ("-map", "0:a:0", "-vn", "-sn", "-dn", "-ac", str(CHANNELS), "-ar", str(RATE))


def samples(path: Path) -> int:
    """How many samples a sound has at `RATE` a second, all of it decoded. Raises SoundError."""
    counted = ["-f", "null", "-progress", "pipe:1", "-"]
    told = run([*quiet(), *sound_input(path), *AS_MIXED, *counted])
    times = [
        line.partition("=")[2] for line in told.splitlines() if line.startswith("out_time_us=")
    ]
    if not times or not times[-1].strip().isdecimal():
        raise SoundError("it has no sound in it")
    return round(int(times[-1]) * RATE / 1_000_000)


def run(command: Sequence[str]) -> str:
    """Run ffmpeg to its end and return what it printed. Raises SoundError with its last words."""
    return run_for_bytes(command).decode("utf-8", errors="replace")


def run_for_bytes(command: Sequence[str]) -> bytes:
    """The same, of what is no text."""
    import subprocess

    from lorakit import children

    try:
        done = subprocess.run(
            command,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
            env=children.environment(),
        )
    except subprocess.TimeoutExpired as error:
        raise SoundError(f"ffmpeg did not end within {_PATIENCE} s") from error
    except OSError as error:
        raise SoundError(f"ffmpeg does not start: {error}") from error
    said = done.stderr.decode("utf-8", errors="replace").strip().splitlines()
    if done.returncode:
        raise SoundError(_words(said) or f"ffmpeg failed, exit code {done.returncode}")
    return done.stdout


def _words(said: Sequence[str]) -> str:
    """What is wrong, of several lines of ffmpeg, which end with what it came to."""
    if any("matches no streams" in line for line in said):
        return "it has no sound in it"
    if any("Error opening input" in line for line in said):
        return "it is damaged, or of none of the formats that are read here"
    line = said[0] if said else ""
    return line.rpartition("] ")[2] if line.startswith("[") else line.rpartition(": ")[2]
