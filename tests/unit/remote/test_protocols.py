"""The cache over real servers: push, a fresh clone, pull. What is in the stores is made up, so it is quick."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lorakit.remote import looking, protocols
from tests.support import cache_servers
from tests.support.boards import board_text, sentences
from tests.support.made_up import make_up
from tests.support.runs import Ran, lorakit, run

BOARD = "board.yaml"
SCENES = [("one", sentences(1, 3)), ("two", sentences(2, 2))]


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(looking, "_lost", {})
    yield
    protocols.close()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A board for the model that ships, which a plan reads without torch."""
    home = tmp_path / "project"
    (home / ".lorakit").mkdir(parents=True)
    (home / "board.yaml").write_text(board_text(SCENES))
    monkeypatch.chdir(home)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return home


@pytest.fixture
def clone(project: Path, tmp_path: Path) -> Callable[[str], Path]:
    def make(name: str) -> Path:
        there = tmp_path / name
        (there / ".lorakit").mkdir(parents=True)
        for one in project.iterdir():
            if one.name not in (".lorakit", "outputs"):
                (shutil.copytree if one.is_dir() else shutil.copy)(one, there / one.name)
        return there

    return make


@pytest.fixture(params=["folder", "s3", "sftp"])
def address(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A cache that is empty, named in the user's config."""
    shared = tmp_path / "shared"
    shared.mkdir()
    match request.param:
        case "folder":
            opened = _as_it_is(str(shared))
        case "s3":
            opened = cache_servers.s3(monkeypatch)
        case _:
            opened = cache_servers.sftp(shared, tmp_path / "user", monkeypatch)
    with opened as url:
        config = tmp_path / "config" / "lorakit"
        config.mkdir(parents=True)
        # busy machines are slow
        (config / "config.yaml").write_text(f"cache: {{url: '{url}', timeout: 60}}\n")
        yield url
        protocols.close()


@contextmanager
def _as_it_is(url: str) -> Iterator[str]:
    yield url


def told(home: Path, *words: str, code: int = 0) -> dict:
    done = lorakit(home, *words, "--json")
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def notes(ran: Ran) -> str:
    return "\n".join(e["text"] for e in ran.events if e["type"] == "note")


@pytest.mark.slow
def test_pushed_by_one_and_fetched_by_another(
    project: Path, clone: Callable[[str], Path], address: str
) -> None:
    made = make_up(project, BOARD)
    sent = told(project, "cache", "push")
    assert (sent["results"], sent["left"], sent["troubles"]) == (len(made), 0, [])
    assert told(project, "cache", "push")["results"] == 0
    assert told(project, "cache", "status")["unsent"] == 0

    theirs = clone("theirs")
    plan = told(theirs, "plan", BOARD)
    # a film is finished from its pictures, of which nobody needs anything then
    assert plan["counts"]["remote"] == len(made) - 1
    assert plan["counts"]["cached"] == 1
    assert plan["to_make"] == 0
    ran = run(theirs, BOARD)
    assert ran.code == 0, ran.errors
    assert ran.made() == []
    assert ran.calls == {}
    assert "fetched " in notes(ran)
    key = next(one for id_, one in made.items() if id_.endswith("one/2")).key
    drawn = hashlib.sha256(f"picture of {key}".encode()).hexdigest()
    assert drawn in ran.pictures().values()
    assert len(ran.pictures()) == 5

    # without a run, too
    third = clone("third")
    pulled = told(third, "cache", "pull")
    assert pulled["results"] == len(made)
    assert told(third, "plan", BOARD)["counts"]["cached"] == len(made)

    # what is older than now may go, and is drawn again
    found = told(project, "cache", "gc", "--older", "0h")
    assert found["results"] == len(made)
    assert found["objects"] > 0
    assert told(project, "cache", "status")["results"] == len(made)
    assert told(project, "cache", "gc", "--older", "0h", "--yes")["removed"]
    status = told(project, "cache", "status")
    assert (status["results"], status["unsent"]) == (0, len(made))


def test_over_http_it_is_read_only(
    project: Path,
    clone: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    monkeypatch.setenv("LORAKIT_CACHE", str(shared))
    made = make_up(project, BOARD)
    told(project, "cache", "push")
    with cache_servers.web(shared) as url:
        monkeypatch.setenv("LORAKIT_CACHE", url)
        theirs = clone("theirs")
        ran = run(theirs, BOARD)
        assert ran.made() == []
        assert len(ran.pictures()) == 5
        pushed = lorakit(theirs, "cache", "push")
        assert pushed.returncode == 1
        assert "read only, as all that is served over HTTP" in pushed.stderr
        assert told(theirs, "plan", BOARD)["cache"]["mode"] == "read"
    assert len(made) == len(ran.manifest["actions"])
