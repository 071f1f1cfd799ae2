"""Servers of files on loopback that are no part of lorakit: moto's S3, asyncssh's SFTP, Python's own HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import http.server
import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


@contextmanager
def s3(patch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty bucket, for whoever has these settings."""
    import boto3
    from moto.moto_api import state_manager  # noqa: F401 - the server's part
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "anybody")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "whatever")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        client = boto3.client("s3", endpoint_url=f"http://{host}:{port}")
        client.create_bucket(Bucket="bucket")
        client.close()
        yield "s3://bucket/lorakit"
    finally:
        server.stop()


def s3_bucket() -> Any:
    """The bucket of `s3`, by boto3, for whoever has its settings."""
    import boto3

    return boto3.resource("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"]).Bucket("bucket")


@contextmanager
def sftp(
    folder: Path,
    home: Path,
    patch: pytest.MonkeyPatch,
    *,
    known: bool = True,
    read_only: threading.Event | None = None,
) -> Iterator[str]:
    """The address of a folder behind SFTP; the user whose home is `home` has its key, and it is known to him.

    Once `read_only` is set, nothing may be written any more.
    """
    import asyncssh

    class Server(asyncssh.SFTPServer):
        def __init__(self, channel: Any) -> None:
            super().__init__(channel, chroot=str(folder))

        def open(self, path: bytes, pflags: int, attrs: Any) -> object:
            if pflags & asyncssh.FXF_WRITE and read_only is not None and read_only.is_set():
                raise asyncssh.SFTPPermissionDenied("you may read")
            return super().open(path, pflags, attrs)

    (home / ".ssh").mkdir(parents=True)
    key, mine = (
        asyncssh.generate_private_key("ssh-ed25519"),
        asyncssh.generate_private_key("ssh-ed25519"),
    )
    mine.write_private_key(str(home / ".ssh" / "id_ed25519"))
    (home / ".ssh" / "authorized").write_bytes(mine.export_public_key())
    patch.setenv("HOME", str(home))
    patch.delenv("SSH_AUTH_SOCK", raising=False)
    loop, ready = asyncio.new_event_loop(), threading.Event()
    found: list[asyncssh.SSHAcceptor] = []

    async def serve() -> None:
        found.append(
            await asyncssh.listen(
                "127.0.0.1",
                0,
                server_host_keys=[key],
                authorized_client_keys=str(home / ".ssh" / "authorized"),
                sftp_factory=Server,
            )
        )
        ready.set()

    def work() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(serve())
        loop.run_forever()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert ready.wait(30)
    port = found[0].get_port()
    public = key.export_public_key().decode()
    if known:
        (home / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{port} {public}")
    try:
        yield f"sftp://me@127.0.0.1:{port}/lorakit"
    finally:

        async def stop() -> None:
            found[0].close()
            await found[0].wait_closed()
            await asyncio.sleep(0.2)  # for the ends of connections that were closed over there
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(stop(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@contextmanager
def serving(handler: object) -> Iterator[str]:
    """The address of an HTTP server with a handler of its requests."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)  # type: ignore[arg-type]
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(30)


@contextmanager
def web(folder: Path) -> Iterator[str]:
    """The address of a folder that Python's own server hands out."""
    with serving(functools.partial(_Quiet, directory=str(folder))) as url:
        yield url


@contextmanager
def deaf() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0), backlog=64)) as server:
        yield server.getsockname()[1]


class Cable:
    """A way to a port on loopback that may be cut: each connection after so many bytes of what is answered."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._server = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._server.getsockname()[1]
        self.most: int | None = None
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                here, _ = self._server.accept()
                there = socket.create_connection(("127.0.0.1", self._to))
                for way in ((here, there, False), (there, here, True)):
                    threading.Thread(target=self._carry, args=way, daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        carried = 0
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                carried += len(data)
                if answers and self.most is not None and carried > self.most:
                    self.cuts += 1
                    break
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        """Take no more connections."""
        self._server.close()
