"""Who signs films: a certificate and its key, which the user's config names.

    c2pa: {certificate: ~/c2pa/chain.pem, key: ~/c2pa/key.pem, algorithm: es256}

Films then have a C2PA manifest. A recipe names none of it: whose name stands under a film is for the user
to say.
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path
from typing import Any, NamedTuple

from lorakit.diagnostics import InvalidDocument
from lorakit.facts.files.user_config import UserConfig
from lorakit.files import anywhere, read_text

PACKAGE = "c2pa"
ALGORITHMS = ("es256", "es384", "es512", "ps256", "ps384", "ps512", "ed25519")
_KEYS = ("certificate", "key", "algorithm", "timestamps")
_MOST = 1_000_000  # bytes of a chain of certificates, or of a key
_EXAMPLE = "for example: c2pa: {certificate: ~/c2pa/chain.pem, key: ~/c2pa/key.pem}"


class Signing(NamedTuple):
    """The digest of a certificate's chain, where it and its key lie, and how they sign.

    `timestamps` is the address of a server of times (RFC 3161), empty for none.
    """

    digest: str
    certificate: Path
    key: Path
    algorithm: str
    timestamps: str


def signing(config: Path | None = None) -> Signing | None:
    """Who signs films here; None where the config names nobody. Raises InvalidDocument."""
    read = UserConfig(config)
    told = read.mapping("c2pa")
    if not told:
        return None
    for name in told:
        if name not in _KEYS:
            message = f"c2pa has no key {name}; it has {', '.join(_KEYS)}"
            raise InvalidDocument([read.wrong(("c2pa", name), message, _EXAMPLE, key=True)])
    algorithm = told.get("algorithm", ALGORITHMS[0])
    if algorithm not in ALGORITHMS:
        message = f"c2pa signs with none called {algorithm}"
        hint = f"there are {', '.join(ALGORITHMS)}"
        raise InvalidDocument([read.wrong(("c2pa", "algorithm"), message, hint)])
    chain, text = _pem(read, told, "certificate")
    key, _ = _pem(read, told, "key")
    timestamps = told.get("timestamps", "")
    if not isinstance(timestamps, str) or (timestamps and not timestamps.startswith("http")):
        message = "timestamps is the address of a server, which begins with http"
        raise InvalidDocument([read.wrong(("c2pa", "timestamps"), message, _EXAMPLE)])
    if importlib.util.find_spec(PACKAGE) is None:
        message = "films are to be signed, and c2pa-python is not installed"
        hint = 'pip install "lorakit[c2pa]", or remove c2pa from your config'
        raise InvalidDocument([read.wrong(("c2pa",), message, hint, key=True)])
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Signing(digest, chain, key, algorithm, timestamps)


def _pem(read: UserConfig, told: dict[Any, Any], name: str) -> tuple[Path, str]:
    """A file in PEM that the config names, and its text."""
    given = told.get(name)
    if not isinstance(given, str) or not given:
        raise InvalidDocument(
            [read.wrong(("c2pa",), f"c2pa needs {name}, a file in PEM", _EXAMPLE)]
        )
    path = Path(given).expanduser()
    path = path if path.is_absolute() else read.path.parent / path
    try:
        with anywhere():
            text = read_text(path, _MOST)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        message = f"{path} cannot be read: {why}"
        raise InvalidDocument([read.wrong(("c2pa", name), message, _EXAMPLE)]) from error
    if "-----BEGIN" not in text:
        raise InvalidDocument([read.wrong(("c2pa", name), f"{path} is not in PEM", _EXAMPLE)])
    return path, text
