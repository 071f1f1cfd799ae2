"""The server: its tools, and how what they say and raise becomes an answer."""

from __future__ import annotations

import base64
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Literal

import anyio
import anyio.to_thread
import click
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from mcp.types import CallToolResult, ImageContent, TextContent, ToolAnnotations

from lorakit import __version__, terminal
from lorakit.cli import outcome
from lorakit.cli.mcp import tools
from lorakit.cli.mcp.inside import HOST, Inside, bounded
from lorakit.cli.mcp.look import look
from lorakit.cli.mcp.running import Run
from lorakit.diagnostics import LorakitError
from lorakit.execute.pool import Workers
from lorakit.language import FolderReader
from lorakit.language.projects import home_of_folder

_INSTRUCTIONS = """\
lorakit makes pictures, films and trained adapters from recipes and storyboards, YAML files in this project.
Write or edit a document, `validate` it, `plan` what a run would make and how long it takes, `run` it, then
`look` at frames by their address (step/scene/number). Frames that nothing touched are kept. `schema` has
every key of both kinds of documents. Paths are relative to the folder that the server was started in."""
_LOOKS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_MAKES = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True)


def serve(port: int | None) -> None:
    """Serve the working directory's project until the other side leaves; over HTTP where there is a port."""
    server = server_of(Inside(home_of_folder(FolderReader())))
    if port is None:
        server.run()
        return
    # other users of this machine reach the port as well: they do not know the address
    path = f"/{secrets.token_urlsafe(16)}/mcp"
    terminal.write(sys.stderr, f"http://{HOST}:{port}{path}\n")
    here = [f"{HOST}:{port}", f"localhost:{port}"]
    server.run(
        "streamable-http",
        host=HOST,
        port=port,
        streamable_http_path=path,
        transport_security=TransportSecuritySettings(
            allowed_hosts=here, allowed_origins=[f"http://{one}" for one in here]
        ),
    )


def server_of(inside: Inside) -> MCPServer[None]:
    """A server of one project."""
    workers = Workers()

    @asynccontextmanager
    async def living(_: MCPServer[None]) -> AsyncIterator[None]:
        with workers:
            yield

    server: MCPServer[None] = MCPServer(
        "lorakit",
        version=__version__,
        instructions=_INSTRUCTIONS,
        log_level="WARNING",
        lifespan=living,
    )
    _Tools(inside, workers).add_to(server)
    return server


