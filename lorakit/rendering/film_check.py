"""A finished film is read back before it counts as done: a player has the last word, not the writer."""

from __future__ import annotations

import importlib
import threading
import warnings
from typing import TYPE_CHECKING

from lorakit.rendering.ffmpeg_writer import CODECS, FilmError

if TYPE_CHECKING:
    from pathlib import Path

_UNREADABLE = (OSError, KeyError, TypeError, ValueError, IndexError, AttributeError, UserWarning)
_ESTIMATED = 0.02  # ffmpeg tells 119 frames a second as 120
_ROUNDED = 0.011  # s: ffmpeg tells a film's length in hundredths


def check_film(film: Path, size: tuple[int, int], fps: int, frames: int) -> None:
    """Hold a film against what was written, its size in px, rate and length, and decode its last frame.

    Raises `FilmError` naming what differs, or that the film cannot be read.
    """
    from moviepy.video.io.ffmpeg_reader import ffmpeg_parse_infos

    try:
        infos = ffmpeg_parse_infos(str(film))
        px, rate = tuple(infos["video_size"]), float(infos["video_fps"])
        length = float(infos["duration"])
    except _UNREADABLE as error:
        said = _first_line(error)
        raise FilmError(f"the film that was written cannot be read: {said}") from error
    if px != size:
        raise FilmError(f"the film that was written has {px} px instead of {size}")
    ticks = CODECS[film.suffix].ticks
    if (ticks is None or ticks % fps == 0) and abs(rate - fps) > _ESTIMATED * fps:
        raise FilmError(f"the film that was written has {rate} frames a second instead of {fps}")
    if abs(length - frames / fps) > _ROUNDED + (1 / ticks if ticks else 0):
        lasts = f"{length:g} s instead of {frames / fps:.2f} s"
        raise FilmError(f"the film that was written lasts {lasts}")
    _read_last(film, (frames - 1) / fps)


def _read_last(film: Path, last: float) -> None:
    """Decode the frame at `last` seconds; moviepy's own reader would decode the first ones too."""
    from moviepy.video.io.ffmpeg_reader import FFMPEG_VideoReader

    class Reader(FFMPEG_VideoReader):
        def initialize(self, start_time: float = 0) -> None:
            super().initialize(start_time or last)

    reader = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # a frame that does not come is warned of
            reader = Reader(str(film), print_infos=False)
    except _UNREADABLE as error:
        raise FilmError(f"the film that was written breaks off: {_first_line(error)}") from error
    finally:
        if reader is not None:
            reader.close()


def prepare() -> None:
    """Import what reads films back, while one is written: that takes about a second."""
    threading.Thread(target=_import, daemon=True).start()


def _import() -> None:
    importlib.import_module("moviepy.video.io.ffmpeg_reader")


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
