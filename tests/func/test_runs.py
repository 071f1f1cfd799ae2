"""A day with `lorakit status` and `lorakit runs`, as they are typed."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

import lorakit as package
from tests.attack.commands import lorakit
from tests.support.boards import board_text, sentences, write_project
from tests.support.runs import lorakit_alone as elsewhere
from tests.support.runs import run

SCENES = [("one", sentences(1, 2)), ("two", sentences(2, 2))]


def told(*words: str) -> Any:
    said = lorakit(*words, "--json")
    assert said.code == 0, said.text
    return json.loads(said.text)


@pytest.mark.slow
def test_a_day(home: Path) -> None:
    board = board_text(SCENES)
    write_project(home, board)
    assert "no run yet in " in lorakit("status").text
    assert told("status")["never_run"] == 2  # the recipe, and the board by itself
    assert told("runs") == []

    first = run(home)
    assert first.code == 0, first.errors
    said = lorakit("status")
    made = first.finished["made"]
    assert re.search(
        rf"^last run  test/001, done .* ago in .*: {made} made$", said.text, re.MULTILINE
    )
    assert "  film    outputs/test/001/film/film.mp4\n" in said.text
    assert "  report  outputs/test/001/report.html\n" in said.text
    assert "recipe.yaml: up to date\n" in said.text
    assert "1 document not run yet\n" in said.text

    write_project(home, board.replace("an owl", "a robot", 1))
    planned = told("plan")
    to_make = sum(a["state"] in ("new", "changed", "waits") for a in planned["actions"])
    assert to_make
    (standing,) = told("status")["documents"]
    assert (standing["to_make"], standing["recipe"]) == (to_make, "test")
    assert "a robot" in standing["reasons"][0]
    assert f"recipe.yaml: {to_make} of " in lorakit("status").text

    second = run(home)
    assert second.finished["made"] <= to_make
    runs = told("runs")
    assert [one["run"] for one in runs] == ["test/001", "test/002"]
    for one, ran in zip(runs, (first, second), strict=True):
        assert (one["state"], one["made"], one["cached"]) == (
            "done",
            ran.finished["made"],
            ran.finished["cached"],
        )
        assert one["bytes"] == sum(p.stat().st_size for p in ran.folder.rglob("*") if p.is_file())
        assert one["began"] == ran.events[0]["began"]
    assert len(lorakit("runs").text.splitlines()) == 2

    assert lorakit("runs", "keep", "1").text == "kept  test/001\n"
    kept = lorakit("runs", "rm", "outputs/test/001")
    assert kept.code == 1
    assert "`lorakit runs keep --no-keep test/001` takes the mark off" in kept.text
    assert lorakit("runs", "keep", "--no-keep", "test/1").code == 0

    dry = lorakit("runs", "rm", "test/002")
    assert dry.text.splitlines()[-1].startswith("nothing was removed; --yes removes 1 run, ")
    assert (home / "outputs" / "test" / "002").is_dir()
    assert told("runs", "rm", "test/002", "--yes")["removed"]
    assert not (home / "outputs" / "test" / "002").exists()
    # what nothing points to any more is named by nothing
    assert (home / "outputs" / "test" / "latest.txt").read_text() == "001\n"
    assert run(home).finished["made"] == 0  # the store has it all
    assert [one["run"] for one in told("runs")] == ["test/001", "test/002"]


@pytest.mark.slow
def test_a_run_is_seen_from_another_terminal(home: Path) -> None:
    write_project(home, board_text(SCENES))
    seen: list[Any] = []

    def look(event: Any) -> None:
        if event.type == "action-finished" and not seen:
            seen.append(json.loads(elsewhere(home, "status", "--json").stdout))
            seen.append(elsewhere(home, "status").stdout)
            seen.append(elsewhere(home, "runs", "rm", "1", "--yes"))
            seen.append(elsewhere(home, "runs").stdout)

    finished = package.load("recipe.yaml").run(listener=look)
    assert finished.ending == "done"
    (running,) = seen[0]["running"]
    assert running["folder"] == finished.folder
    assert running["pid"] == os.getpid()
    assert running["to_make"] == finished.made + finished.cached
    assert running["through"] == 1 == running["outcomes"]["made"]
    assert running["left"] > 0
    assert running["last"][-1]["action"] in ("film/one/1", "film/film_subtitles")
    assert re.match(r"test is running since \d\d:\d\d, for ", seen[1])
    assert f"so far  1 of {running['to_make']} to make (1 made), " in seen[1]
    assert seen[2].returncode == 1
    assert "test/001 is going on: stop it first" in seen[2].stderr
    assert " running " in seen[3]
    assert told("status")["running"] == []
    assert told("runs")[0]["state"] == "done"


@pytest.fixture
def three(home: Path) -> Path:
    """Three recipes' worth of folders: two that ended, one that a kill cut short, and what is no run."""
    for name, lines in {
        "a/001": [("run-finished", {"ending": "failed", "seconds": 3.0, "made": 1})],
        "a/002": [],
        "b/001": [("run-finished", {"ending": "done", "seconds": 3.0, "cached": 2})],
    }.items():
        folder = home / "outputs" / name
        folder.mkdir(parents=True)
        events = [{"type": "run-started", "at": 0.0, "recipe": name[0]}]
        events += [{"type": kind, "at": 3.0, **more} for kind, more in lines]
        text = "".join(json.dumps(event) + "\n" for event in events)
        (folder / "events.jsonl").write_text(text + '{"type": "act' * (not lines))
    (home / "outputs" / "notes").mkdir()
    (home / "outputs" / "a" / "drafts").mkdir()
    elsewhere_ = home.parent / "mine"
    elsewhere_.mkdir()
    (elsewhere_ / "precious").write_text("x")
    (home / "outputs" / "a" / "003").symlink_to(elsewhere_)
    (home / "outputs" / "c").symlink_to(elsewhere_)
    (elsewhere_ / "001").mkdir()
    return home


