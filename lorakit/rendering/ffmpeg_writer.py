"""A pipe into ffmpeg: raw frames in, one film out, and its own words when it fails.

Not moviepy's writer: it asks ffmpeg for an alpha channel that H.264 has not, takes RGB only (twice
the bytes of what is encoded), and lets no option be overridden. The ffmpeg is the one it brings.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from typing import IO, TYPE_CHECKING, Self

from lorakit import children
from lorakit.diagnostics import LorakitError
from lorakit.facts.machine.ffmpeg import FfmpegError, ffmpeg_path
from lorakit.rendering.encodings import Encoding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from fractions import Fraction
    from pathlib import Path
    from types import TracebackType

_LAST_LINES = 6
# bytes on their way, where a system lets us say so: the most that Linux gives anybody. Frames are made ahead
# while ffmpeg is busy with those before them.
PIPE = 1 << 20


class FilmError(LorakitError):
    """A film could not be made; ends with ffmpeg's last words where it was ffmpeg that failed."""


class FilmInterrupted(FilmError):
    """ffmpeg was ended by something else: it may be tried again."""


def begin_ffmpeg(
    command: Sequence[str], stdin: int, stdout: int, stderr: int | IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start an ffmpeg that frames go into or come out of; raises `FilmError` where it does not start."""
    try:
        return subprocess.Popen(
            command,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            pipesize=PIPE,
            env=children.environment(),
            # a Ctrl-C in the terminal is ours to answer: ffmpeg would end the film at once
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    except OSError as error:
        raise FilmError(f"ffmpeg does not start: {error}") from error


class FFmpegWriter:
    """Writes frames of one `size` in px to `target`; a context manager.

    They are in the form that ffmpeg calls `pixels`: yuv420p (BT.709, limited range) or rgb24. With a
    `command` of its own it takes and writes what that says. Leaving it without `finish` kills ffmpeg and
    removes what was written.
    """

    def __init__(
        self,
        target: Path,
        size: tuple[int, int],
        rate: Fraction,
        pixels: str = "yuv420p",
        encoding: Encoding | None = None,
        command: Sequence[str] | None = None,
    ) -> None:
        self.target = target
        self._finished = False
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as ffmpeg
        try:
            self._process = begin_ffmpeg(
                command or _command(target, size, rate, pixels, encoding or Encoding()),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._log,
            )
        except FilmError:
            self._log.close()
            raise

    def write(self, frame: memoryview, times: int = 1) -> Iterator[int]:
        """Write a frame some times over, yielding 1 after each. Raises `FilmError`."""
        assert self._process.stdin is not None
        for _ in range(times):
            try:
                self._process.stdin.write(frame)
            except OSError as error:
                raise self._failure() from error
            yield 1

    def finish(self) -> Iterator[None]:
        """End the film, yielding ten times a second while ffmpeg is busy. Raises `FilmError`."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
        except OSError as error:
            raise self._failure() from error
        while True:
            try:
                code = self._process.wait(timeout=0.1)
            except subprocess.TimeoutExpired:
                yield
            else:
                break
        if code:
            raise self._failure()
        self._finished = True

    def _failure(self) -> FilmError:
        try:
            code: int | str = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = "none: it hung"
        self._log.seek(0)
        said = (
            self._log.read().decode("utf-8", errors="replace").strip().splitlines()[-_LAST_LINES:]
        )
        words = "\n  ".join(said) or "(it said nothing)"
        if isinstance(code, int) and code < 0:
            message = (
                f"ffmpeg was ended by signal {-code} while writing the film; was memory short?"
            )
            return FilmInterrupted(f"{message}\n  {words}")
        return FilmError(f"ffmpeg failed (exit code {code}) while writing the film:\n  {words}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._finished:
            self._process.kill()
            self._process.wait()
        if self._process.stdin is not None and not self._process.stdin.closed:
            with contextlib.suppress(OSError):  # what was still buffered has nowhere to go
                self._process.stdin.close()
        self._log.close()
        if not self._finished:
            self.target.unlink(missing_ok=True)


def _command(
    target: Path, size: tuple[int, int], rate: Fraction, pixels: str, encoding: Encoding
) -> list[str]:
    width, height = size
    frames_in = ["-f", "rawvideo", "-pix_fmt", pixels, "-video_size", f"{width}x{height}"]
    framerate = f"{rate.numerator}/{rate.denominator}"
    # the same frames give the same bytes: no dates, no version of the muxer
    exact = ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1"]
    return [
        *[ffmpeg(), "-nostdin", "-hide_banner", "-nostats", "-loglevel", "error", "-y"],
        *[*encoding.before(), *frames_in, "-framerate", framerate, "-i", "pipe:0", "-an"],
        *[*encoding.after(), *exact],
        f"file:{os.fspath(target.absolute())}",
    ]


def ffmpeg() -> str:
    """The ffmpeg that imageio-ffmpeg brings, or that the user names. Raises `FilmError`."""
    try:
        return ffmpeg_path()
    except FfmpegError as error:
        raise FilmError(str(error)) from error
