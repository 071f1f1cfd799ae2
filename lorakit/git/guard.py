"""What a repository's own files may do to its reader: keep it waiting, or be damaged. Both are told.

dulwich opens whatever `.git` and the settings in there name (`include.path`, `core.excludesFile`,
alternates): a pipe in the place of one would never end, nor would /dev/zero.
"""

from __future__ import annotations

import errno
import functools
import os
import stat
import sys
from types import TracebackType
from typing import Any

from lorakit.git.errors import GitError

_THEIRS = "dulwich"


@functools.cache  # hooks stay
def open_files_only() -> None:
    """From here on dulwich opens regular files alone: anything else is an OSError."""
    sys.addaudithook(_hear)


def _hear(event: str, values: tuple[Any, ...]) -> None:
    if event != "open" or not isinstance(values[0], str | bytes | os.PathLike):
        return
    caller = sys._getframe(1)  # noqa: SLF001 - the one who opens
    if not caller.f_globals.get("__name__", "").startswith(_THEIRS):
        return
    path = os.fsdecode(values[0])
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - called for each file
    except (OSError, ValueError):
        return  # it says so itself
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or path == os.devnull):
        raise OSError(errno.EINVAL, "it is a pipe, a device or a socket, not a file", path)


def as_git_error(error: BaseException, where: TracebackType | None) -> GitError | None:
    """What is to be said of an error that reading a repository has ended in; None for one of another kind."""
    if not isinstance(error, Exception) or isinstance(error, GitError | MemoryError):
        return None
    while where is not None:
        if where.tb_frame.f_globals.get("__name__", "").startswith(_THEIRS):
            path = getattr(error, "filename", None)
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            at = f", {os.fsdecode(path)}" if isinstance(path, str | bytes) else ""
            return GitError(
                f"the repository cannot be read{at}: {reason}", "git fsck says more of it"
            )
        where = where.tb_next
    return None
