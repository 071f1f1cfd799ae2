"""Films of others, frame by frame: when each frame stands, what it is by content, and its pixels.

They are read by the ffmpeg that films are written with, as what they are and nothing else: no playlist that
names other files or addresses. A frame is known by the digest of its pixels as it is seen, so that another
film with the same picture there has the same frame.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lorakit.diagnostics import LorakitError
from lorakit.facts.machine.ffmpeg import FfmpegError, ffmpeg_path
from lorakit.facts.machine.ffmpeg_output import ffmpeg_output
from lorakit.facts.pictures.open_picture import rgb
from lorakit.store.canonical import digest_of

if TYPE_CHECKING:
    from PIL.Image import Image

_FORMATS = "mov,matroska,avi,ogg,mpegts,mpeg"
_PATIENCE = 600  # s for one film
_TICKS = 120_000  # a second; the frames of all usual rates begin at whole ones
_NEAR = Fraction(1, 1000)  # s: some formats know times no better
# as it is seen: frame by frame as they come, turned upright, the same bits on every processor
_AS_SEEN = ("-map", "0:v:0", "-an", "-sn", "-dn", "-sws_flags", "bicubic+accurate_rnd+bitexact")


class FilmReadError(LorakitError):
    """A film cannot be read; says why."""


class FilmFrame(NamedTuple):
    """When a frame begins, in s from the film's beginning, and the digest of its pixels."""

    seconds: Fraction
    digest: str


class FilmFrames(NamedTuple):
    """The frames of a film, as far as it was read, and how many seconds that lasts."""

    frames: tuple[FilmFrame, ...]
    seconds: Fraction

    def at(self, seconds: Fraction) -> int | None:
        """The number from 0 of the frame that stands at a time; None behind the end."""
        if seconds + _NEAR >= self.seconds:
            return None
        begun = [n for n, one in enumerate(self.frames) if one.seconds <= seconds + _NEAR]
        return begun[-1] if begun else 0


def frames_of(path: Path, most: Fraction) -> FilmFrames:
    """The frames of a film's first `most` seconds, all of them decoded. Raises FilmReadError."""
    ticks = f"1/{_TICKS}"
    hashed = [*("-vf", f"settb={ticks}", "-enc_time_base", ticks, "-fps_mode", "passthrough")]
    hashed += ["-pix_fmt", "rgb24", "-f", "framehash", "-hash", "SHA256", "pipe:1"]
    told = _run(["-t", f"{float(most):.3f}", *_input(path), *_AS_SEEN, *hashed]).decode()
    size, frames, end = "", list[FilmFrame](), 0
    for line in told.splitlines():
        if line.startswith("#dimensions 0:"):
            size = line.rpartition(" ")[2]
        elif line and not line.startswith("#"):
            _, _, begins, lasts, _, digest = (part.strip() for part in line.split(","))
            frames.append(FilmFrame(Fraction(int(begins), _TICKS), digest_of([size, digest])))
            end = int(begins) + max(int(lasts), 1)
    if not frames:
        raise FilmReadError("it has no picture in it")
    first = frames[0].seconds
    begun = tuple(one._replace(seconds=one.seconds - first) for one in frames)
    return FilmFrames(begun, Fraction(end, _TICKS) - first)


def frame_of(path: Path, number: int, seconds: float, digest: str) -> Image:
    """A frame, RGB, found by its time, or else by its number. Raises FilmReadError where it is another."""
    by_time = ["-ss", f"{max(0.0, seconds - float(_NEAR)):.6f}", *_input(path), *_AS_SEEN]
    by_number = [*_input(path), *_AS_SEEN, "-vf", f"select=eq(n\\,{number})"]
    for asked in (by_time, by_number):
        found = _picture(asked)
        if found is not None and _digest(found) == digest:
            return found
    raise FilmReadError(f"frame {number + 1} of {path.name} is another than when the plan was made")


def _picture(asked: Sequence[str]) -> Image | None:
    one = ("-fps_mode", "passthrough", "-frames:v", "1", "-pix_fmt", "rgb24")
    written = _run([*asked, *one, "-c:v", "png", "-f", "image2pipe", "pipe:1"])
    return rgb(io.BytesIO(written)) if written else None


def _digest(picture: Image) -> str:
    size = f"{picture.width}x{picture.height}"
    return digest_of([size, hashlib.sha256(picture.tobytes()).hexdigest()])


def _input(path: Path) -> list[str]:
    safe = ["-protocol_whitelist", "file", "-format_whitelist", _FORMATS]
    return [*safe, "-i", f"file:{path.absolute()}"]


def _run(asked: Sequence[str]) -> bytes:
    """What ffmpeg writes that is asked for this. Raises FilmReadError with its first words."""
    try:
        quiet = [ffmpeg_path(), "-nostdin", "-hide_banner", "-nostats", "-loglevel", "error"]
        return ffmpeg_output([*quiet, *asked], "picture", _PATIENCE)
    except FfmpegError as error:
        raise FilmReadError(str(error)) from error
