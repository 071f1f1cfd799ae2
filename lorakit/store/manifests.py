"""Manifests as JSON: read strictly, since what they say decides which files are used and kept.

Their last entry is the digest of all before it: one flipped bit in a digest makes another digest, and no
form of it would tell.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from typing import Any

from lorakit.records import record

_CHECK = b', "check": "%s"}\n'
_LENGTH = len(_CHECK % (b"0" * 64))
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


def is_digest(value: object) -> bool:
    """Whether a value is a SHA-256 in hex as we write it."""
    return isinstance(value, str) and _DIGEST.match(value) is not None


@record
class Output:
    """One file an action made: the digest of its bytes, and its size in bytes."""

    digest: str
    size: int

    @classmethod
    def of(cls, data: bytes) -> Output:
        """What a file of these bytes is."""
        return cls(hashlib.sha256(data).hexdigest(), len(data))


@record
class Manifest:
    """How an action was done: what decided it, what came out, in what surroundings, how long (s)."""

    key: str
    kind: str
    params: Mapping[str, object]
    inputs: Mapping[str, str]
    outputs: Mapping[str, Output]
    seconds: float
    environment: Mapping[str, str]


def to_bytes(manifest: Manifest) -> bytes:
    """A manifest's file."""
    data = {
        "key": manifest.key,
        "kind": manifest.kind,
        "params": manifest.params,
        "inputs": manifest.inputs,
        "outputs": {n: {"digest": o.digest, "size": o.size} for n, o in manifest.outputs.items()},
        "seconds": manifest.seconds,
        "environment": manifest.environment,
    }
    text = json.dumps(data, ensure_ascii=False, allow_nan=False)
    # half of a pair, as in names that are no UTF-8, becomes an escape of JSON's
    whole = text.encode(errors="backslashreplace")
    return whole[:-1] + _check_of(whole)


def _check_of(whole: bytes) -> bytes:
    return _CHECK % hashlib.sha256(whole).hexdigest().encode()


def _unchecked(text: bytes) -> bytes:
    """The text before its check, where that is right; one that is wrong stays, and is no entry we know."""
    whole = text[:-_LENGTH] + b"}"
    return whole if text[-_LENGTH:] == _check_of(whole) else text


def read(text: bytes, key: str) -> Manifest | None:
    """The manifest for a key; None where the text is anything but one."""
    try:
        data = json.loads(_unchecked(text))  # those of before there were checks have none
        valid = isinstance(data, dict) and data.keys() == Manifest.__dataclass_fields__.keys()
        if not valid or data["key"] != key or not _well_formed(data):
            return None
        outputs = {name: Output(**output) for name, output in data.pop("outputs").items()}
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
    return Manifest(outputs=outputs, **data)


def _well_formed(data: Mapping[str, Any]) -> bool:
    return (
        isinstance(data["kind"], str)
        and isinstance(data["params"], dict)
        and isinstance(data["inputs"], dict)
        and all(map(is_digest, data["inputs"].values()))
        and isinstance(data["outputs"], dict)
        and bool(data["outputs"])
        and all(map(_is_output, data["outputs"].values()))
        and type(data["seconds"]) in (int, float)
        and math.isfinite(data["seconds"])
        and isinstance(data["environment"], dict)
        and all(isinstance(value, str) for value in data["environment"].values())
    )


def _is_output(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"digest", "size"}
        and is_digest(value["digest"])
        and type(value["size"]) is int
        and value["size"] >= 0
    )
