"""What is said where files cannot be written: the system's reason, and what helps."""

from __future__ import annotations

import errno

from lorakit.diagnostics import LorakitError


class StoreError(LorakitError):
    """The store or a run folder cannot be read or written (a full disk, a folder without permission)."""


_WAYS = {
    errno.ENOSPC: "free some space and run again, what was made is kept",
    errno.EDQUOT: "free some space and run again, what was made is kept",
    errno.EMFILE: "allow more open files: ulimit -n 1024",
    errno.ENFILE: "close other programs, or allow more open files",
    errno.EROFS: "copy the project to a disk that you may write to",
    errno.EACCES: "make it writable, or copy the project to where you may write",
    errno.EPERM: "make it writable, or copy the project to where you may write",
    errno.ENAMETOOLONG: "shorten the name",
    errno.ENOENT: "was it removed while this ran? run again, what was made is kept",
}


def why(error: OSError) -> str:
    """The system's reason in small letters, with a way out where we know one."""
    reason = (error.strerror or str(error)).lower()
    way = _WAYS.get(error.errno or 0)
    return f"{reason}: {way}" if way else reason
