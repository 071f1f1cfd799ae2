"""The page's server: on this machine alone, at an address that nobody guesses, for its own pages alone.

A page of another origin may have a browser ask anything of 127.0.0.1, and a name of its own may be made to
lead there. So what is asked for under another name, from another origin or without the token is refused, and
no header lets another origin read an answer.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import socket
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from lorakit.diagnostics import LorakitError
from lorakit.execute.run_folder import OUTPUTS
from lorakit.watch.shown import Shown

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOST = "127.0.0.1"
_KINDS = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".mp4", ".webm"}
_STILL = 15.0  # s after which a client is told that we are there
_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"frame-ancestors 'none'"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)


class _Guard:
    """Refuses what does not come from a page of ours, and says of every answer that it is for those alone."""

    def __init__(self, app: ASGIApp, port: int, token: str) -> None:
        self._app = app
        self._token = token.encode()
        self._hosts = {f"{name}:{port}".encode() for name in (HOST, "localhost")}
        self._origins = {b"http://" + host for host in self._hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        from starlette.responses import PlainTextResponse

        if scope["type"] != "http":
            return

        async def closed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        app = self._app if self._welcome(scope) else PlainTextResponse("refused\n", 403)
        await app(scope, receive, closed)

    def _welcome(self, scope: Scope) -> bool:
        headers: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name, []).append(value)
        first = str(scope["path"]).split("/")[1].encode("utf-8", "replace")
        return (
            scope["method"] in ("GET", "HEAD")
            and len(headers.get(b"host", ())) == 1
            and headers[b"host"][0] in self._hosts
            and self._origins.issuperset(headers.get(b"origin", ()))
            and {b"same-origin", b"none"}.issuperset(headers.get(b"sec-fetch-site", ()))
            and hmac.compare_digest(first, self._token)
        )


class Server:
    """Serves a page in a thread of its own, from `start` to `close`."""

    def __init__(self, shown: Shown, port: int = 0) -> None:
        self._shown = shown
        self._token = secrets.token_urlsafe(24)
        self._socket = _bound(port)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{HOST}:{self.port}/{self._token}/"

    def start(self) -> None:
        """Answer from now on."""
        import uvicorn

        config = uvicorn.Config(
            _Guard(self._app(), self.port, self._token),
            http="h11",
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=2,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.01)

    def close(self) -> None:
        """Tell who listens that it is over, and answer no more."""
        self._shown.close()
        self._server.should_exit = True
        self._thread.join(5)
        self._socket.close()

    def _app(self) -> ASGIApp:
        from starlette.applications import Starlette
        from starlette.routing import Route

        at = "/{token}"
        return Starlette(
            routes=[
                Route(f"{at}/", self._first),
                Route(f"{at}/events", self._events),
                Route(f"{at}/{{recipe}}/{{run}}/", self._page),
                Route(f"{at}/{{recipe}}/{{run}}/{{path:path}}", self._file),
            ]
        )

    def _where(self) -> str:
        """The path of the page: that of its run's folder, so that its links lead to what is in there."""
        folder = self._shown.folder
        parts = (folder.parent.name, folder.name) if folder else ("-", "0")
        return "/".join(["", self._token, *(quote(part, safe="") for part in parts), ""])

    async def _first(self, _: Request) -> Response:
        from starlette.responses import RedirectResponse

        return RedirectResponse(self._where(), 307)

    async def _page(self, request: Request) -> Response:
        from starlette.responses import HTMLResponse, RedirectResponse

        where = self._where()
        if request.scope["path"] != unquote(where):
            return RedirectResponse(where, 307)
        text = await asyncio.to_thread(self._shown.page)
        return HTMLResponse(text.encode("utf-8", "replace"))

    async def _file(self, request: Request) -> Response:
        from starlette.responses import FileResponse, PlainTextResponse

        recipe, run, path = (request.path_params[name] for name in ("recipe", "run", "path"))
        found = await asyncio.to_thread(self._found, recipe, run, path)
        return FileResponse(found) if found else PlainTextResponse("not found\n", 404)

    def _found(self, recipe: str, run: str, path: str) -> Path | None:
        """A picture or a film of a run; whatever else is on this machine is none."""
        folder = self._shown.folder
        if folder is None or not run.isdecimal() or Path(path).suffix.lower() not in _KINDS:
            return None
        outputs = folder.parent.parent
        assert outputs.name == OUTPUTS
        try:
            below = (outputs / recipe / run).resolve(strict=True)
            file = (below / path).resolve(strict=True)
        except (OSError, ValueError, RuntimeError):
            return None
        inside = below.is_relative_to(outputs.resolve()) and file.is_relative_to(below)
        return file if inside and file.is_file() else None

    async def _events(self, _: Request) -> Response:
        from starlette.responses import StreamingResponse

        return StreamingResponse(self._told(), media_type="text/event-stream")

    async def _told(self) -> AsyncIterator[bytes]:
        """One event for what is shown now, and one for each change; of several at once the last."""
        shown, loop, woken = self._shown, asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(woken.set)

        shown.listen(wake)
        try:
            told = -1
            while True:
                if shown.version != told:
                    told, over = shown.version, shown.over
                    now = {
                        "version": told,
                        "status": shown.status,
                        "tone": shown.tone,
                        "over": over,
                    }
                    yield f"event: now\ndata: {json.dumps(now)}\n\n".encode()
                    if over:
                        return
                else:
                    yield b": still here\n\n"
                woken.clear()
                try:
                    await asyncio.wait_for(woken.wait(), _STILL)
                except TimeoutError:
                    continue
        finally:
            shown.forget(wake)


def _bound(port: int) -> socket.socket:
    """A socket on this machine alone. Raises LorakitError."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.bind((HOST, port))
    except (OSError, OverflowError) as error:
        made.close()
        raise LorakitError(
            f"port {port} cannot be had: {getattr(error, 'strerror', None) or error}; "
            "--port 0 takes any that is free"
        ) from error
    return made
