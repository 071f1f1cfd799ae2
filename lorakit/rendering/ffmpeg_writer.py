"""A pipe into ffmpeg: raw frames in, one film out, and its own words when it fails.

Not moviepy's writer: it asks ffmpeg for an alpha channel that H.264 has not, takes RGB only (twice
the bytes of what is encoded), and lets no option be overridden. The ffmpeg is the one it brings.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Self

from lorakit import children
from lorakit.diagnostics import LorakitError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

# a fixed number: x264's result depends on how many threads share the work, not on the CPU
_THREADS = 2
_LAST_LINES = 6


class FilmError(LorakitError):
    """A film could not be made; ends with ffmpeg's last words where it was ffmpeg that failed."""


class FilmInterrupted(FilmError):
    """ffmpeg was ended by something else: it may be tried again."""


class FFmpegWriter:
    """Writes yuv420p frames (BT.709, limited range) of one size to `target`; a context manager.

    Leaving it without `finish` kills ffmpeg and removes what was written.
    """

    def __init__(self, target: Path, width: int, height: int, fps: int) -> None:
        self.target = target
        self._finished = False
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as ffmpeg
        try:
            self._process = subprocess.Popen(
                _command(target, width, height, fps),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._log,
                env=children.environment(),
                # a Ctrl-C in the terminal is ours to answer: ffmpeg would end the film at once
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        except OSError as error:
            self._log.close()
            raise FilmError(f"ffmpeg does not start: {error}") from error

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


def _command(target: Path, width: int, height: int, fps: int) -> list[str]:
    frames_in = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-video_size", f"{width}x{height}"]
    # the same frames give the same bytes: no dates, no version of the muxer
    exact = ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1"]
    return [
        *[_ffmpeg(), "-nostdin", "-hide_banner", "-nostats", "-loglevel", "error", "-y"],
        *[*frames_in, "-framerate", str(fps), "-i", "pipe:0", "-an"],
        *[*CODECS[target.suffix].options, "-threads", str(_THREADS), *exact],
        f"file:{os.fspath(target.absolute())}",
    ]


# said in so many words, or players take small films for the colours of standard television
_TAGS = "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
# a palette for each frame, made and used at once: one for the whole film would hold it all in memory
_PALETTES = (
    "split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1:dither=sierra2_4a"
)


@dataclass(frozen=True, slots=True)
class FilmCodec:
    """How ffmpeg encodes a kind of film, and how many ticks a second it counts time in (None: any rate)."""

    options: tuple[str, ...]
    ticks: int | None = None


# some of x264's code is inexact in the CPU's own way; with AVX-512 it even weighs blocks by memory past
# its rows, and a film comes out otherwise each time
_ON_ANY_CPU = ("-x264-params", "cpu-independent=1")

# by a film's ending
CODECS = {
    # veryfast at a high quality: still pictures cost few bits, and a user waits for this
    ".mp4": FilmCodec(
        (
            *("-vf", _TAGS, "-c:v", "libx264", "-preset", "veryfast", "-crf", "17"),
            *_ON_ANY_CPU,
            *("-pix_fmt", "yuv420p", "-movflags", "+faststart", "-f", "mp4"),
        )
    ),
    ".gif": FilmCodec(("-vf", f"{_TAGS},{_PALETTES}", "-loop", "0", "-f", "gif"), ticks=100),
}


def _ffmpeg() -> str:
    import imageio_ffmpeg

    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise FilmError(f"no ffmpeg: {error}") from error
