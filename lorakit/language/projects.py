"""Which folder a document's project is, and where what is made of it goes: the one place for both rules.

The project is what paths may not leave. `outputs/` and `.lorakit/` go into it as well, unless the working
directory is in another project: then into that one.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lorakit.language.yaml.reader import Reader

FOLDER = ".lorakit"  # what a project keeps
_GIT = ".git"
MARKS = (FOLDER, _GIT)  # folders that make a project


class ProjectFolders(NamedTuple):
    """`root` is what the paths of documents may not leave, `home` where outputs and the store are."""

    root: Path
    home: Path


def folders_of(reader: Reader, written: Path) -> ProjectFolders:
    """The folders of a document, which may be called by a link."""
    document = reader.resolve(written)
    here = reader.resolve(Path())
    marked = _marked(reader, document.parents)
    root = marked or (here if document.is_relative_to(here) else document.parent)
    of_here = marked_folder(reader, here)
    if of_here is not None:
        return ProjectFolders(root, root if root.is_relative_to(of_here) else of_here)
    # a link in the working directory is a document there, wherever it leads
    held = reader.resolve(written.parent).is_relative_to(here)
    return ProjectFolders(root, here if marked is None and held else root)


def home_of_folder(reader: Reader, folder: Path = Path()) -> Path:
    """Where outputs and the store of a folder are, by default the working directory's."""
    whole = reader.resolve(folder)
    return marked_folder(reader, whole) or whole


def marked_folder(reader: Reader, folder: Path) -> Path | None:
    """The nearest folder that is marked as a project, from a folder upwards; None where there is none."""
    return _marked(reader, (folder, *folder.parents))


def _marked(reader: Reader, folders: Iterable[Path]) -> Path | None:
    return next((folder for folder in folders if _is_marked(reader, folder)), None)


def _is_marked(reader: Reader, folder: Path) -> bool:
    """Whether a folder is a project: by our folder, or by git's, which is a file in worktrees and submodules.

    git in the home folder keeps settings: it makes no project of all that lies in there.
    """
    ours = folder / FOLDER
    if reader.exists(ours) and not reader.is_file(ours):
        return True
    return reader.exists(folder / _GIT) and folder != _users_home(reader)


def _users_home(reader: Reader) -> Path | None:
    try:
        return reader.resolve(Path.home())
    except RuntimeError:  # nobody's
        return None
