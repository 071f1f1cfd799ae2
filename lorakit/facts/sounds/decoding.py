"""Sounds decoded by ffmpeg: how it is asked, and how long a sound is.

It is the ffmpeg that imageio-ffmpeg brings. A file is read as what it is and nothing else: no playlist that
names other files or addresses, which some formats are.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lorakit.diagnostics import LorakitError
from lorakit.facts.machine.ffmpeg import FfmpegError, ffmpeg_path
from lorakit.facts.machine.ffmpeg_output import ffmpeg_output

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
    try:
        return ffmpeg_path()
    except FfmpegError as error:
        raise SoundError(str(error)) from error


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
    try:
        return ffmpeg_output(command, "sound", _PATIENCE)
    except FfmpegError as error:
        raise SoundError(str(error)) from error
