"""Which protocol moves a cache's files; connections are kept from one look to the next."""

from __future__ import annotations

import threading
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from lorakit.diagnostics import LorakitError
from lorakit.remote.address import FOLDER, Address
from lorakit.remote.folder import FolderTransport

if TYPE_CHECKING:
    from lorakit.remote.transport import Transport

# what is imported for a protocol, and what to install where that is not here
_LIBRARIES = {
    "s3": ("s3fs", "lorakit[cache]"),
    "gs": ("gcsfs", "gcsfs"),
    "az": ("adlfs", "adlfs"),
    "sftp": ("paramiko", "lorakit[cache]"),
    "http": ("fsspec.implementations.http", "lorakit[cache]"),
    "https": ("fsspec.implementations.http", "lorakit[cache]"),
    "memory": ("fsspec.implementations.memory", "lorakit[cache]"),
}
_open: dict[tuple[str, float], Transport] = {}
_lock = threading.Lock()


def prepare(address: Address) -> None:
    """Import what a protocol needs, which takes its time whatever the cache does. Raises LorakitError."""
    if address.protocol == FOLDER:
        return
    module, package = _LIBRARIES[address.protocol]
    try:
        import_module(module)
    except ImportError as error:
        raise LorakitError(
            f"{address.protocol}:// needs a library that is not here: pip install '{package}'"
        ) from error


def open_transport(address: Address, timeout: float) -> Transport:
    """What moves the files of a cache, once it is prepared for. Raises OSError."""
    with _lock:
        known = _open.get((address.url, timeout))
        if known is None:
            known = _open[address.url, timeout] = _opened(address, timeout)
    return known


def _opened(address: Address, timeout: float) -> Transport:
    if address.protocol == FOLDER:
        return FolderTransport(Path(address.url))
    if address.protocol == "sftp":
        from lorakit.remote.sftp import SftpTransport

        return SftpTransport(address.url, timeout)
    from lorakit.remote.filesystems import filesystem

    return filesystem(address, timeout)


def close(url: str = "") -> None:
    """Close the connections to a cache, or to all."""
    for key in [key for key in _open if url in ("", key[0])]:
        transport = _open.pop(key)
        with suppress(Exception):
            transport.close()