class _Tools:
    def __init__(self, inside: Inside, workers: Workers) -> None:
        self._inside, self._workers = inside, workers
        self._planning, self._running = anyio.Lock(), anyio.Lock()  # one at a time of each

    def add_to(self, server: MCPServer[None]) -> None:
        """Let a server have them."""
        for tool, hints in (
            (self.validate, _LOOKS),
            (self.plan, _LOOKS),
            (self.run, _MAKES),
            (self.diff, _LOOKS),
            (self.status, _LOOKS),
            (self.look, _LOOKS),
            (self.pick, _MAKES),
            (self.schema, _LOOKS),
        ):
            server.add_tool(tool, annotations=hints)

    async def validate(self, paths: list[str] = []) -> CallToolResult:  # noqa: B006 - never changed
        """Check recipes and storyboards, all errors at once: place, line, and the way out.

        `paths` are files or folders; by default all documents below the folder.
        """
        return await self._planned(tools.validate, self._inside, paths)

    async def plan(
        self,
        document: str,
        settings: list[str] = [],  # noqa: B006
        profile: str = "",
        only: list[str] = [],  # noqa: B006
        draft: bool = False,
        frames: bool = False,
    ) -> CallToolResult:
        """Say what a run of a recipe or storyboard would make, why, and in how long. Makes nothing.

        `settings` change values, as in steps.film.seed=4. `only` are steps, scenes (film/meadow) or frames
        (film/meadow/1). `draft` is quick and small. `frames` tells each frame's prompt, seed and strength.
        """

        def planned() -> str:
            asked = tools.request(self._inside, document, settings, profile, only, draft=draft)
            return tools.plan(asked, frames=frames)

        return await self._planned(planned)

    async def run(
        self,
        document: str,
        ctx: Context[None, Any],
        settings: list[str] = [],  # noqa: B006
        profile: str = "",
        only: list[str] = [],  # noqa: B006
        force: list[str] = [],  # noqa: B006
        draft: bool = False,
        keep_going: bool = False,
    ) -> CallToolResult:
        """Make what is missing of a recipe or storyboard, in a new run folder; tells how far it is.

        Arguments as of `plan`; `force` makes steps, scenes or frames again. Cancelled, it stops at a frame
        and keeps what was made; the next run goes on from there.
        """

        async def made() -> str:
            asked = tools.request(
                self._inside, document, settings, profile, only, force, draft=draft
            )
            async with self._running:
                run = Run(asked, self._workers, ctx.report_progress, keep_going=keep_going)
                return await run.made()

        return await _answered(made)

    async def diff(
        self,
        revisions: str = "",
        documents: list[str] = [],  # noqa: B006
    ) -> CallToolResult:
        """Compare revisions in git: changed values, which frames are drawn again, why, and in how long.

        `revisions` is one that the files are compared with (HEAD by default), or A..B, or A...B.
        """
        return await self._planned(tools.diff, self._inside, revisions, documents)

    async def pick(
        self, document: str, frame: str = "", take: int = 0, remove: bool = False
    ) -> CallToolResult:
        """Choose a take of a frame of a storyboard, or say which takes there are where no `take` is given.

        `frame` is a scene and a number, as in meadow/2, or a scene alone. `remove` takes a choice back. The
        choice is written beside the board, and draws nothing by itself; `look` shows takes by their
        addresses, as film/meadow/2/take_3.
        """
        return await self._planned(
            partial(tools.pick, remove=remove), self._inside, document, frame, take
        )

    async def status(self, documents: list[str] = []) -> CallToolResult:  # noqa: B006
        """Say which run is going on and how far it is, or what the last one made and what is out of date."""
        return await _answered(partial(_in_thread, tools.status, self._inside, documents))

    async def look(self, frame: str, run: str = "") -> CallToolResult:
        """Show a frame, contact sheet or other picture.

        `frame` is an address (film/meadow/1, film/contact_sheet) in `run` (quickstart/003; the newest by
        default), or a picture's file in the project.
        """
        shown: list[ImageContent] = []

        async def looked() -> str:
            found = await anyio.to_thread.run_sync(look, self._inside, frame, run)
            data = base64.b64encode(found.png).decode()
            shown.append(ImageContent(type="image", data=data, mime_type="image/png"))
            return found.words

        answer = await _answered(looked)
        return CallToolResult(content=[*shown, *answer.content], is_error=answer.is_error)

    async def schema(self, document: Literal["recipe", "storyboard"]) -> CallToolResult:
        """Give the JSON Schema of recipes or storyboards: every key, what it means, its default."""
        return await _answered(partial(_in_thread, tools.schema, document))

    async def _planned(self, what: Callable[..., str], *values: Any) -> CallToolResult:
        async def told() -> str:
            async with self._planning:
                return await _in_thread(what, *values)

        return await _answered(told)


async def _in_thread(what: Callable[..., str], *values: Any) -> str:
    return await anyio.to_thread.run_sync(partial(what, *values))


async def _answered(what: Callable[[], Awaitable[str]]) -> CallToolResult:
    """What was said, or what went wrong, in the words that a command has for it."""
    wrong = True
    try:
        words = await what()
        wrong = False
    except LorakitError as error:
        words = str(error)
    except click.ClickException as error:
        words = error.format_message()
    except MemoryError:
        words = "out of memory: close other programs, or make the recipe smaller"
    except Exception as error:  # noqa: BLE001 - the last resort: words, and the traceback in a file
        words = outcome.fault(error)
    return CallToolResult(content=[TextContent(type="text", text=bounded(words))], is_error=wrong)
