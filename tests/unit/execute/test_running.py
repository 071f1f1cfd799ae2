"""How far a run is, from what it has written so far."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lorakit.execute.running import Running, runs_going_on
from lorakit.store.store import Store

BEGAN = "2026-05-01T10:00:00+00:00"
TOLD = {
    "recipe": "film",
    "pid": 7,
    "actions": {"a/1": ["render", 20], "a/2": ["render", 20], "a/film": ["media", 10]},
    "expected": {"render": 40.0, "media": 10.0},
}


def event(kind: str, at: float, **more: Any) -> str:
    return json.dumps({"type": kind, "at": at, **more}) + "\n"


def seen(home: Path, text: str, seconds: float, told: Mapping[str, Any] = TOLD) -> Running:
    (home / "events.jsonl").write_text(text)
    store = Store(home)
    store.prepare()
    scratch = store.scratch({**told, "folder": str(home)})
    try:
        (found,) = runs_going_on(store.folder, 1777629600.0 + seconds)
    finally:
        scratch.close()
    return found


START = event("run-started", 0.0, folder="x", recipe="film", actions=4, to_make=3, began=BEGAN)


def test_what_is_left_is_what_was_expected_of_the_rest_at_the_pace_so_far(tmp_path: Path) -> None:
    begun = seen(tmp_path, START, 1.0)
    assert (begun.left, begun.through, begun.seconds) == (50.0, 0, 1.0)
    half = START + event("action-started", 2.0, action="a/1", worker="render 2")
    half += event("action-progress", 9.0, action="a/1", done=5, total=20, figures={})
    half += event("action-progress", 9.0, action="a/2", done=9, total=20, figures={})
    half += event("action-progress", 10.0, action="a/1", done=10, total=20, figures={})
    found = seen(tmp_path, half, 20.0)
    assert found.active == (("a/1", 10, 20, "render 2"),)
    assert found.left == 80.0  # a fifth is through, in twice the time that was expected of it
    more = half + event("action-finished", 30.0, action="a/1", outcome="made")
    more += event("action-finished", 30.0, action="a/2", outcome="cached")
    more += event("note", 31.0, text="a word") + '{"type": "action-fin'
    found = seen(tmp_path, more, 40.0)
    assert (found.through, found.active, found.left) == (2, (), 10.0)
    assert found.outcomes == {"made": 1, "cached": 1}
    assert [one["type"] for one in found.last] == ["action-finished", "note"]


@pytest.mark.parametrize("told", [{}, {"actions": [], "expected": {}}, {**TOLD, "expected": {}}])
def test_where_nothing_was_expected_nothing_is_foretold(
    tmp_path: Path, told: Mapping[str, Any]
) -> None:
    assert seen(tmp_path, START, 5.0, told).left is None
