"""A team's cache behind servers that fail: a byte flips, the cable is cut, writing is forbidden.

The servers are no part of lorakit. What is made needs no model: a film of the user's own pictures.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image

from lorakit.remote import looking, protocols
from tests.support import cache_servers
from tests.support.runs import Ran, lorakit, run

# each is a run or two with servers beside it
pytestmark = pytest.mark.slow

BOARD = """\
storyboard: 1
video: {fps: 8, hold: 1s}
scenes:
  - name: own
    sentences:
      - {text: A fox., image: fox.png}
      - {text: A crow., image: crow.png}
"""


@dataclass
class Server:
    """A cache behind a protocol, whose `url` goes through a `cable`; `address` is where it may be written."""

    url: str
    address: str
    cable: cache_servers.Cable
    flip: Callable[[str], None]
    forbid: Callable[[], None]


def object_name(digest: str) -> str:
    return f"objects/{digest[:2]}/{digest[2:]}"


def flipped(data: bytes) -> bytes:
    return data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :]


def flips_below(folder: Path) -> Callable[[str], None]:
    def flip(digest: str) -> None:
        path = folder / object_name(digest)
        path.write_bytes(flipped(path.read_bytes()))

    return flip


@contextmanager
def through(port: int) -> Iterator[cache_servers.Cable]:
    cable = cache_servers.Cable(port)
    yield cable
    cable.close()


@contextmanager
def s3_server(_: Path, patch: pytest.MonkeyPatch) -> Iterator[Server]:
    with cache_servers.s3(patch) as url:
        bucket = cache_servers.s3_bucket()

        def flip(digest: str) -> None:
            one = bucket.Object(f"lorakit/{object_name(digest)}")
            one.put(Body=flipped(one.get()["Body"].read()))

        def forbid() -> None:
            refusal = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject"}
            refusal["Resource"] = "arn:aws:s3:::bucket/*"
            policy = {"Version": "2012-10-17", "Statement": [refusal]}
            bucket.Policy().put(Policy=json.dumps(policy))

        with through(int(urlsplit(os.environ["AWS_ENDPOINT_URL"]).port or 0)) as cable:
            patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{cable.port}")
            yield Server(url, url, cable, flip, forbid)


@contextmanager
def sftp_server(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Server]:
    read_only = threading.Event()
    user = folder.parent / "user"
    with cache_servers.sftp(folder, user, patch, read_only=read_only) as url:
        parts = urlsplit(url)
        with through(parts.port or 0) as cable:
            known = user / ".ssh" / "known_hosts"
            known.write_text(known.read_text().replace(f":{parts.port} ", f":{cable.port} "))
            near = url.replace(f":{parts.port}", f":{cable.port}")
            yield Server(near, near, cable, flips_below(folder / "lorakit"), read_only.set)


@contextmanager
def http_server(folder: Path, _: pytest.MonkeyPatch) -> Iterator[Server]:
    with cache_servers.web(folder) as url, through(urlsplit(url).port or 0) as cable:
        near = f"http://127.0.0.1:{cable.port}"
        yield Server(near, str(folder), cable, flips_below(folder), lambda: None)


SERVERS = {"s3": s3_server, "sftp": sftp_server, "http": http_server}


@pytest.fixture(params=list(SERVERS))
def server(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Server]:
    monkeypatch.setattr(looking, "_lost", {})
    (tmp_path / "shared").mkdir()
    with SERVERS[request.param](tmp_path / "shared", monkeypatch) as opened:
        yield opened
        protocols.close()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    home = tmp_path / "project"
    (home / ".lorakit").mkdir(parents=True)
    for name in ("fox", "crow"):
        Image.effect_noise((256, 256), 40).convert("RGB").save(home / f"{name}.png")
    (home / "board.yaml").write_text(BOARD)
    step = "film: {kind: storyboard, storyboard: board.yaml}"
    (home / "recipe.yaml").write_text(f"recipe: 1\nname: test\nsteps:\n  {step}\n")
    return home


def clone(project: Path) -> Path:
    """The documents and pictures, and nothing that was made."""
    there = project.parent / "clone"
    shutil.copytree(project, there, ignore=shutil.ignore_patterns(".lorakit", "outputs"))
    (there / ".lorakit").mkdir()
    return there


def warm(project: Path, server: Server, patch: pytest.MonkeyPatch) -> Ran:
    """A run whose results are all in the cache."""
    patch.setenv("LORAKIT_CACHE", server.address)
    made = run(project)
    assert made.code == 0, made.errors
    assert any(note.startswith("sent ") for note in notes(made)), notes(made)
    patch.setenv("LORAKIT_CACHE", server.url)
    protocols.close()
    return made


def notes(ran: Ran) -> list[str]:
    return [e["text"] for e in ran.events if e["type"] == "note"]


def outputs(ran: Ran) -> dict[str, dict[str, str]]:
    return {one["id"]: one["outputs"] for one in ran.manifest["actions"]}


def film(ran: Ran) -> bytes:
    return (ran.folder / "film" / "film.mp4").read_bytes()


def test_a_flipped_byte_is_noticed_and_its_result_made_again(
    server: Server, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = warm(project, server, monkeypatch)
    server.flip(outputs(first)["film/own/1"]["picture"])
    second = run(clone(project))
    assert second.code == 0, second.errors
    # what hangs on it came once its key was known again, in the run
    assert second.made() == ["film/own/1"]
    assert outputs(second) == outputs(first)
    assert film(second) == film(first)
    assert any("is damaged" in note for note in notes(second)), notes(second)


def test_a_cut_cable_costs_a_warning_and_what_did_not_come_is_made(
    server: Server, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = warm(project, server, monkeypatch)
    server.cable.most = 30_000  # enough for what it offers, and for no picture
    said = lorakit(clone(project), "run", "--plain")
    assert said.returncode == 0, said.stderr
    assert server.cable.cuts
    assert "did not come" in said.stdout or "cannot be used now" in said.stdout, said.stdout
    assert server.url in said.stdout
    server.cable.most = None
    monkeypatch.setattr(looking, "_lost", {})
    protocols.close()
    there = project.parent / "clone" / "outputs" / "test" / "001"
    assert (there / "film" / "film.mp4").read_bytes() == film(first)
    # nothing half was kept
    second = run(project.parent / "clone")
    assert second.made() == []
    assert outputs(second) == outputs(first)


def test_where_writing_was_forbidden_results_stay_here_and_that_is_told(
    server: Server, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warm(project, server, monkeypatch)
    server.forbid()
    (project / "board.yaml").write_text(BOARD.replace("hold: 1s", "hold: 2s"))
    said = lorakit(project, "run", "--plain")
    assert said.returncode == 0, said.stderr
    assert ": 3 made, 3 cached" in said.stdout, said.stdout
    if server.url.startswith("http"):  # nobody may ever write there, which is no news
        assert "could not be written" not in said.stdout
    else:
        assert f"{server.url} could not be written" in said.stdout, said.stdout
        assert "results stay here" in said.stdout
    # it is read from as before
    again = run(clone(project))
    assert not {"film/own/1", "film/own/2", "film/contact-sheet"} & set(again.made())
    assert "film/film" in again.made()