def test_runs_that_ended_badly_are_listed_and_what_is_no_run_is_not(three: Path) -> None:
    states = {one["run"]: one["state"] for one in told("runs")}
    assert states == {"a/001": "failed", "a/002": "broken off", "b/001": "done"}
    assert [one["run"] for one in told("runs", "--recipe", "b")] == ["b/001"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["rm", "1", "--yes"], 1, "1 may be any of a/001, b/001: write one of these"),
        (["rm", "a/003", "--yes"], 1, "there is no run a/003; did you mean a/00"),
        (["rm", "c/001", "--yes"], 1, "there is no run c/001"),
        (["rm", "../mine", "--yes"], 1, "there is no run ../mine; the last is "),
        (["rm", "outputs/../../mine", "--yes"], 1, "there is no run"),
        (["rm", "outputs/a", "--yes"], 1, "there is no run"),
        (["rm", "outputs/a/drafts", "--yes"], 1, "there is no run"),
        (["rm", "", "--yes"], 1, "there is no run"),
        (["keep", "a/9"], 1, "there is no run a/9; the last is "),
        (["rm"], 2, "Missing argument 'RUN...'"),
        (["remove"], 2, "No such command 'remove'"),
        (["--recipe", "d"], 2, "it has no runs; there are runs of a, b"),
    ],
)
def test_wrong_runs_are_answered_and_nothing_goes(
    three: Path, words: list[str], code: int, says: str
) -> None:
    before = sorted(three.parent.rglob("*"))
    said = lorakit("runs", *words)
    assert said.code == code, said.text
    assert says in said.text
    assert sorted(three.parent.rglob("*")) == before


def test_a_link_within_a_run_is_removed_and_not_followed(three: Path) -> None:
    (three / "outputs" / "a" / "002" / "out").symlink_to(three.parent / "mine")
    assert lorakit("runs", "rm", "a/002", "--yes").code == 0
    assert not (three / "outputs" / "a" / "002").exists()
    assert (three.parent / "mine" / "precious").read_text() == "x"


def test_events_that_are_anybody_s_break_nothing(three: Path) -> None:
    for number, line in enumerate(
        (
            '{"type": "run-finished", "ending": "\\n\\u001b[2J", "seconds": 1}',
            '{"type": "run-finished", "ending": "done", "seconds": "long"}',
            '{"type": "run-finished", "ending": "done", "films": 7}',
            "[" * 100_000,
            "7",
        ),
        5,
    ):
        folder = three / "outputs" / "a" / f"00{number}"
        folder.mkdir()
        (folder / "events.jsonl").write_text(f"{line}\n")
    assert {r["state"] for r in told("runs", "--recipe", "a")} == {"failed", "broken off"}
    assert lorakit("runs").code == lorakit("status").code == 0


def test_outputs_on_another_disk_are_listed(three: Path) -> None:
    shutil.move(three / "outputs", three.parent / "disk")
    (three / "outputs").symlink_to(three.parent / "disk")
    assert {one["run"] for one in told("runs")} == {"a/001", "a/002", "b/001"}


def test_a_document_that_cannot_be_planned_is_told(home: Path) -> None:
    (home / "recipe.yaml").write_text("recipe: 1\nsteps: {a: {kind: generat, prompts: [a fox]}}\n")
    said = lorakit("status", "recipe.yaml")
    assert said.code == 3
    assert "recipe.yaml: cannot be planned: recipe.yaml:2:19: error[wrong-value]: " in said.text
    assert lorakit("status").code == 0
    assert lorakit("status", "nothing.yaml").code == 3
