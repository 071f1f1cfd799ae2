"""The door through which files of others are opened: regular files, of a size that was reckoned with."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import Any

YAML_ENDINGS = (".yaml", ".yml")
_HALF = re.compile(r"\\u[dD][89abAB]|\\u[dD][c-fC-F]")  # of a pair, maybe

_roots: ContextVar[_Roots | None] = ContextVar("roots", default=None)


@dataclass(slots=True)
class _Roots:
    """The folders that files may be in; `more` is asked for others once none of these holds a file."""

    folders: list[str]
    more: Callable[[], Iterable[Path]] | None
    parents: dict[str, str] = field(default_factory=dict)

    def hold(self, path: str) -> bool:
        while True:
            # the top of a disk ends in a separator already
            if any(path == f or path.startswith(os.path.join(f, "")) for f in self.folders):  # noqa: PTH118
                return True
            if self.more is None:
                return False
            self.folders += [os.path.realpath(folder) for folder in self.more()]
            self.more = None


@contextmanager
def within(roots: Iterable[Path], more: Callable[[], Iterable[Path]]) -> Iterator[None]:
    """While this lasts, files are opened only where they are, links followed, below one of these folders.

    `more` names others; it is asked where none of the first holds a file.
    """
    token = _roots.set(_Roots([os.path.realpath(root) for root in roots], more))
    try:
        yield
    finally:
        _roots.reset(token)


@contextmanager
def anywhere() -> Iterator[None]:
    """While this lasts, no roots are asked: for what is the user's own and belongs to no project."""
    token = _roots.set(None)
    try:
        yield
    finally:
        _roots.reset(token)


def same_roots() -> Callable[[], None]:
    """What gives a thread of ours the roots of this one."""
    roots = _roots.get()

    def take() -> None:
        _roots.set(roots)

    return take


def check_root(path: Path) -> None:
    """Raise OSError where a file is a link, or behind one, that leads out of all roots."""
    roots = _roots.get()
    if roots is None:
        return
    whole = path.absolute()
    # one look for all files of a folder
    parent = roots.parents.get(str(whole.parent))
    if parent is None:
        parent = roots.parents[str(whole.parent)] = os.path.realpath(whole.parent)
    real = Path(parent, whole.name)
    real = Path(os.path.realpath(real)) if real.is_symlink() else real
    if not roots.hold(str(real)):
        raise PermissionError(
            errno.EPERM,
            f"it is a link that leaves the project, to {real}; where that is meant, name its folder in "
            f"your user config: roots: {{shared: {real.parent}}}",
            str(path),
        )


def open_regular(path: Path, *, follow: bool = True) -> BufferedReader:
    """Open a file to read. Raises OSError, also for a pipe, a device or a socket: those might never end."""
    check_root(path)
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    flags |= 0 if follow else getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, "it is a folder", str(path))  # noqa: TRY301
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "it is a pipe, a device or a socket, not a file", str(path))  # noqa: TRY301
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: Path, most: int | None = None) -> bytes:
    """The bytes of a file. Raises OSError, also for what is no regular file or has more than `most` bytes."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if most is not None and size > most:
            raise OSError(errno.EFBIG, f"it has {size:,} bytes, more than {most:,}", str(path))
        return file.read()


def open_text(
    path: Path, *, encoding: str = "utf-8-sig", newline: str | None = None
) -> TextIOWrapper:
    """Open a text to read, as `open_regular` opens bytes."""
    return io.TextIOWrapper(open_regular(path), encoding=encoding, newline=newline)


def read_text(path: Path, most: int, *, encoding: str = "utf-8-sig") -> str:
    """The text of a file of at most so many bytes. Raises OSError, UnicodeDecodeError."""
    return read_regular(path, most).decode(encoding)


def parse_json(text: str, *, constants: bool = False) -> Any:
    """JSON of others: whatever is wrong with it is a ValueError, with words for a user.

    `constants` lets NaN and infinities pass, which are no JSON.
    """
    try:
        data = json.loads(text) if constants else json.loads(text, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("it nests too deeply") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg}{_at(text.rstrip(), error.pos)}") from error
    except ValueError as error:
        if "digits" not in str(error):
            raise
        raise ValueError("a number has too many digits") from error
    if _HALF.search(text):
        try:
            json.dumps(data, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise ValueError("it holds half of a character") from error
    return data


def read_mapping(path: Path, most: int) -> dict[str, Any]:
    """The mapping in a JSON file of at most so many bytes; empty where there is none, or something else."""
    try:
        data = json.loads(read_regular(path, most))
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _at(text: str, position: int) -> str:
    """Where a place is, in the words for one that follows it; a text of one line has no other."""
    position = min(position, len(text))
    column = position - text.rfind("\n", 0, position)
    line = f", line {text.count(chr(10), 0, position) + 1}" if "\n" in text else ""
    return f"{line}, column {column}"


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")
