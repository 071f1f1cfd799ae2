"""What a notebook shows: a plan as a table, a run with its pictures, and nothing that runs."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import lorakit
from lorakit.pages.shown_run import ShownRun
from tests.support.boards import board_text, sentences, write_project
from tests.support.runs import run

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


class Tags(HTMLParser):
    """Every tag of a fragment with its attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def names(self) -> set[str]:
        return {tag for tag, _ in self.found}


def shown(what: Any) -> Tags:
    return Tags(what._repr_html_())


def test_the_public_names_are_there() -> None:
    assert dir(lorakit) == sorted(lorakit.__all__)
    for name in lorakit.__all__:
        assert getattr(lorakit, name) is not None
    assert {"Selection", "Workers", "Event", "RunFinished", "Plan"} <= set(dir(lorakit))


@pytest.mark.slow
def test_a_plan_is_a_table_and_a_run_a_strip(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = f"a fox {HOSTILE} \u202e"
    write_project(home, board_text([("one", [f"'{words}'"]), ("two", sentences(2, 2))]))
    session = lorakit.load("recipe.yaml")
    assert repr(session) == "<Session 'test': film; .plan() and .run()>"
    plan = session.plan()
    assert re.fullmatch(r"<Plan 'test': 7 actions: .* new, .*>", repr(plan))
    table = shown(session)
    assert table.names == {"table", "thead", "tbody", "tr", "th", "td", "p", "pre"}
    assert "frames_scene_1 one" in table.text
    assert HOSTILE in table.text
    assert "7 actions: " in table.text

    ran = run(home)
    assert ran.code == 0, ran.errors
    assert session.run().ending == "done"
    assert capsys.readouterr().out == ""
    heard: list[lorakit.Event] = []
    finished = session.run(progress=True, listener=heard.append)
    lines = capsys.readouterr().out
    assert "test -> " in lines
    assert "done in " in lines
    assert heard[-1].type == "run-finished"
    assert repr(finished) == f"<Run '{ran.folder}': done, 7 cached>"
    strip = shown(finished)
    assert strip.names <= {"p", "b", "div", "figure", "figcaption", "img", "code"}
    pictures = [attributes for tag, attributes in strip.found if tag == "img"]
    assert len(pictures) == 3
    for attributes in pictures:
        assert set(attributes) == {"src", "alt", "title", "style"}
        kind, data = str(attributes["src"]).split(",")
        assert kind == "data:image/jpeg;base64"
        assert Image.open(io.BytesIO(base64.b64decode(data))).size == (64, 64)
    assert HOSTILE in strip.text
    assert "\\u202e" in strip.text
    assert str(ran.folder) in strip.text

    # an event of another folder, or of one that was removed: no picture, and no trouble
    gone = ShownRun.of(replace(finished, folder=f"/nowhere/{HOSTILE}"))
    assert shown(gone).names == {"p", "b", "code"}
    assert HOSTILE in shown(gone).text


def test_long_plans_and_runs_are_cut(home: Path) -> None:
    write_project(home, board_text([(f"s{n}", ["a fox"]) for n in range(80)]))
    table = shown(lorakit.load("recipe.yaml").plan())
    assert sum(tag == "tr" for tag, _ in table.found) == 1 + 60 + 1
    assert "and more: " in table.text


def test_what_is_wrong_with_a_document_is_shown_in_its_place(home: Path) -> None:
    write_project(home, board_text([("one", ["a fox"])]))
    session = lorakit.load("recipe.yaml")
    (home / "tiny" / "model_index.json").write_text(HOSTILE)
    told = shown(session)
    assert told.names == {"pre"}
    assert "recipe.yaml:4:" in told.text
    assert "error[" in told.text
