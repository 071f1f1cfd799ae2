"""Caches behind fsspec's filesystems: S3, Google's and Azure's stores, HTTP, a process's own memory.

Files come in pieces, each counted, so that neither a file without end nor one that trickles is waited for.
Nothing secret is handed over here but a token for HTTP: each library finds credentials where it always does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from lorakit.files import anywhere, read_regular
from lorakit.remote.address import Address
from lorakit.remote.pace import Pace
from lorakit.remote.transport import Stored, Transport

TOKEN_VARIABLE = "LORAKIT_CACHE_TOKEN"  # noqa: S105 - where one is, not one
_PIECE = 1 << 20
_WRITTEN = ("LastModified", "mtime", "updated", "last_modified", "created")


def filesystem(address: Address, timeout: float) -> Transport:
    """What moves the files of a cache."""
    import fsspec

    options = _options(address, timeout)
    fs = fsspec.filesystem(address.protocol, skip_instance_cache=True, **options)
    if address.protocol == "s3":
        fs.retries = 1
    return FilesystemTransport(fs, address.url)


def _options(address: Address, timeout: float) -> dict[str, Any]:
    match address.protocol:
        case "s3":
            network = {"connect_timeout": timeout, "read_timeout": timeout}
            return {"config_kwargs": {**network, "retries": {"max_attempts": 1}}}
        case "http" | "https":
            import aiohttp

            # what is packed on the way would be unpacked to whatever size
            headers = {"Accept-Encoding": "identity"}
            token = os.environ.get(TOKEN_VARIABLE, "")
            if token:
                headers["Authorization"] = f"Bearer {token}"
            limits = aiohttp.ClientTimeout(sock_connect=timeout, sock_read=timeout)
            return {
                "client_kwargs": {
                    "timeout": limits,
                    "headers": headers,
                    "auto_decompress": False,
                }
            }
        case _:
            return {}


class FilesystemTransport:
    """Files below a URL of an fsspec filesystem, which writes each at once."""

    def __init__(self, fs: Any, url: str) -> None:
        self._fs = fs
        self._root = str(fs._strip_protocol(url)).rstrip("/")  # noqa: SLF001 - fsspec's own name for it

    def names(self, folder: str) -> list[str]:
        """What the files in a folder are called."""
        try:
            self._fs.invalidate_cache()  # what was listed before may have changed since
            found = self._call("ls", self._at(folder), detail=False)
        except FileNotFoundError:
            return []
        return [str(path).rstrip("/").rpartition("/")[2] for path in found]

    def files(self, folder: str) -> Mapping[str, Stored]:
        """All files below a folder."""
        try:
            self._fs.invalidate_cache()
            found = self._call("find", self._at(folder), detail=True)
        except FileNotFoundError:
            return {}
        cut = len(self._root.lstrip("/")) + 1
        return {
            str(path).lstrip("/")[cut:]: Stored(int(told.get("size") or 0), _written(told))
            for path, told in found.items()
        }

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""
        return bool(self._call("exists", self._at(name)))

    def get(self, name: str, into: Path, pace: Pace) -> None:
        """Write a file's bytes to `into` as they come."""
        if self._fs.async_impl:
            words = (self._at(name), str(into))
            self._call("get_file", *words, seconds=pace.seconds, callback=_counter(pace))
            return
        with self._fs.open(self._at(name), "rb") as source, into.open("wb") as target:
            while piece := source.read(_PIECE):
                pace.count(len(piece))
                target.write(piece)

    def put(self, name: str, source: Path, pace: Pace) -> None:
        """Put a file there, at once and whole."""
        if self._fs.async_impl:
            words = (str(source), self._at(name))
            self._call("put_file", *words, seconds=pace.seconds, callback=_counter(pace))
            return
        with anywhere():
            data = read_regular(source)
        pace.count(len(data))
        self._fs.pipe_file(self._at(name), data)

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        with contextlib.suppress(FileNotFoundError):
            self._call("rm_file", self._at(name))

    def close(self) -> None:
        """Close the sessions of libraries that have one."""
        for name in ("_s3creator", "_session"):
            session = getattr(self._fs, name, None)
            if session is not None:
                self._fs.close_session(self._fs.loop, session)
                return

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _call(self, method: str, *words: Any, seconds: float | None = None, **named: Any) -> Any:
        """A method of the filesystem, on its own loop where it has one; no longer than so many seconds."""
        if not self._fs.async_impl:
            return getattr(self._fs, method)(*words, **named)
        work = getattr(self._fs, f"_{method}")(*words, **named)
        timed = asyncio.wait_for(work, seconds)
        return asyncio.run_coroutine_threadsafe(timed, self._fs.loop).result()


def _counter(pace: Pace) -> Any:
    """What fsspec tells of each piece that it moves, and of the size that a server says a file has."""
    from fsspec.callbacks import Callback

    class Counter(Callback):  # type: ignore[misc]
        def set_size(self, size: int | None) -> None:
            pace.expect(size or 0)

        def relative_update(self, inc: int = 1) -> None:
            pace.count(inc)

        def absolute_update(self, value: int) -> None:
            pace.count(value - pace.bytes)

    return Counter()


def _written(told: Mapping[str, Any]) -> float:
    for key in _WRITTEN:
        value = told.get(key)
        if isinstance(value, datetime):
            return value.timestamp()
        if isinstance(value, int | float):
            return float(value)
    return 0.0
