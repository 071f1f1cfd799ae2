"""The font that a film asks for, by its family or by its file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lorakit.facts.fonts.font_files import Face, faces, font_files


def face_in(path: Path) -> Face | None:
    """The first font of a file that can be drawn with; None where there is none."""
    return next((face for face in faces(str(path)) if not face.gradients), None)


def face_of(family: str) -> Face | None:
    """A font of this machine of that family, the plainest first; None where there is none."""
    wanted = _plain(family)
    return next((face for face in _every() if _plain(face.family) == wanted), None)


def families() -> list[str]:
    """The families of this machine's fonts, each once."""
    return list(dict.fromkeys(face.family for face in _every()))


def _every() -> Iterator[Face]:
    for path in font_files():
        yield from (face for face in faces(path) if not face.gradients)


def _plain(family: str) -> str:
    return "".join(family.split()).casefold()
