"""Reports of runs as they are made: what stands in the folder, and the command that makes it again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.boards import board_text, sentences, write_project
from tests.support.runs import lorakit, run

SCENES = [("one", sentences(1, 2)), ("two", sentences(2, 2))]


@pytest.mark.slow
def test_a_run_leaves_its_page_and_the_command_makes_it_again(home: Path) -> None:
    write_project(home, board_text(SCENES))
    first = run(home)
    assert first.code == 0, first.errors
    page = first.folder / "report.html"
    assert first.finished["report"] == str(page)
    text = page.read_text("utf-8")
    for words in (
        *sentences(1, 2),
        "film/frames_scene_2/frame_002.png",
        "film/film.mp4",
        "Done in",
    ):
        assert words in text
    record = json.loads((first.folder / "record.json").read_text())
    assert set(record["documents"]) == {"recipe.yaml", "board.yaml"}
    assert record["documents"]["board.yaml"] == (home / "board.yaml").read_text()

    changed = board_text([("one", sentences(1, 2)), ("two", [*sentences(2, 1), "The owl sleeps"])])
    (home / "board.yaml").write_text(changed)
    second = run(home)
    assert second.code == 0, second.errors
    text = (second.folder / "report.html").read_text("utf-8")
    assert "The owl sleeps" in text
    assert "nothing that decides it has changed" in text
    assert 'id="compare"' in text
    reason = next(
        a["reason"]
        for a in json.loads((second.folder / "record.json").read_text())["actions"]
        if a["id"] == "film/two/2"
    )
    assert reason.startswith("prompt: ")

    (second.folder / "report.html").unlink()
    told = lorakit(home, "report", "--json")
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["run"] == str(second.folder)
    assert (second.folder / "report.html").read_text("utf-8") == text
    for words in ((), ("outputs/test/001",), ("test/001",)):
        again = lorakit(home, "report", *words)
        assert again.stdout.strip().endswith("report.html"), again.stderr
    wrong = lorakit(home, "report", "tset")
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("error: there is no run tset")

    # nothing to make: the folder that holds everything has its page already
    nothing = run(home)
    assert nothing.finished["report"] == str(second.folder / "report.html")


@pytest.mark.slow
def test_a_report_that_fails_fails_no_run(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lorakit.session import making

    def full(*_: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(making, "write_report", full)
    write_project(home, board_text(SCENES[:1]))
    done = run(home)
    assert done.code == 0, done.errors
    assert done.finished["report"] == ""
    notes = [event["text"] for event in done.events if event["type"] == "note"]
    assert any("no report.html was written: OSError" in note for note in notes)


def test_a_sentence_that_would_be_a_script_is_a_sentence(home: Path) -> None:
    words = "The fox says </script><script>alert(1)</script> & 'x\" onload=1"
    write_project(home, board_text([("one", [words.replace('"', "")])]))
    done = run(home)
    assert done.code == 0, done.errors
    text = (done.folder / "report.html").read_text("utf-8")
    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;alert(1)" in text
