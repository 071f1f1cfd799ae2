"""Putting an object where a user can open it, so that editing it there cannot harm the store."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

from reflink_copy import reflink_or_copy


def place(source: Path, target: Path) -> None:
    """Copy `source` to `target`, sharing blocks where the file system can; never a link.

    Written under another name and renamed, so that a viewer never meets half a file.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{uuid.uuid4().hex}.part")
    try:
        try:
            reflink_or_copy(str(source), str(part))
        except OSError:
            shutil.copyfile(source, part)
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
