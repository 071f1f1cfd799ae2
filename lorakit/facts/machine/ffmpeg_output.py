"""What an ffmpeg writes of a file that may be anybody's, and its errors in our words."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from lorakit import children
from lorakit.facts.machine.ffmpeg import FfmpegError


def ffmpeg_output(command: Sequence[str], of: str, seconds: float) -> bytes:
    """Run an ffmpeg to its end and return what it wrote; `of` is what is looked for in a file.

    Raises FfmpegError with what is wrong.
    """
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
            env=children.environment(),
        )
    except subprocess.TimeoutExpired as error:
        raise FfmpegError(f"ffmpeg did not end within {seconds} s") from error
    except OSError as error:
        raise FfmpegError(f"ffmpeg does not start: {error}") from error
    if done.returncode < 0:
        raise FfmpegError(f"ffmpeg was ended by signal {-done.returncode}; was memory short?")
    if done.returncode:
        said = done.stderr.decode("utf-8", errors="replace").strip().splitlines()
        raise FfmpegError(_words(said, of))
    return done.stdout


def _words(said: Sequence[str], of: str) -> str:
    """What is wrong, of several lines of ffmpeg, which end with what it came to."""
    if any("matches no streams" in line for line in said):
        return f"it has no {of} in it"
    if any("Error opening input" in line for line in said) or not said:
        return "it is damaged, or of none of the formats that are read here"
    line = said[0]
    return line.rpartition("] ")[2] if line.startswith("[") else line.rpartition(": ")[2]
