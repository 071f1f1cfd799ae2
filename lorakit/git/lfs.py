"""git-LFS: what git keeps of a large file is a pointer to it, a text of three lines."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from lorakit.files import open_regular
from lorakit.records import record

MOST = 1024  # bytes of a pointer, by its specification
_BEGINS = b"version https://git-lfs"


@record
class Pointer:
    """The SHA-256 of a file's bytes, and how many they are."""

    digest: str
    size: int

    def is_of(self, file: Path) -> bool:
        """Whether it stands for a file."""
        try:
            with open_regular(file) as handle:
                if os.fstat(handle.fileno()).st_size != self.size:
                    return False
                return hashlib.file_digest(handle, "sha256").hexdigest() == self.digest
        except OSError:
            return False

    def kept_in(self, common: Path) -> Path:
        """Where git-LFS keeps the file below git's own folder, once it is fetched."""
        return common / "lfs" / "objects" / self.digest[:2] / self.digest[2:4] / self.digest


def pointer(data: bytes) -> Pointer | None:
    """The pointer that some bytes are; None for any others."""
    if len(data) > MOST or not data.startswith(_BEGINS):
        return None
    from dulwich.lfs import LFSPointer

    found = LFSPointer.from_bytes(data)
    if found is None or not found.is_valid_oid():
        return None
    return Pointer(found.oid.lower(), found.size)
