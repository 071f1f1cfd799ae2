"""A finished film is read back before it counts as done: a player has the last word, not the writer."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from lorakit.rendering.ffmpeg_writer import FilmError

if TYPE_CHECKING:
    from pathlib import Path

_ROUNDED = 0.011  # s: ffmpeg tells a film's length in hundredths


def check_film(film: Path, size: tuple[int, int], fps: int, frames: int) -> None:
    """Hold a film against what was written: its size in px, its rate, its length, its first and last frame.

    Raises `FilmError` naming what differs, or that the film cannot be read.
    """
    from moviepy.video.io.ffmpeg_reader import ffmpeg_parse_infos

    try:
        found: dict[str, Any] = ffmpeg_parse_infos(str(film))
        told = (
            ("px", tuple(found["video_size"]), size),
            ("frames a second", found["video_fps"], fps),
        )
        length = float(found["duration"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise FilmError(
            f"the film that was written cannot be read: {_first_line(error)}"
        ) from error
    for what, is_, should in told:
        if is_ != should:
            raise FilmError(f"the film that was written has {is_} {what} instead of {should}")
    if abs(length - frames / fps) > _ROUNDED:
        raise FilmError(
            f"the film that was written lasts {length:g} s instead of {frames / fps:.2f} s"
        )
    _read_ends(film, fps, frames)


def _read_ends(film: Path, fps: int, frames: int) -> None:
    """Decode the first and the last frame."""
    from moviepy.video.io.ffmpeg_reader import FFMPEG_VideoReader

    reader = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # a frame that does not come is warned of
            reader = FFMPEG_VideoReader(str(film), print_infos=False)
            reader.get_frame((frames - 1) / fps)
    except (OSError, UserWarning, ValueError) as error:
        raise FilmError(f"the film that was written breaks off: {_first_line(error)}") from error
    finally:
        if reader is not None:
            reader.close()


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
