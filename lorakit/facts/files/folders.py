"""What stands in a folder of data, without what file managers, archives and notebooks leave there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

# beside whatever begins with a dot: ._a.png, .DS_Store, .ipynb_checkpoints
_LEFT_BEHIND = {
    "__macosx",
    "@eadir",
    "thumbs.db",
    "desktop.ini",
    "$recycle.bin",
    "system volume information",
}


def left_behind(name: str) -> bool:
    """Whether a file or folder of this name is no data of anybody's."""
    return name.startswith(".") or name.casefold() in _LEFT_BEHIND


def entries(folder: Path) -> list[Path]:
    """What stands in a folder, by name. Raises OSError."""
    return sorted(path for path in folder.iterdir() if not left_behind(path.name))


def walk(folder: Path) -> Iterator[Path]:
    """Everything below a folder but folders, in the order of paths; links to folders are not followed."""
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        if not path.is_dir() and not any(map(left_behind, inside)):
            yield path
