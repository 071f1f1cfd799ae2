"""`lorakit mcp` as an agent has it: the SDK's own client, over standard input and output, and over HTTP."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from PIL import Image

from tests.support.boards import board_text, sentences, write_project
from tests.support.runs import environment, quick_command

mcp = pytest.importorskip("mcp", reason="needs pip install 'lorakit[mcp]'")

SCENES = [("one", sentences(1, 2)), ("two", sentences(2, 2))]


def speak(home: Path, what: Callable[[Any], Awaitable[None]]) -> str:
    """A session with a server that was started in a folder; gives what it said on its error stream."""
    log = home.parent / "errors.txt"

    async def session() -> None:
        words = quick_command("mcp")
        server = mcp.StdioServerParameters(
            command=words[0], args=words[1:], env=environment(), cwd=home
        )
        with log.open("w") as errors:
            async with mcp.Client(mcp.stdio_client(server, errlog=errors)) as client:
                await what(client)

    anyio.run(session)
    return log.read_text()


def text(answer: Any) -> str:
    return "".join(one.text for one in answer.content if one.type == "text")


async def choose(client: Any) -> None:
    """Look at the takes of a frame that has one, pick it, and take that back."""
    takes = json.loads(
        text(await client.call_tool("pick", {"document": "recipe.yaml", "frame": "one/2"}))
    )
    assert [one["take"] for one in takes["frames"][0]["takes"]] == [1]
    words = {"document": "recipe.yaml", "frame": "one/2", "take": 2}
    refused = await client.call_tool("pick", words)
    assert refused.is_error
    assert "one/2 has 1 take, and no take 2" in text(refused)
    picked = json.loads(text(await client.call_tool("pick", {**words, "take": 1})))
    assert (picked["file"], picked["to_draw"]) == ("board.picks.yaml", [])
    assert not (await client.call_tool("pick", {**words, "take": 0, "remove": True})).is_error


@pytest.mark.slow
def test_a_film_is_made_by_an_agent(home: Path) -> None:
    write_project(home, board_text(SCENES))
    told: list[tuple[float, float | None, str | None]] = []

    async def progress(done: float, total: float | None, message: str | None) -> None:
        told.append((done, total, message))

    async def work(client: Any) -> None:
        names = [tool.name for tool in (await client.list_tools()).tools]
        assert names == ["validate", "plan", "run", "diff", "status", "look", "pick", "schema"]

        board = home / "board.yaml"
        whole = board.read_text()
        board.write_text(whole.replace("strength: 0.5", "strenght: 0.5"))
        broken = await client.call_tool("validate", {})
        assert not broken.is_error
        assert "board.yaml:3:25: error[unknown-key]: " in text(broken)
        assert "strength" in text(broken)
        refused = await client.call_tool("plan", {"document": "recipe.yaml"})
        assert refused.is_error
        assert text(refused).startswith("board.yaml:3:25: error[unknown-key]: ")
        board.write_text(whole)
        assert "2 files: 0 errors, 0 warnings" in text(await client.call_tool("validate", {}))

        planned = text(await client.call_tool("plan", {"document": "recipe.yaml"}))
        assert "8 actions: 3 new, 0 changed, 0 cached, 5 waits" in planned
        nowhere = await client.call_tool("plan", {"document": "recipe.yaml", "only": ["film/six"]})
        assert nowhere.is_error
        assert "there is no such scene or frame" in text(nowhere)
        early = await client.call_tool("look", {"frame": "film/one/1"})
        assert early.is_error
        assert text(early).startswith("no run yet")

        ran = await client.call_tool("run", {"document": "recipe.yaml"}, progress_callback=progress)
        assert not ran.is_error, text(ran)
        assert text(ran).startswith("done in ")
        assert "outputs/test/001" in text(ran)
        assert told[-1][:2] == (8.0, 8.0)
        assert [done for done, *_ in told] == sorted(done for done, *_ in told)
        assert any("now film/" in str(message) for *_, message in told)

        status = json.loads(text(await client.call_tool("status", {})))
        assert (status["last"]["state"], status["documents"][0]["to_make"]) == ("done", 0)

        await choose(client)
        seen = await client.call_tool("look", {"frame": "film/one/2"})
        picture, words = seen.content
        assert (picture.type, picture.mime_type) == ("image", "image/png")
        drawn = Image.open(io.BytesIO(base64.b64decode(picture.data)))
        made = Image.open(home / "outputs/test/001/film/frames_scene_1/frame_002.png")
        assert drawn.tobytes() == made.convert("RGB").tobytes()
        assert f"prompt: {SCENES[0][1][1]}" in words.text
        other = await client.call_tool("look", {"frame": "film/one/9"})
        assert other.is_error
        assert "film/one/1" in text(other)

        for document, key in (("storyboard", "scenes"), ("recipe", "steps")):
            answer = text(await client.call_tool("schema", {"document": document}))
            assert key in json.loads(answer)["properties"]

    assert speak(home, work) == ""


def test_what_is_not_in_the_project_cannot_be_named(home: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    write_project(outside, board_text(SCENES).replace("storyboard: 1", "storyboard: 1 # secret"))
    Image.new("RGB", (8, 8)).save(outside / "picture.png")
    (home / "link.yaml").symlink_to(outside / "recipe.yaml")
    (home / "picture.png").symlink_to(outside / "picture.png")
    (home / "folder").symlink_to(outside)
    (home / "recipe.yaml").write_text(
        "recipe: 1\nsteps:\n  film: {kind: storyboard, storyboard: folder/board.yaml}\n"
    )
    named = [
        ("validate", {"paths": ["../outside/board.yaml"]}),
        ("validate", {"paths": ["folder"]}),
        ("validate", {"paths": ["a\0b.yaml"]}),
        ("plan", {"document": f"{outside}/recipe.yaml"}),
        ("plan", {"document": "link.yaml"}),
        ("run", {"document": "folder/recipe.yaml"}),
        ("diff", {"documents": ["../outside/board.yaml"]}),
        ("diff", {}),  # all documents of a folder, a link among them
        ("status", {"documents": ["link.yaml"]}),
        ("pick", {"document": "link.yaml", "frame": "one/1", "take": 1}),
        ("look", {"frame": "picture.png"}),
        ("look", {"frame": "../outside/picture.png"}),
        ("look", {"frame": f"{outside}/picture.png"}),
    ]

    async def work(client: Any) -> None:
        for tool, arguments in named:
            answer = await client.call_tool(tool, arguments)
            assert answer.is_error, (tool, arguments)
            assert [one.type for one in answer.content] == ["text"]
            assert f"is not in the project {home}" in text(answer), (tool, arguments)
        # a document of the project that leads out of it: the language's own rule
        led = await client.call_tool("plan", {"document": "recipe.yaml"})
        assert led.is_error
        assert "recipe.yaml:3:40: error[outside-root]: " in text(led)
        every = text(await client.call_tool("validate", {}))
        assert "links that leave the project were passed over" in every
        for tool in ("validate", "status"):
            assert "secret" not in text(await client.call_tool(tool, {}))

    within(home, work)
    assert not (home / "outputs").exists()
    assert not (outside / "outputs").exists()


def within(home: Path, what: Callable[[Any], Awaitable[None]]) -> None:
    """A session with a server in this process."""
    from lorakit.cli.mcp.inside import Inside
    from lorakit.cli.mcp.server import server_of

    server = server_of(Inside(home.resolve()))

    async def session() -> None:
        async with mcp.Client(server) as client:
            await what(client)

    anyio.run(session)


@pytest.mark.slow
def test_a_run_that_is_cancelled_stops_at_a_frame_and_is_gone_on_with(home: Path) -> None:
    write_project(home, board_text([("one", sentences(1, 40))], steps=30))

    async def work(client: Any) -> None:
        with anyio.CancelScope() as scope:

            async def progress(done: float, _: float | None, __: str | None) -> None:
                if done >= 1:
                    scope.cancel()

            await client.call_tool("run", {"document": "recipe.yaml"}, progress_callback=progress)
        assert scope.cancelled_caught
        with anyio.fail_after(60):
            while True:
                status = json.loads(text(await client.call_tool("status", {})))
                if not status["running"] and status["last"]["state"] == "interrupted":
                    break
                await anyio.sleep(0.1)
        made = status["last"]["made"]
        assert made >= 1
        planned = text(await client.call_tool("plan", {"document": "recipe.yaml"}))
        assert f" {made} cached" in planned

    speak(home, work)


def test_answers_end_and_are_shown(home: Path) -> None:
    from lorakit.cli.mcp.inside import MOST

    write_project(home, board_text([("one", [f"a fox {n} \\e" for n in range(700)])]))

    async def work(client: Any) -> None:
        answer = await client.call_tool("plan", {"document": "recipe.yaml", "frames": True})
        told = text(answer)
        assert MOST - 1000 < len(told) < MOST + 100
        assert told.endswith("more lines were left out: ask for less at once")
        hostile = await client.call_tool("plan", {"document": "\x1b[2J\u202e.yaml"})
        assert hostile.is_error
        assert "\\u001b[2J\\u202e.yaml" in text(hostile)

    within(home, work)


def test_revisions_are_compared_in_the_project_alone(home: Path) -> None:
    from dulwich import porcelain

    write_project(home, board_text(SCENES))

    async def none(client: Any) -> None:
        answer = await client.call_tool("diff", {})
        assert answer.is_error
        assert "is in no git repository" in text(answer)

    within(home, none)
    porcelain.init(str(home))
    porcelain.add(str(home), paths=[str(home / "board.yaml"), str(home / "recipe.yaml")])
    porcelain.commit(str(home), message=b"one", author=b"a <a@b>", committer=b"a <a@b>")
    board = home / "board.yaml"
    board.write_text(board.read_text().replace("a fox", "a heron", 1))

    async def work(client: Any) -> None:
        told = text(await client.call_tool("diff", {}))
        assert "heron" in told
        assert "recipe.yaml" in told
        wrong = await client.call_tool("diff", {"revisions": "nowhere"})
        assert wrong.is_error
        assert "nowhere" in text(wrong)

    within(home, work)
    part = home / "part"
    (part / ".lorakit").mkdir(parents=True)

    async def refused(client: Any) -> None:
        answer = await client.call_tool("diff", {})
        assert answer.is_error
        assert f"start lorakit mcp with --project {home}" in text(answer)

    within(part, refused)


def test_without_the_extra_one_sentence_says_how_to_get_it(home: Path) -> None:
    program = (
        "import sys; sys.modules['mcp'] = None; sys.argv = ['lorakit', 'mcp']\n"
        "from lorakit.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stderr == (
        "error: lorakit mcp needs the Python SDK of MCP: pip install 'lorakit[mcp]'\n"
    )
    assert (done.returncode, done.stdout) == (1, "")


@pytest.mark.slow
def test_over_http_only_who_knows_the_address_is_heard(home: Path) -> None:
    import urllib.error
    import urllib.request

    write_project(home, board_text(SCENES))
    server = subprocess.Popen(
        quick_command("mcp", "--http", "0", "--project", str(home)),
        cwd=home.parent,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stderr is not None
        address = server.stderr.readline().strip()
        assert address.startswith("http://127.0.0.1:")

        port = int(address.split(":")[2].split("/")[0])

        async def work() -> None:
            async with mcp.Client(address) as client:
                assert "2 files: 0 errors" in text(await client.call_tool("validate", {}))

        async def patient() -> None:
            with anyio.fail_after(60):
                while True:
                    try:
                        stream = await anyio.connect_tcp("127.0.0.1", port)
                        await stream.aclose()
                        break
                    except OSError:
                        await anyio.sleep(0.05)
            await work()

        anyio.run(patient)

        def answer(url: str, **headers: str) -> int:
            asked = urllib.request.Request(
                url, b"{}", {"Content-Type": "application/json", **headers}
            )
            try:
                return urllib.request.urlopen(asked).status
            except urllib.error.HTTPError as error:
                return error.code

        host = address.removeprefix("http://").partition("/")[0]
        assert answer(f"http://{host}/mcp") == 404
        assert answer(address, Origin="http://evil.example") == 403
        assert answer(address, Host="evil.example") == 421
    finally:
        server.terminate()
        server.wait(30)
        server.stderr.close()
