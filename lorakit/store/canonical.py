"""One spelling for equal JSON data, and the digest of it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

# json.dumps makes one at every call
_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)


def canonical(data: object) -> bytes:
    """JSON with sorted keys and no spaces, UTF-8; raises ValueError for NaN and infinities.

    Half of a pair, as in file names that are no UTF-8, is escaped as JSON does.
    """
    return _ENCODER.encode(data).encode(errors="backslashreplace")


def digest_of(data: object) -> str:
    """SHA-256 of the canonical form, in hex."""
    return hashlib.sha256(canonical(data)).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    from lorakit.store.seen import digest_and_identity

    return digest_and_identity(path)[0]
