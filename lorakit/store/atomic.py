"""Writing files so that a crash leaves the old one or the new one, never half of one."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` last through a power cut, where the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_bytes(target: Path, data: bytes, *, durable: bool = True) -> None:
    """Write `data` to `target` at once: temporary name, fsync, rename."""
    target.parent.mkdir(parents=True, exist_ok=True)
    # a name of our own: where a lock fails, two writers cost work twice, never data
    # (and a short one: the target's may be as long as names can be)
    temporary = target.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    if durable:
        sync_folder(target.parent)


def write_json(target: Path, data: object, *, durable: bool = True, indent: int | None = 1) -> None:
    """Write JSON to `target` at once, UTF-8, keys in the order given."""
    text = json.dumps(data, ensure_ascii=False, indent=indent, allow_nan=False)
    # half of a pair, as in names that are no UTF-8, becomes an escape of JSON's
    write_bytes(target, (text + "\n").encode(errors="backslashreplace"), durable=durable)
