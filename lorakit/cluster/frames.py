"""What travels between a run and a node: JSON with bytes behind it, and files in pieces."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lorakit.files import open_regular

Message = Mapping[str, Any]
Frame = bytes | memoryview
PIECE = 4 << 20  # bytes of a file in one frame: a few are under way at once
_LENGTH = 4  # bytes that say how long the JSON is
_BEFORE = 8  # bytes that say how long a frame is among several


def pack(message: Message, body: bytes = b"") -> bytes:
    """A frame of a message and the bytes that belong to it."""
    text = json.dumps(message).encode()
    return len(text).to_bytes(_LENGTH, "big") + text + body


def unpack(frame: Frame) -> tuple[dict[str, Any], memoryview]:
    """The message of a frame, and its bytes. Raises ValueError where it is none."""
    view = memoryview(frame)
    end = _LENGTH + int.from_bytes(view[:_LENGTH], "big")
    message = json.loads(bytes(view[_LENGTH:end]))
    if not isinstance(message, dict):
        raise ValueError("a frame without a message")  # noqa: TRY004 - of bytes that came, not of a type here
    return message, view[end:]


def pieces(path: Path) -> Iterator[tuple[bytes, bool]]:
    """A file's bytes in order, and whether they are the last. Raises OSError."""
    with open_regular(path) as file:
        piece = file.read(PIECE)
        while True:
            after = file.read(PIECE) if len(piece) == PIECE else b""
            yield piece, not after
            if not after:
                return
            piece = after


def joined(frames: Sequence[bytes]) -> bytes:
    """Frames in one, each behind its length."""
    return b"".join(
        part for frame in frames for part in (len(frame).to_bytes(_BEFORE, "big"), frame)
    )


def parted(joint: bytes) -> Iterator[memoryview]:
    """The frames that were joined."""
    told, place = memoryview(joint), 0
    while place < len(told):
        start = place + _BEFORE
        place = start + int.from_bytes(told[place:start], "big")
        yield told[start:place]
