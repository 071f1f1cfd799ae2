"""A finished film is read back before it counts as done: a player has the last word, not the writer."""

from __future__ import annotations

import importlib
import os
import struct
import sys
import threading
import warnings
from typing import TYPE_CHECKING

from lorakit.rendering.ffmpeg_writer import FilmError

if TYPE_CHECKING:
    from fractions import Fraction
    from pathlib import Path
    from types import ModuleType

_IMPORTING = threading.Lock()
_UNREADABLE = (OSError, KeyError, TypeError, ValueError, IndexError, AttributeError, UserWarning)
_ESTIMATED = 0.02  # ffmpeg tells 119 frames a second as 120
_ROUNDED = 0.011  # s: ffmpeg tells a film's length in hundredths
_TRIES = 3
# how many ticks a second a file counts time in, by its ending; others any rate
_TICKS = {".gif": 100, ".webm": 1000}


def check_film(film: Path, size: tuple[int, int], fps: Fraction, frames: int) -> None:
    """Hold a film against what was written, its size in px, rate and length, and decode its last frame.

    Raises `FilmError` naming what differs, or that the film cannot be read.
    """
    for left in reversed(range(_TRIES)):
        try:
            _check(film, size, fps, frames)
        except FilmError:
            # the ffmpeg that read it may have been killed, which moviepy does not tell from a broken film;
            # that is as broken the next time
            if not left:
                raise
        else:
            return


def _check(film: Path, size: tuple[int, int], fps: Fraction, frames: int) -> None:
    if film.suffix == ".webp":
        _check_webp(film, size, fps, frames)
        return
    try:
        infos = reader().ffmpeg_parse_infos(str(film))
        px, rate = tuple(infos["video_size"]), float(infos["video_fps"])
        length = float(infos["duration"])
    except _UNREADABLE as error:
        said = _first_line(error)
        raise FilmError(f"the film that was written cannot be read: {said}") from error
    if px != size:
        raise FilmError(f"the film that was written has {px} px instead of {size}")
    ticks = _TICKS.get(film.suffix)
    if (ticks is None or ticks % fps == 0) and abs(rate - fps) > _ESTIMATED * fps:
        raise FilmError(
            f"the film that was written has {rate} frames a second instead of {float(fps):.5g}"
        )
    if abs(length - frames / fps) > _ROUNDED + (1 / ticks if ticks else 0):
        lasts = f"{length:g} s instead of {float(frames / fps):.2f} s"
        raise FilmError(f"the film that was written lasts {lasts}")
    _read_last(film, float((frames - 1) / fps))


def _check_webp(film: Path, size: tuple[int, int], fps: Fraction, frames: int) -> None:
    """By its chunks (developers.google.com/speed/webp/docs/riff_container), and Pillow's decoder."""
    from lorakit.facts.pictures.open_picture import PictureError, header, quietly

    milliseconds, end = 0, film.stat().st_size
    try:
        with film.open("rb") as data:
            told = struct.unpack("<4sI4s", data.read(12))
            if told[0] != b"RIFF" or told[1] + 8 != end:
                raise FilmError("the film that was written breaks off")
            while data.tell() < end:
                kind, length = struct.unpack("<4sI", data.read(8))
                chunk = data.read(16 if kind == b"ANMF" else 0)
                milliseconds += int.from_bytes(chunk[12:15], "little")
                data.seek(length + length % 2 - len(chunk), os.SEEK_CUR)
        with quietly():
            px = header(film, film.name, whole=True).size
    except (*_UNREADABLE, PictureError, struct.error) as error:
        said = _first_line(error)
        raise FilmError(f"the film that was written cannot be read: {said}") from error
    if px != size:
        raise FilmError(f"the film that was written has {px} px instead of {size}")
    # a film of one picture is none that moves, and tells no time
    if milliseconds and abs(milliseconds / 1000 - frames / fps) > 1 / fps:
        lasts = f"{milliseconds / 1000:g} s instead of {float(frames / fps):.2f} s"
        raise FilmError(f"the film that was written lasts {lasts}")


def _read_last(film: Path, last: float) -> None:
    """Decode the frame at `last` seconds; moviepy's own reader would decode the first ones too."""

    class Reader(reader().FFMPEG_VideoReader):  # type: ignore[misc]
        def initialize(self, start_time: float = 0) -> None:
            super().initialize(start_time or last)

        def close(self, *, delete_lastread: bool = True) -> None:
            process = self.proc
            super().close(delete_lastread)
            if process is not None:  # moviepy leaves the pipes of one that has ended by itself open
                process.stdout.close()
                process.stderr.close()

    opened = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # a frame that does not come is warned of
            # with decode_file it would decode all of it, and trip over ffmpeg's `time=N/A` of a busy machine
            opened = Reader(str(film), decode_file=False)
    except _UNREADABLE as error:
        raise FilmError(f"the film that was written breaks off: {_first_line(error)}") from error
    finally:
        if opened is not None:
            opened.close()


def prepare() -> None:
    """Import what reads films back, while one is written: that takes about a second."""
    threading.Thread(target=_import, daemon=True).start()


def _import() -> None:
    reader()


def reader() -> ModuleType:
    """Moviepy's reader of films, imported with no way to a `.env`.

    moviepy would read the first that it finds from its own folder upwards, which is a project's where that
    holds the environment; and what is named there as FFMPEG_BINARY it would start.
    """
    name = "moviepy.video.io.ffmpeg_reader"
    with _IMPORTING:
        if name not in sys.modules:
            before = sys.modules.get("dotenv")
            sys.modules["dotenv"] = None  # type: ignore[assignment]  # to import it fails, which moviepy allows
            try:
                importlib.import_module(name)
            finally:
                del sys.modules["dotenv"]
                if before is not None:
                    sys.modules["dotenv"] = before
    return sys.modules[name]


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
