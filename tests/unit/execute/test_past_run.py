"""Runs read back from their folders: whole ones, killed ones, old ones, and what was tampered with."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from lorakit.diagnostics import LorakitError
from lorakit.execute import past_run
from lorakit.execute.past_runs import meant, runs_of
from tests.support import past_runs


def test_a_run_is_read_as_it_was(tmp_path: Path) -> None:
    run = past_run.read(past_runs.film(tmp_path / "fox" / "003", 2, 2))
    assert (run.recipe, run.name, run.ending, run.seconds) == ("fox", "003", "done", 12.5)
    second = run.actions[1]
    assert (second.id, second.outcome) == ("film/room-1/2", "made")
    assert second.frame.starts == ("film/room-1/1",)
    assert second.frame.size == (64, 64)
    assert second.place == ("board.yaml", 2, 9)
    (title, pictures), _ = run.actions[-1].rows
    assert title == "1. in room 1"
    assert pictures[1][0] == second.id
    assert pictures[1][1].startswith("The fox finds key number 2")
    assert run.documents["board.yaml"].startswith("storyboard: 1\n")


def test_a_killed_run_has_no_ending_and_half_a_line_is_passed_over(tmp_path: Path) -> None:
    folder = past_runs.film(tmp_path / "fox" / "001", 1, 2)
    (folder / "manifest.json").unlink()
    events = (folder / "events.jsonl").read_text().splitlines()
    (folder / "events.jsonl").write_text(events[0] + "\n" + events[1][:20])
    run = past_run.read(folder)
    assert run.ending == ""
    assert [a.outcome for a in run.actions] == ["made", "", ""]


def test_an_older_manifest_alone_is_enough(tmp_path: Path) -> None:
    told = {
        "recipe": "old",
        "ending": "done",
        "seconds": 3,
        "actions": [
            {
                "id": "film/one/1",
                "kind": "frame",
                "outcome": "made",
                "prompt": "a fox",
                "files": ["a.png"],
            }
        ],
    }
    (tmp_path / "manifest.json").write_text(json.dumps(told))
    (action,) = past_run.read(tmp_path).actions
    assert (action.step, action.file("picture"), action.frame.prompt) == ("film", "a.png", "a fox")


@pytest.mark.parametrize("path", ["/etc/passwd", "../../x.png", "a/../../x.png", ""])
def test_a_path_that_leaves_the_folder_is_dropped(tmp_path: Path, path: str) -> None:
    told = {"actions": [{"id": "a", "kind": "frame", "files": {"picture": [path, "kept.png"]}}]}
    (tmp_path / "record.json").write_text(json.dumps(told))
    assert past_run.read(tmp_path).actions[0].files == {"picture": ("kept.png",)}


WRONG: list[Any] = [
    None,
    7,
    "x",
    [],
    [[]],
    {},
    {"a": []},
    10**400,
    True,
    [1, "x", {}],
    {"x": {"y": None}},
]


@pytest.mark.slow
@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_no_value_of_a_wrong_kind_breaks_the_page(tmp_path: Path, value: Any) -> None:
    from lorakit.pages.run_report import write_report

    folder = past_runs.film(tmp_path / "fox" / "001", 1, 2)
    for name in ("record.json", "manifest.json"):
        whole = json.loads((folder / name).read_text())
        for key in list(whole):
            (folder / name).write_text(json.dumps({**whole, key: value}))
            write_report(folder)
        for key in [*whole["actions"][0], "film", "rows", "title", "frame"]:
            actions = [{**a, key: value} for a in whole["actions"]]
            (folder / name).write_text(json.dumps({**whole, "actions": actions}))
            write_report(folder)
        for key in whole["actions"][0].get("frame", ()):
            actions = [{**a, "frame": {**a.get("frame", {}), key: value}} for a in whole["actions"]]
            (folder / name).write_text(json.dumps({**whole, "actions": actions}))
            write_report(folder)
        (folder / name).write_text(json.dumps(whole))


def test_what_is_no_run_or_is_damaged_is_said(tmp_path: Path) -> None:
    with pytest.raises(LorakitError, match=r"is no run folder: neither record\.json nor"):
        past_run.read(tmp_path)
    (tmp_path / "record.json").write_text('{"a": ')
    with pytest.raises(LorakitError, match=r"record\.json is damaged: "):
        past_run.read(tmp_path)
    (tmp_path / "record.json").write_text("[1]")
    with pytest.raises(LorakitError, match=r"record\.json is damaged: it is no mapping"):
        past_run.read(tmp_path)


def test_runs_are_meant_by_path_by_name_and_by_being_the_newest(tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    for name in ("owl/001", "fox/002", "fox/010"):
        past_runs.film(outputs / name, 1, 1)
    for number, name in enumerate(("owl/001", "fox/010", "fox/002")):
        os.utime(outputs / name / "events.jsonl", (1e9 + 100 * number, 1e9 + 100 * number))
    runs = runs_of(tmp_path)
    assert meant(tmp_path, runs, None) == outputs / "fox/002"  # the last one that ran
    assert meant(tmp_path, runs, "fox") == outputs / "fox/002"
    assert meant(tmp_path, runs, "fox/010") == outputs / "fox/010"
    assert meant(tmp_path, [], str(outputs / "owl" / "001")) == outputs / "owl/001"
    with pytest.raises(LorakitError, match="there is no run fix; the last is fox/002"):
        meant(tmp_path, runs, "fix")
    with pytest.raises(LorakitError, match=r"there are no runs in .*: `lorakit run` makes one"):
        meant(tmp_path, [], None)
