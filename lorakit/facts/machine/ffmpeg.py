"""The ffmpeg that films are piped into, and what it can encode.

To find it and to ask it takes two processes, so what it told is kept in the user's cache for as long as the
binary stays what it is.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import NamedTuple

from lorakit import children
from lorakit.diagnostics import LorakitError
from lorakit.facts.files.user_cache import user_cache
from lorakit.files import anywhere
from lorakit.records import record
from lorakit.store import sealed
from lorakit.store.seen import Identity, identity

_NAMED_BY = "IMAGEIO_FFMPEG_EXE"
_ASKED = 20  # s: a busy machine starts it in less
# V for video or A for audio, further marks, a name, and words, with the codec where it has another name
_LINE = re.compile(r"^ [VA][.A-Z]{5} (\w\S*) .*?(?:\(codec (\w+)\))?\s*$", re.MULTILINE)
_OURS = {"hevc": "h265"}


class FfmpegError(LorakitError):
    """There is no ffmpeg, or it does not run."""


@record
class Ffmpeg:
    """An ffmpeg by its `path`; `encoders` are the codecs it writes, by the names of what writes them."""

    path: str
    encoders: Mapping[str, str] = field(default_factory=dict)

    def writing(self, codec: str) -> list[str]:
        """Its encoders of a codec, sorted."""
        return sorted(name for name, writes in self.encoders.items() if writes == codec)


def ffmpeg_path() -> str:
    """The ffmpeg that imageio-ffmpeg brings, or the one that IMAGEIO_FFMPEG_EXE names.

    Raises FfmpegError where there is none.
    """
    import imageio_ffmpeg

    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise FfmpegError(f"no ffmpeg: {error}") from error


class _Met(NamedTuple):
    """An ffmpeg, and what its file was then; None for a name that is looked up, which changes as little."""

    ffmpeg: Ffmpeg
    identity: Identity | None


_met: dict[tuple[str, str], _Met] = {}  # by what names it, and the Python whose packages bring one


def this_ffmpeg() -> Ffmpeg:
    """The ffmpeg of this machine, asked once for each binary. Raises FfmpegError."""
    by = os.environ.get(_NAMED_BY, ""), sys.prefix
    met = _met.get(by) or _kept(by)
    if met is None or _identity(met.ffmpeg.path) != met.identity:
        path = ffmpeg_path()
        met = _Met(_asked(path), _identity(path))
        _keep(by, met)
    _met[by] = met
    return met.ffmpeg


def _identity(path: str) -> Identity | None:
    try:
        return identity(Path(path).stat()) if Path(path).is_absolute() else None
    except OSError:
        return None


def _memory() -> Path:
    return user_cache() / "ffmpeg.json"


def _kept(by: tuple[str, str]) -> _Met | None:
    """What was kept, if it is of the one that is named now."""
    with anywhere():
        data = sealed.read(_memory())
    if not isinstance(data, dict) or data.get("by") != list(by):
        return None
    size, written, changed, inode = data["identity"]
    return _Met(Ffmpeg(data["path"], data["encoders"]), (size, written, changed, inode))


def _keep(by: tuple[str, str], met: _Met) -> None:
    if met.identity is None:
        return
    told = {"path": met.ffmpeg.path, "encoders": met.ffmpeg.encoders, "identity": met.identity}
    with contextlib.suppress(OSError):
        _memory().parent.mkdir(parents=True, exist_ok=True)
        sealed.write(_memory(), {"by": by, **told})


def _asked(path: str) -> Ffmpeg:
    command = [path, "-nostdin", "-hide_banner", "-loglevel", "error", "-encoders"]
    try:
        told = subprocess.run(
            command,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_ASKED,
            check=True,
            env=children.environment(),
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise FfmpegError(f"ffmpeg does not tell what it encodes: {error}") from error
    return Ffmpeg(path, encoders_in(told.stdout.decode("utf-8", errors="replace")))


def encoders_in(listed: str) -> dict[str, str]:
    """What `ffmpeg -encoders` lists: names with the codecs that they write, h265 for what it calls hevc."""
    return {name: _OURS.get(codec or name, codec or name) for name, codec in _LINE.findall(listed)}
