"""A cache behind SFTP, by paramiko. Hosts must be known, as to ssh: no key is taken on trust.

`~/.ssh/config` is asked for names, users, ports and keys; keys are the agent's and those in `~/.ssh`.
fsspec's own filesystem takes the key of any host, and shares one channel among threads: answers get lost.
"""

from __future__ import annotations

import contextlib
import queue
import stat
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from lorakit.files import anywhere, open_regular
from lorakit.remote.pace import Pace
from lorakit.remote.transport import Stored

if TYPE_CHECKING:
    import paramiko

_PIECE = 1 << 18
_CHANNELS = 4  # at once; a server allows 10 sessions, and others may use it too
_DEPTH = 20  # of folders that are looked into


class SftpTransport:
    """Files below a folder of a host; channels of one connection are taken in turns."""

    def __init__(self, url: str, timeout: float) -> None:
        parts = urlsplit(url)
        self._root = unquote(parts.path) or "/"
        self._timeout = timeout
        self._client = _connected(parts.hostname or "", parts.port, parts.username, timeout)
        self._channels: queue.SimpleQueue[paramiko.SFTPClient | None] = queue.SimpleQueue()
        for _ in range(_CHANNELS):
            self._channels.put(None)

    def names(self, folder: str) -> list[str]:
        """What the files in a folder are called."""
        with self._channel() as sftp:
            try:
                found = sftp.listdir_attr(f"{self._root}/{folder}")
            except FileNotFoundError:
                return []
        return [one.filename for one in found if stat.S_ISREG(one.st_mode or 0)]

    def files(self, folder: str) -> Mapping[str, Stored]:
        """All files below a folder; links are not followed."""
        found: dict[str, Stored] = {}
        with self._channel() as sftp:
            todo = [(folder, 0)]
            while todo:
                at, depth = todo.pop()
                with contextlib.suppress(FileNotFoundError):
                    for one in sftp.listdir_attr(f"{self._root}/{at}"):
                        name, mode = f"{at}/{one.filename}", one.st_mode or 0
                        if stat.S_ISDIR(mode) and depth < _DEPTH:
                            todo.append((name, depth + 1))
                        elif stat.S_ISREG(mode):
                            found[name] = Stored(one.st_size or 0, float(one.st_mtime or 0))
        return found

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""
        with self._channel() as sftp:
            try:
                return stat.S_ISREG(sftp.stat(f"{self._root}/{name}").st_mode or 0)
            except FileNotFoundError:
                return False

    def get(self, name: str, into: Path, pace: Pace) -> None:
        """Write a file's bytes to `into` as they come."""
        with self._channel() as sftp, sftp.open(f"{self._root}/{name}", "rb") as source:
            size = source.stat().st_size or 0
            pace.expect(size)
            _say_nothing(source)
            source.prefetch(size)
            with into.open("wb") as target:
                while piece := source.read(_PIECE):
                    pace.count(len(piece))
                    target.write(piece)

    def put(self, name: str, source: Path, pace: Pace) -> None:
        """Put a file there under another name, and rename it."""
        target = f"{self._root}/{name}"
        folder = target.rpartition("/")[0]
        part = f"{folder}/.{uuid.uuid4().hex}.part"
        with self._channel() as sftp:
            _make(sftp, folder)
            try:
                with anywhere(), open_regular(source) as read, sftp.open(part, "wb") as written:
                    written.set_pipelined(True)
                    while piece := read.read(_PIECE):
                        pace.count(len(piece))
                        written.write(piece)
                sftp.posix_rename(part, target)
            except BaseException:
                with contextlib.suppress(Exception):
                    sftp.remove(part)
                raise

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        with self._channel() as sftp, contextlib.suppress(FileNotFoundError):
            sftp.remove(f"{self._root}/{name}")

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    @contextmanager
    def _channel(self) -> Iterator[paramiko.SFTPClient]:
        sftp = self._channels.get()
        try:
            if sftp is None:
                sftp = self._client.open_sftp()
                channel = sftp.get_channel()
                assert channel is not None
                channel.settimeout(self._timeout)
            yield sftp
        except OSError:
            raise
        except Exception as error:
            sftp = None
            raise OSError(str(error) or type(error).__name__) from error
        finally:
            self._channels.put(sftp)


def _say_nothing(source: Any) -> None:
    """Have a file's thread that asks for pieces ahead end without a traceback where the cable is cut.

    Who reads the file hears of it anyway.
    """
    asking = source._prefetch_thread  # noqa: SLF001 - paramiko's own name for it

    def ask(*words: Any) -> None:
        with contextlib.suppress(Exception):
            asking(*words)

    source._prefetch_thread = ask  # noqa: SLF001


def _make(sftp: paramiko.SFTPClient, folder: str) -> None:
    """Make a folder and those above it, as far as they are not there."""
    missing = []
    while folder:
        try:
            sftp.stat(folder)
            break
        except FileNotFoundError:
            missing.append(folder)
            folder = folder.rpartition("/")[0]
    for one in missing[::-1]:
        try:
            sftp.mkdir(one)
        except OSError:
            sftp.stat(one)  # another made it meanwhile


def _connected(host: str, port: int | None, user: str | None, timeout: float) -> paramiko.SSHClient:
    import paramiko

    told: dict[str, Any] = {}
    config = Path.home() / ".ssh" / "config"
    if config.is_file():
        told = dict(paramiko.SSHConfig.from_path(str(config)).lookup(host))
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    client.load_system_host_keys()
    for known in (Path("/etc/ssh/ssh_known_hosts"),):
        if known.is_file():
            client.load_system_host_keys(str(known))
    try:
        client.connect(
            told.get("hostname", host),
            port or int(told.get("port", 22)),
            user or told.get("user"),
            key_filename=told.get("identityfile"),
            timeout=timeout,
            banner_timeout=timeout,
            auth_timeout=timeout,
            channel_timeout=timeout,
        )
    except Exception as error:
        client.close()
        if not isinstance(error, paramiko.SSHException):
            raise
        if isinstance(error, paramiko.BadHostKeyException):
            words = f"the host {host} shows another key than the one that is known"
            raise OSError(words) from error
        if isinstance(error, paramiko.AuthenticationException):
            raise PermissionError(13, f"the host {host} lets nobody in") from error
        words = str(error)
        if "not found in known_hosts" in words:
            words = f"the host {host} is not known: connect to it once by ssh"
        raise OSError(words) from error
    return client
