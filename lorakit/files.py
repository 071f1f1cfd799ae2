"""The door through which files of others are opened: regular files, of a size that was reckoned with."""

from __future__ import annotations

import errno
import io
import os
import stat
from io import BufferedReader, TextIOWrapper
from pathlib import Path


def open_regular(path: Path, *, follow: bool = True) -> BufferedReader:
    """Open a file to read. Raises OSError, also for a pipe, a device or a socket: those might never end."""
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
