"""Clips as files: frames of 8 bits of RGB, kept without loss, written and read one at a time.

FFV1 (RFC 9043) in Matroska, each frame by itself. The same frames give the same bytes.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from fractions import Fraction
from typing import TYPE_CHECKING, Self

from lorakit.rendering.ffmpeg_writer import FFmpegWriter, FilmError, begin_ffmpeg, ffmpeg

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    Bytes = NDArray[np.uint8]

_RATE = 24  # a number for players: a film has its own
_THREADS = 2  # a fixed number, as FFV1's slices are


class ClipWriter:
    """Writes frames of one size, in px; a context manager.

    Leaving it without `finish` removes what was written.
    """

    def __init__(self, target: Path, width: int, height: int) -> None:
        self._size = (width, height)
        self._pipe = FFmpegWriter(
            target, (width, height), Fraction(_RATE), command=_writing(target, width, height)
        )

    def write(self, frame: Image) -> None:
        """Write a frame, RGB. Raises `FilmError`."""
        if frame.size != self._size or frame.mode != "RGB":
            raise FilmError(f"a frame of {frame.size} in a clip of {self._size}")
        for _ in self._pipe.write(memoryview(frame.tobytes())):
            pass

    def finish(self) -> None:
        """End the clip. Raises `FilmError`."""
        for _ in self._pipe.finish():
            pass

    def __enter__(self) -> Self:
        self._pipe.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pipe.__exit__(kind, error, trace)


class ClipReader:
    """The frames of a clip of `width` x `height` px, asked for in the film's order, one held at a time."""

    def __init__(self, path: Path, width: int, height: int) -> None:
        self._path, self._shape = path, (height, width, 3)
        self._process: subprocess.Popen[bytes] | None = None
        self._number = -1
        self._frame: Bytes | None = None

    def frame(self, number: int) -> Bytes:
        """Frame `number`, (H, W, 3), counted from 0. Raises `FilmError` where there is none.

        To go back is to read from the beginning again.
        """
        import numpy as np

        if self._process is None or number < self._number:
            self._open()
        size = int(np.prod(self._shape))
        while self._number < number:
            assert self._process is not None
            assert self._process.stdout is not None
            raw = self._process.stdout.read(size)
            if len(raw) < size:
                raise FilmError(f"clip {self._path.name} breaks off at frame {self._number + 1}")
            self._number += 1
            self._frame = np.frombuffer(raw, dtype=np.uint8).reshape(self._shape)
        assert self._frame is not None
        return self._frame

    def close(self) -> None:
        """Let go of the file and of ffmpeg."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            if self._process.stdout is not None:
                with contextlib.suppress(OSError):
                    self._process.stdout.close()
            self._process = None

    def _open(self) -> None:
        self.close()
        self._number = -1
        path = f"file:{os.fspath(self._path.absolute())}"
        quiet = ["-nostdin", "-hide_banner", "-loglevel", "error", "-threads", str(_THREADS)]
        raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-fps_mode", "passthrough", "pipe:1"]
        self._process = begin_ffmpeg(
            # its own format alone, whatever stands in the file
            [ffmpeg(), *quiet, "-f", "matroska", "-i", path, *raw],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )


def _writing(target: Path, width: int, height: int) -> list[str]:
    frames_in = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-video_size", f"{width}x{height}"]
    exact = ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1"]
    codec = ["-c:v", "ffv1", "-level", "3", "-g", "1", "-slices", "4", "-slicecrc", "1"]
    return [
        *[ffmpeg(), "-nostdin", "-hide_banner", "-nostats", "-loglevel", "error", "-y"],
        *[*frames_in, "-framerate", str(_RATE), "-i", "pipe:0", "-an"],
        *[*codec, "-pix_fmt", "bgr0", "-threads", str(_THREADS), *exact, "-f", "matroska"],
        f"file:{os.fspath(target.absolute())}",
    ]
