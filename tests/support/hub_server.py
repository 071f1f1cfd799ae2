"""The hub as a server on this machine: a folder's files by the hub's own addresses, or one of its errors.

Headers and error codes are those that huggingface_hub reads (https://huggingface.co/docs/hub/api).
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "c0ffee" + "0" * 34


class Hub:
    """What is served, and what was asked for."""

    def __init__(self, folder: Path | None, status: int = 200, code: str = "") -> None:
        self.commits = {COMMIT: folder} if folder else {}
        self.newest = COMMIT
        self.status = status
        self.code = code
        self.fetched: list[str] = []  # files whose content was sent
        self.address = ""

    def push(self, commit: str, folder: Path) -> None:
        """Make another state the newest; the ones before stay where they are."""
        self.commits[commit] = folder
        self.newest = commit

    def commit_in(self, path: str) -> str:
        """The commit that an address names, or the newest."""
        return next((part for part in path.split("/") if part in self.commits), self.newest)

    def files(self, commit: str) -> dict[str, bytes]:
        folder = self.commits[commit]
        return {
            file.relative_to(folder).as_posix(): file.read_bytes()
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        }


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Serve for as long as the block runs; `hub.address` is then an HF_ENDPOINT."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _send(self, status: int, data: bytes, headers: dict[str, str], *, body: bool) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if body:
                self.wfile.write(data)

        def _answer(self, *, body: bool) -> None:
            if hub.status != 200:
                headers = {"X-Error-Code": hub.code} if hub.code else {}
                self._send(hub.status, b'{"error": "no"}', headers, body=body)
                return
            path = self.path.partition("?")[0]
            commit = hub.commit_in(path)
            files = hub.files(commit)
            if path.startswith("/api/models/") and "/tree/" in path:
                told = [
                    {"type": "file", "path": n, "size": len(d), "oid": hashlib.sha1(d).hexdigest()}
                    for n, d in files.items()
                ]
                self._send(200, json.dumps(told).encode(), {}, body=body)
            elif path.startswith("/api/models/"):
                siblings = [{"rfilename": n, "size": len(d)} for n, d in files.items()]
                told = {"id": "someone/model", "sha": commit, "siblings": siblings}
                self._send(200, json.dumps(told).encode(), {}, body=body)
            else:
                name = path.partition(f"/resolve/{commit}/")[2]
                data = files.get(name)
                if data is None:
                    self._send(404, b"", {"X-Error-Code": "EntryNotFound"}, body=body)
                    return
                if body:
                    hub.fetched.append(name)
                etag = hashlib.sha1(data).hexdigest()
                headers = {"ETag": f'"{etag}"', "X-Repo-Commit": commit}
                self._send(200, data, headers, body=body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
