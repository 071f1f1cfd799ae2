"""Packs: the manifests of many results in one file, so that a plan of thousands asks but a few times.

A pack is written once, after all objects that it tells of, and never changed. It is called after the time
and the digest of its bytes, `1764238080-<sha256>.gz`, and is gzip of lines: key, seconds since 1970,
manifest. What is later in time counts where two tell of one key.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from lorakit.store import manifests
from lorakit.store.manifests import Manifest, is_digest

NAME = re.compile(r"(\d{10})-([0-9a-f]{64})\.gz\Z")
MOST = 100_000_000  # bytes of a pack as it is stored
MOST_LINES = 20_000  # of a pack that is written here
_MOST_TEXT = 500_000_000  # bytes of its text
_KEY = 64
_BEGIN = _KEY + 12  # of the manifest: the key, a space, ten digits, a space


class BadPack(ValueError):
    """A pack whose bytes are not those of its name, or that is none."""


class PackEntry(NamedTuple):
    """A manifest as a pack has it, unread, and when it was put there (s since 1970)."""

    written: int
    text: bytes

    def manifest(self, key: str) -> Manifest | None:
        """What it says; None where it is not whole."""
        return manifests.read(self.text, key)


def entry(manifest: Manifest, written: int) -> PackEntry:
    """A manifest as it goes into a pack."""
    return PackEntry(written, manifests.to_bytes(manifest))


def write(entries: Mapping[str, PackEntry], now: int) -> tuple[str, bytes]:
    """A pack's name and bytes."""
    lines = [b"%s %010d %s" % (key.encode(), one.written, one.text) for key, one in entries.items()]
    packed = gzip.compress(b"".join(lines), 6, mtime=0)
    return f"{now:010d}-{hashlib.sha256(packed).hexdigest()}.gz", packed


def read(name: str, packed: bytes) -> dict[str, PackEntry]:
    """The entries of a pack by key. Raises BadPack."""
    found = NAME.match(name)
    if found is None or hashlib.sha256(packed).hexdigest() != found[2]:
        raise BadPack(f"the pack {name} is damaged")
    return dict(_entries(name, _text(name, packed)))


def _text(name: str, packed: bytes) -> bytes:
    unpacking = zlib.decompressobj(wbits=31)
    try:
        text = unpacking.decompress(packed, _MOST_TEXT)
    except zlib.error as error:
        raise BadPack(f"the pack {name} is none") from error
    if unpacking.unconsumed_tail:
        raise BadPack(f"the pack {name} has more than {_MOST_TEXT:,} bytes of text")
    return text


def _entries(name: str, text: bytes) -> Iterable[tuple[str, PackEntry]]:
    for line in text.splitlines(keepends=True):
        key, when = line[:_KEY].decode("latin-1"), line[_KEY + 1 : _BEGIN - 1]
        if not (is_digest(key) and when.isdigit()):
            raise BadPack(f"the pack {name} is none")
        yield key, PackEntry(int(when), line[_BEGIN:])
