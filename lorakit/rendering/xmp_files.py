"""XMP packets put into films that are written already, where each format has them (XMP, part 3).

Files are changed in place, and none is held in memory.
"""

from __future__ import annotations

import os
import shutil
import struct
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from lorakit.facts.pictures.open_picture import header
from lorakit.rendering.ffmpeg_writer import FilmError

_UUID = bytes.fromhex("BE7ACFCB97A942E89C71999491E3AFAC")
# behind a packet in a GIF: whoever skips it as blocks comes out at its end, wherever they began
_GIF_TAIL = bytes([1, *range(255, -1, -1), 0])
_GIF_LOOP = b"NETSCAPE2.0"  # which says how often it is shown
_WEBP_XMP = 4  # the flag in VP8X


def put_xmp(film: Path, packet: str) -> None:
    """Put a packet into a film of one of `WITH_XMP`. Raises FilmError where it is not what its name says."""
    with film.open("r+b") as file:
        try:
            _WRITERS[film.suffix](file, packet.encode())
        except (struct.error, IndexError) as error:
            raise FilmError(f"{film.name} breaks off: it cannot be given its XMP") from error


def _mp4(file: BinaryIO, data: bytes) -> None:
    """A box of its own, behind all others."""
    file.seek(0, os.SEEK_END)
    file.write(_box(b"uuid", _UUID + data))


def _mov(file: BinaryIO, data: bytes) -> None:
    """QuickTime's user data, in the last box: nothing that tables point at is moved."""
    name, start, end = list(_boxes(file))[-1]
    if name != b"moov":
        raise FilmError("the film's index does not stand at its end")
    file.seek(start + 8)
    inner = file.read(end - start - 8)
    at, told = 0, b""
    while at < len(inner):
        size, kind = struct.unpack(">I4s", inner[at : at + 8])
        if kind == b"udta":
            told = inner[at + 8 : at + size]
            inner = inner[:at] + inner[at + size :]
            break
        at += max(size, 8)
    file.seek(start)
    file.write(_box(b"moov", inner + _box(b"udta", told + _box(b"XMP_", data))))


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def _boxes(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """The boxes of a file: each one's kind, where it begins, and where it ends."""
    at, end = 0, file.seek(0, os.SEEK_END)
    while at < end:
        file.seek(at)
        size, kind = struct.unpack(">I4s", file.read(8))
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
        if size < 8:  # 0 is up to the end
            size = end - at
        yield kind, at, at + size
        at += size


def _gif(file: BinaryIO, data: bytes) -> None:
    """An application's block, before the first picture: FFmpeg takes one behind the last for a frame."""
    start = file.read(13)
    if start[:4] != b"GIF8":
        raise FilmError("the GIF breaks off: it cannot be given its XMP")
    colours = 3 << ((start[10] & 7) + 1) if start[10] & 0x80 else 0
    at = 13 + colours
    file.seek(at)
    if file.read(14)[3:] == _GIF_LOOP:
        at += 19
    with tempfile.TemporaryFile() as rest:
        file.seek(at)
        shutil.copyfileobj(file, rest)
        file.seek(at)
        file.write(b"\x21\xff\x0bXMP DataXMP" + data + _GIF_TAIL)
        rest.seek(0)
        shutil.copyfileobj(rest, file)


def _webp(file: BinaryIO, data: bytes) -> None:
    """A chunk behind all others, which the first one tells of."""
    riff, _, webp, first = struct.unpack("<4sI4s4s", file.read(16))
    if (riff, webp) != (b"RIFF", b"WEBP"):
        raise FilmError("the WebP breaks off: it cannot be given its XMP")
    if first != b"VP8X":  # of a film of one picture
        _extend_webp(file)
    file.seek(20)
    flags = file.read(1)[0]
    file.seek(20)
    file.write(bytes([flags | _WEBP_XMP]))
    file.seek(0, os.SEEK_END)
    file.write(struct.pack("<4sI", b"XMP ", len(data)) + data + b"\0" * (len(data) % 2))
    size = file.tell() - 8
    file.seek(4)
    file.write(struct.pack("<I", size))


def _extend_webp(file: BinaryIO) -> None:
    """Give a picture the chunk that tells of others (developers.google.com/speed/webp)."""
    file.seek(0)
    size = header(file, "the picture").size
    sides = [(side - 1).to_bytes(3, "little") for side in size]
    file.seek(12)
    picture_chunk = file.read()
    file.seek(12)
    file.write(struct.pack("<4sI4x", b"VP8X", 10) + b"".join(sides) + picture_chunk)


_WRITERS: Mapping[str, Callable[[BinaryIO, bytes], None]] = {
    ".mp4": _mp4,
    ".mov": _mov,
    ".gif": _gif,
    ".webp": _webp,
}
WITH_XMP = frozenset(_WRITERS)
