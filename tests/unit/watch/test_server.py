"""Who is answered: a browser on this machine that knows the address, and nobody else."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

pytest.importorskip("starlette", reason="needs pip install 'lorakit[watch]'")
pytest.importorskip("uvicorn", reason="needs pip install 'lorakit[watch]'")

from lorakit.diagnostics import Diagnostic, LorakitError, Place
from lorakit.execute.events import ActionFinished, ActionProgress
from lorakit.watch.server import Server
from lorakit.watch.shown import Shown

PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)


@pytest.fixture
def shown(tmp_path: Path) -> Shown:
    folder = tmp_path / "outputs" / "a film" / "001"
    (folder / "film").mkdir(parents=True)
    (folder / "film" / "1.png").write_bytes(PNG)
    (folder / "film" / "run.log").write_text("secret")
    (folder / "film" / "out.png").symlink_to(tmp_path / "secret.png")
    (tmp_path / "secret.png").write_bytes(b"secret")
    record = {"lorakit": 1, "recipe": "a film", "actions": []}
    (folder / "record.json").write_text(json.dumps(record))
    made = Shown(Path("board.yaml"))
    made.folder = folder
    return made


@pytest.fixture
def server(shown: Shown) -> Iterator[Server]:
    made = Server(shown)
    made.start()
    yield made
    made.close()


def ask(
    server: Server, path: str, method: str = "GET", **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.putrequest(method, path, skip_host="Host" in given)
        for name, value in given.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def root(server: Server) -> str:
    return urlsplit(server.url).path


def page(server: Server) -> str:
    return root(server) + "a%20film/001/"


def test_the_page_and_its_pictures(server: Server) -> None:
    answer, _ = ask(server, root(server))
    assert (answer.status, answer.headers["location"]) == (307, page(server))
    answer, body = ask(server, page(server))
    assert answer.status == 200
    assert b"<main" in body
    assert ask(server, page(server) + "film/1.png")[1] == PNG


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_other_names_and_other_origins_are_refused(server: Server, headers: dict[str, str]) -> None:
    for path in (root(server), page(server), page(server) + "film/1.png", root(server) + "events"):
        answer, body = ask(server, path, **headers)
        assert (answer.status, body) == (403, b"refused\n")


def test_the_pages_own_requests_are_answered(server: Server) -> None:
    own = f"http://127.0.0.1:{server.port}"
    assert ask(server, page(server), Origin=own, Sec_Fetch_Site="same-origin")[0].status == 200
    answer, _ = ask(server, page(server), Host=f"localhost:{server.port}")
    assert answer.status == 200


@pytest.mark.parametrize("token", ["", "x", "events"])
def test_without_the_token_nothing_is_told(server: Server, token: str) -> None:
    cut = root(server)[1:-2]
    for first in (token, cut, cut + "xy", root(server).strip("/").swapcase()):
        answer, body = ask(server, f"/{first}/")
        assert (answer.status, body) == (403, b"refused\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_it_can_be_read_and_nothing_else(server: Server, method: str) -> None:
    assert ask(server, page(server), method)[0].status == 403


def test_no_answer_is_for_other_origins(server: Server) -> None:
    for path in (page(server), "/", page(server) + "film/1.png"):
        headers = ask(server, path)[0].headers
        assert not [name for name in headers if name.lower().startswith("access-control")]
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["x-frame-options"] == "DENY"
        assert "server" not in headers


@pytest.mark.parametrize(
    "path",
    [
        "film/run.log",
        "record.json",
        "film/out.png",
        "../../../secret.png",
        "..%2f..%2f..%2fsecret.png",
        "film/%2e%2e/%2e%2e/%2e%2e/%2e%2e/secret.png",
        "/etc/passwd",
        "film/1.png%00.png",
    ],
)
def test_only_pictures_and_films_of_runs_are_handed_out(server: Server, path: str) -> None:
    answer, body = ask(server, page(server) + path)
    assert answer.status in (307, 404)
    assert b"secret" not in body


def events(server: Server, connection: http.client.HTTPConnection) -> Iterator[Any]:
    connection.request("GET", root(server) + "events")
    answer = connection.getresponse()
    assert answer.headers["content-type"].startswith("text/event-stream")
    for line in answer:
        if line.startswith(b"data: "):
            yield json.loads(line[6:])


def test_changes_are_told_as_they_come_and_the_end_as_well(server: Server, shown: Shown) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    told = events(server, connection)
    assert next(told)["status"] == "reading"
    line = "chain: {strenght: 0.7}"
    wrong = Diagnostic("unknown-key", "unknown <key>", Place("board.yaml", 5, 9, 8), line)
    shown.findings([wrong], "1 error to mend", "failed")
    now = next(told)
    assert (now["status"], now["tone"]) == ("1 error to mend", "failed")
    body = ask(server, page(server))[1].decode()
    assert "board.yaml:5:9" in body
    assert "unknown &lt;key&gt;" in body
    assert "<mark>strenght</mark>" in body
    shown.findings((), "up to date", "")
    assert next(told)["status"] == "up to date"
    assert "board.yaml:5:9" not in ask(server, page(server))[1].decode()
    server.close()
    assert next(told)["over"] is True
    assert next(told, None) is None
    connection.close()


def test_a_port_that_is_taken_is_told(server: Server, shown: Shown) -> None:
    with pytest.raises(LorakitError, match=rf"port {server.port} cannot be had: .*--port 0"):
        Server(shown, server.port)


def test_a_frame_on_its_way_is_on_the_page_until_it_is_done(server: Server, shown: Shown) -> None:
    assert shown.folder
    (shown.folder / "previews").mkdir()
    (shown.folder / "previews" / "4.webp").write_bytes(b"RIFF")
    shown.handle(ActionProgress(9.0, "film/meadow/1", 3, 20, {}, "previews/4.webp"))
    body = ask(server, page(server))[1].decode()
    assert 'src="./previews/4.webp"' in body
    assert "film/meadow/1, on its way" in body
    assert "3 of 20 steps" in body
    assert ask(server, page(server) + "previews/4.webp")[0].status == 200
    shown.handle(ActionFinished(12.0, "film/meadow/1", "made"))
    assert "previews/" not in ask(server, page(server))[1].decode()
