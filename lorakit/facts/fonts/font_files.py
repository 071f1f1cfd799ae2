"""The fonts of this machine: where they lie, and which characters each has; opened where ours lacks some.

`LORAKIT_FONTS` names the folders to look into instead of the system's; empty, it means none.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from lorakit.records import record

# of PyPI: Noto's fonts for most scripts, and those for Chinese, Japanese and Korean
PACKAGES = ("manimgx_fonts", "manimgx_fonts_cjk")
_ENDINGS = (".ttf", ".otf", ".ttc", ".otc")
_MOST_FILES = 20_000
# they have a box for every character
_NO_LETTERS = ("lastresort", "adobeblank", "notdef")
_PLAIN = ("regular", "[wght]", "-vf", "medium")
_ODD = ("italic", "oblique", "bold", "black", "thin", "light", "condensed", "mono", "serif", "kufi")


@record
class Face:
    """One font of a file. `strike` is the only size of one whose letters are pictures, 0 of all others.

    `family` is its name; `colour` says whether its letters have colours of their own, `gradients` whether
    they run into each other (COLRv1), which the library that draws letters does not draw: a box, or nothing.
    """

    path: str
    index: int
    family: str
    strike: int = 0
    colour: bool = False
    gradients: bool = False


def font_files() -> tuple[str, ...]:
    """All font files, the likeliest to suit a line of text first; the same order on every machine."""
    return _ranked(os.environ.get("LORAKIT_FONTS"))


def _ranked(chosen: str | None) -> tuple[str, ...]:
    found = dict.fromkeys(_under(_packages() if chosen is None else []))
    found |= dict.fromkeys(_under(_folders(chosen)))
    rank = {path: number for number, path in enumerate(found)}
    many = len(list(_under(_packages()))) if chosen is None else 0

    def worth(path: str) -> tuple[bool, int, bool, str, str]:
        name = Path(path).name.lower()
        odd = sum(word in name for word in _ODD) - any(word in name for word in _PLAIN)
        return rank[path] >= many, odd, not name.startswith("noto"), name, path

    return tuple(sorted(found, key=worth))


def _packages() -> list[Path]:
    found = []
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        found += (
            [Path(place) for place in (spec.submodule_search_locations or ()) if spec]
            if spec
            else []
        )
    return found


def _folders(chosen: str | None) -> list[Path]:
    if chosen is not None:
        return [Path(one).expanduser() for one in chosen.split(os.pathsep) if one.strip()]
    home = Path.home()
    if sys.platform == "darwin":
        return [home / "Library/Fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts")]
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA", str(home / "AppData/Local"))
        system = os.environ.get("WINDIR", "C:/Windows")
        return [Path(local) / "Microsoft/Windows/Fonts", Path(system) / "Fonts"]
    own = os.environ.get("XDG_DATA_HOME") or str(home / ".local/share")
    shared = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    return [
        Path(own) / "fonts",
        home / ".fonts",
        *(Path(one) / "fonts" for one in shared.split(":") if one),
    ]


def _under(folders: list[Path]) -> Iterator[str]:
    count = 0
    for folder in folders:
        for base, inner, names in os.walk(folder):
            inner.sort()
            for name in sorted(names):
                if name.startswith(".") or not name.lower().endswith(_ENDINGS):
                    continue
                if any(word in name.lower() for word in _NO_LETTERS):
                    continue
                path = Path(base, name)
                count += 1
                if count > _MOST_FILES:
                    return
                if path.is_file():
                    yield str(path)


def faces(path: str) -> tuple[Face, ...]:
    """The fonts of a file; none where it cannot be read as one."""
    return _faces(path, _stamp(path))


def characters(face: Face) -> frozenset[int]:
    """The code points that a font has letters for."""
    return _characters(face, _stamp(face.path))


def _stamp(path: str) -> tuple[int, int]:
    try:
        found = os.stat(path)  # noqa: PTH116 - many, and quick
    except OSError:
        return (0, 0)
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=4096)
def _faces(path: str, _: tuple[int, int]) -> tuple[Face, ...]:
    from fontTools.ttLib import TTCollection

    with _whatever_a_file_holds():
        count = 1
        if path.lower().endswith((".ttc", ".otc")):
            with open(path, "rb") as file:  # noqa: PTH123
                count = len(TTCollection(file, lazy=True).fonts)
        found = []
        for index in range(count):
            with _opened(path, index) as font:
                face = _face(path, index, font)
            found += [face] if face else []
        return tuple(found)
    return ()


@lru_cache(maxsize=64)
def _characters(face: Face, _: tuple[int, int]) -> frozenset[int]:
    with _whatever_a_file_holds(), _opened(face.path, face.index) as font:
        return frozenset(font.getBestCmap() or ())
    return frozenset()


@contextlib.contextmanager
def _opened(path: str, index: int) -> Iterator[Any]:
    from fontTools.ttLib import TTFont

    # its own opening of a path would leave a file open that is no font
    with open(path, "rb") as file, TTFont(file, fontNumber=index, lazy=True) as font:  # noqa: PTH123
        yield font


@contextlib.contextmanager
def _whatever_a_file_holds() -> Iterator[None]:
    """Pass over a file that is no font, or a broken one: it draws nothing."""
    import logging

    logging.getLogger("fontTools").setLevel(logging.CRITICAL)
    with contextlib.suppress(Exception):
        yield


def _face(path: str, index: int, font: Any) -> Face | None:
    family = font["name"].getBestFamilyName() or Path(path).stem
    strike, colour = 0, False
    if "CBLC" in font:
        strike, colour = max(one.bitmapSizeTable.ppemY for one in font["CBLC"].strikes), True
    elif "sbix" in font:
        strike, colour = max(font["sbix"].strikes), True
    elif "COLR" in font:
        if font["COLR"].version > 0:
            return Face(path, index, family, colour=True, gradients=True)
        colour = True
    elif "glyf" not in font and "CFF " not in font and "CFF2" not in font:
        return None
    return Face(path, index, family, strike, colour)


@lru_cache(maxsize=256)
def digest(path: str) -> str:
    """The SHA-256 of a font's file."""
    with open(path, "rb") as file:  # noqa: PTH123
        return hashlib.file_digest(file, "sha256").hexdigest()
