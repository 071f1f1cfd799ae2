"""Seeds derived from what a picture is, never from its words or its place."""

from __future__ import annotations

import hashlib

from lorakit.store.canonical import canonical


def derive(*identity: str | int) -> int:
    """A seed in 0 .. 2^63-1 from an identity such as (board seed, scene name, hop)."""
    return int.from_bytes(hashlib.sha256(canonical(list(identity))).digest()[:8], "big") >> 1
