"""`lorakit gc`: what it takes, what it leaves, and that a run after it is right."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

import lorakit as package
from tests.attack.commands import lorakit
from tests.support.boards import board_text, sentences, write_project
from tests.support.runs import lorakit_alone as elsewhere
from tests.support.runs import run, run_alone

BOARD = board_text([("one", sentences(1, 2)), ("two", sentences(2, 1))])
FIRST, SECOND, THIRD = (BOARD.replace("an owl", who, 1) for who in ("an owl", "a cat", "a dog"))


def gc(*words: str) -> Any:
    said = lorakit("gc", "--json", *words)
    assert said.code == 0, said.text
    return json.loads(said.text)


def stored(home: Path) -> set[str]:
    return {p.parent.name + p.name for p in (home / ".lorakit" / "objects").glob("??/*")}


@pytest.mark.slow
def test_what_a_kept_run_the_latest_and_the_documents_need_stays(home: Path) -> None:
    write_project(home, FIRST)
    first = run(home)
    write_project(home, SECOND)
    second = run(home)
    write_project(home, THIRD)
    third = run(home)
    assert lorakit("runs", "keep", "1").code == 0

    before = stored(home)
    dry = gc()
    assert not dry["removed"]
    assert dry["objects"]["count"]
    assert dry["roots"]["runs"] == ["test/001", "test/003"]
    assert stored(home) == before
    said = lorakit("gc").text
    assert (
        "stays: what is needed by test/001 (kept), test/003 and the plans of 2 documents\n" in said
    )
    assert "nothing was removed; --yes frees " in said

    done = gc("--yes")
    assert done["objects"] == dry["objects"]
    assert len(before) - len(stored(home)) == dry["objects"]["count"]
    assert gc()["bytes"] == 0
    assert lorakit("gc").text.endswith("nothing to clear\n")
    assert second.folder.is_dir()  # nobody asked for more

    for board, ran, again in ((THIRD, third, False), (FIRST, first, False), (SECOND, second, True)):
        write_project(home, board)
        made = run(home, "--copy")
        assert made.code == 0, made.errors
        assert bool(made.finished["made"]) is again
        assert made.pictures() == ran.pictures()
    gc("--yes")
    assert run(home, "--copy", "--verify").finished["made"] == 0


@pytest.mark.slow
def test_what_was_last_made_stays_while_a_document_cannot_be_planned(home: Path) -> None:
    write_project(home, FIRST)
    run(home)
    assert lorakit("runs", "rm", "1", "--yes").code == 0
    recipe = home / "recipe.yaml"
    text = recipe.read_text()
    recipe.write_text(text + "  {{\n")
    found = gc("--yes")
    assert list(found["troubles"]) == [str(recipe)]
    assert found["objects"]["count"] == 0
    assert "recipe.yaml cannot be planned, so all that was last made stays\n" in lorakit("gc").text
    # a document that is no more leads to nothing
    recipe.unlink()
    (home / "board.yaml").unlink()
    assert gc("--yes")["objects"]["count"] > 0
    assert not stored(home)
    write_project(home, FIRST)
    assert run(home).code == 0


@pytest.mark.slow
def test_what_a_model_made_that_is_no_more_here_stays(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = home.parent / "hf"
    monkeypatch.setenv("HF_HOME", str(cache))
    model = cache / "hub" / "models--someone--model"
    (model / "refs").mkdir(parents=True)
    (model / "refs" / "main").write_text("a" * 40)
    (model / "snapshots").mkdir()
    shutil.move(home / "tiny", model / "snapshots" / ("a" * 40))
    (home / "recipe.yaml").write_text(
        "recipe: 1\nname: far\nmodels: {far: {from: 'hub:someone/model', dtype: fp32}}\n"
        "steps: {a: {kind: generate, model: far, prompts: [a fox], num_inference_steps: 2}}\n"
    )
    first = run_alone(home)
    assert first.code == 0, first.errors
    # neither its run nor its model is here any more: where it stood last is all that leads to it
    shutil.rmtree(home / "outputs")
    model.rename(cache / "elsewhere")
    done = elsewhere(home, "gc", "--yes", "--json")
    told = json.loads(done.stdout)
    assert told["roots"] == {"runs": [], "documents": [str(home / "recipe.yaml")]}
    assert not told["objects"]["count"]
    (cache / "elsewhere").rename(model)
    again = run_alone(home)
    assert again.finished["made"] == 0


@pytest.mark.slow
def test_nothing_goes_while_a_run_is_going_on(home: Path) -> None:
    write_project(home, FIRST)
    seen: list[Any] = []

    def look(event: Any) -> None:
        if event.type == "action-finished" and event.action.startswith("film/one/2"):
            (home / "board.yaml").unlink()
            (home / "recipe.yaml").unlink()
            before = stored(home)
            seen.append((lorakit("gc", "--yes"), before == stored(home)))

    assert package.load("recipe.yaml").run(listener=look).ending == "done"
    ((said, same),) = seen
    assert said.code == 1
    assert "test is running, and needs what is in the store" in said.text
    assert same


def test_old_runs_go_by_their_age(home: Path) -> None:
    for number, days in ((1, 40), (2, 40), (3, 2), (4, 1)):
        folder = home / "outputs" / "a" / f"00{number}"
        folder.mkdir(parents=True)
        began = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() - days * 86_400))
        start = {"type": "run-started", "at": 0.0, "began": began}
        end = {"type": "run-finished", "at": 1.0, "ending": "done", "seconds": 1.0}
        text = "".join(json.dumps(e) + "\n" for e in (start, end))
        (folder / "events.jsonl").write_text(text)
    assert lorakit("runs", "keep", "a/1").code == 0
    assert gc()["old_runs"] == []
    assert gc("--runs-older", "30d")["old_runs"] == ["a/002"]
    assert gc("--runs-older", "1h", "--yes")["old_runs"] == ["a/002", "a/003"]
    assert sorted(p.name for p in (home / "outputs" / "a").iterdir()) == ["001", "004"]


def test_only_what_is_the_store_s_own_goes(home: Path) -> None:
    write_project(home, FIRST)
    objects = home / ".lorakit" / "objects"
    mine = home.parent / "mine"
    (mine / "ab").mkdir(parents=True)
    precious = mine / "ab" / ("c" * 62)
    precious.write_text("x")
    objects.mkdir()
    (objects / "ab").symlink_to(mine / "ab")
    (objects / "cd").mkdir()
    (objects / "cd" / "readme.txt").write_text("mine")
    (objects / "cd" / ("e" * 62)).symlink_to(precious)
    young, old = objects / "cd" / ("0" * 62), objects / "cd" / ("1" * 62)
    checkpoint = home / ".lorakit" / "checkpoints" / ("2" * 64)
    other = home / ".lorakit" / "checkpoints" / ("3" * 64)
    for file in (young, old, checkpoint / "step", other / "step"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
    os.utime(other / "step", (0, 0))
    found = gc("--yes")
    assert precious.read_text() == "x"
    assert (objects / "cd" / "readme.txt").exists()
    # nothing names these yet: a plan may have put them there just now
    assert young.exists()
    assert old.exists()
    assert checkpoint.exists()
    assert not other.exists()
    assert found["checkpoints"] == {"count": 1, "bytes": 1}
    assert "stays: 1 unfinished training of the last 7 days, 1 B\n" in lorakit("gc").text


def test_what_a_killed_run_left_goes(home: Path) -> None:
    from lorakit.store.store import Store

    store = Store(home)
    store.prepare()
    dead = store.scratch()
    (dead.folder / "7").mkdir()
    (dead.folder / "7" / "half.png").write_bytes(b"x" * 30)
    assert lorakit("gc", "--yes").code == 1  # it is alive
    dead._lock.release()
    assert gc()["unfinished"] == {"count": 1, "bytes": 30}
    assert dead.folder.is_dir()
    gc("--yes")
    assert list((home / ".lorakit" / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--runs-older", "30"], "30 is no age: write 30d, 12h or 2w"),
        (["--runs-older", "yesterday"], "yesterday is no age"),
        (["now"], "unexpected extra argument"),
    ],
)
def test_wrong_words_are_answered(home: Path, words: list[str], says: str) -> None:
    said = lorakit("gc", *words)
    assert said.code == 2
    assert says in said.text


def test_a_folder_without_a_store_has_nothing_to_clear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "no store in " in lorakit("gc", "--yes").text
    assert not gc()["bytes"]
