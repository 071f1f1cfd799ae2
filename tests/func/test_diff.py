"""`lorakit diff` in repositories as git writes them: every number that it foretells is what `run` then does."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.boards import board_text, sentences, write_project
from tests.support.repositories import commit, git, init
from tests.support.runs import run

SCENES = [("one", sentences(1, 3)), ("two", sentences(2, 2))]

FILM = ["film/film_subtitles", "film/film_pictures", "film/film"]


def said(home: Path, *words: str) -> tuple[int, str, str]:
    """Exit code, output and errors of `lorakit diff ...` in a folder."""
    from lorakit.cli import command
    from lorakit.cli.outcome import guarded

    output, errors = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(home),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
        pytest.raises(SystemExit) as left,
    ):
        guarded(command, ["diff", *words])
    return int(left.value.code or 0), output.getvalue(), errors.getvalue()


def diff(home: Path, *words: str) -> dict[str, Any]:
    code, output, errors = said(home, "--json", *words)
    assert code == 0, errors
    return json.loads(output)


def became(document: dict[str, Any], word: str, kind: str = "frame") -> list[str]:
    return [a["id"] for a in document["actions"] if a["became"] == word and a["kind"] == kind]


@pytest.fixture
def repo(home: Path) -> Path:
    """A project in git, drawn once; its model is not in git, as models are not."""
    (home / ".gitignore").write_text("tiny/\noutputs/\n.lorakit/\n")
    write_project(home, board_text(SCENES))
    init(home)
    commit(home)
    assert run(home).code == 0
    return home


class Week:
    """A project that is edited, compared, drawn and committed, over and over."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.one, self.two = (list(lines) for _, lines in SCENES)
        self.scenes = [("one", self.one), ("two", self.two)]
        self.options: dict[str, Any] = {}

    def write(self, **options: Any) -> None:
        self.options |= options
        (self.home / "board.yaml").write_text(board_text(self.scenes, **self.options))

    def foretold(self, *words: str) -> dict[str, Any]:
        """A comparison, the run after it, which does what it says, and a commit."""
        found = diff(self.home, *words)
        (document,) = found["documents"]
        expected = sorted(a["id"] for a in document["actions"] if a["to_make"])
        done = run(self.home)
        assert done.code == 0, done.errors
        assert sorted(done.made()) == expected
        assert done.finished["made"] == document["to_make"] == found["to_make"]
        # once it is drawn, nothing is to make any more, though it differs
        (after,) = diff(self.home)["documents"]
        assert after["to_make"] == 0
        assert [a["became"] for a in after["actions"]] == [a["became"] for a in document["actions"]]
        commit(self.home)
        return document


def a_word_costs_its_frame_and_those_that_start_from_it(week: Week) -> None:
    week.one[1] = week.one[1].replace("holds", "hides")
    week.write()
    document = week.foretold()
    assert became(document, "drawn again") == ["film/one/2", "film/one/3"]
    assert became(document, "stays") == ["film/one/1", "film/two/1", "film/two/2"]
    (value,) = document["values"]
    assert value["path"] == ["scenes", "one", "sentences", "2"]
    lines = (week.home / "board.yaml").read_text().splitlines()
    place = value["place"]
    assert place["file"] == "board.yaml"
    assert lines[place["line"] - 1][place["column"] - 1 :] == week.one[1]
    assert value["before_place"]["file"] == "HEAD:board.yaml"
    reasons = {a["id"]: a["reason"] for a in document["actions"]}
    where = f"(board.yaml:{place['line']}:{place['column']})"
    assert reasons["film/one/2"] == f"prompt: owl holds a -> owl hides a {where}"
    assert reasons["film/one/3"] == "it needs film/one/2, made anew"


def a_sentence_put_in_costs_all_behind_it(week: Week) -> None:
    week.one.insert(1, "an owl meets a fox on mars")
    week.write()
    document = week.foretold()
    assert became(document, "drawn again") == ["film/one/2", "film/one/3"]
    assert became(document, "new") == ["film/one/4"]
    (value,) = document["values"]
    assert (value["before"], value["after"]) == (None, week.one[1])


def a_scene_renamed_has_other_noise(week: Week) -> None:
    week.scenes[1] = ("zwei", week.two)
    week.write()
    document = week.foretold()
    assert became(document, "new") == ["film/zwei/1", "film/zwei/2"]
    assert became(document, "gone") == ["film/two/1", "film/two/2"]


def scenes_in_another_order_cost_no_frame(week: Week) -> None:
    week.scenes.reverse()
    week.write()
    document = week.foretold()
    assert became(document, "drawn again") == []
    assert len(became(document, "stays")) == 6


def a_look_costs_every_frame(week: Week) -> None:
    week.write(steps=6)
    document = week.foretold()
    assert len(became(document, "drawn again")) == 6
    assert [v["path"] for v in document["values"]] == [["look", "num_inference_steps"]]


def what_the_film_alone_shows_costs_the_film(week: Week) -> None:
    week.write(video="{fps: 6, hold: 0.5, height: 64}")
    document = week.foretold()
    assert [a["id"] for a in document["actions"] if a["to_make"]] == FILM


def a_base_costs_what_it_changes(week: Week) -> None:
    recipe = (week.home / "recipe.yaml").read_text()
    (week.home / "recipe.yaml").write_text(recipe.replace("seed: 3\n", "extends: base.yaml\n"))
    (week.home / "base.yaml").write_text("recipe: 1\nseed: 3\n")
    document = diff(week.home)["documents"][0]
    assert document["values"] == []
    assert document["to_make"] == 0
    commit(week.home)
    (week.home / "base.yaml").write_text("recipe: 1\nseed: 4\n")
    document = week.foretold()
    (value,) = document["values"]
    assert (value["path"], value["place"]["file"]) == (["seed"], "base.yaml")
    assert len(became(document, "drawn again")) == 6


def renamed_files_cost_no_frame(week: Week) -> None:
    git(week.home, "mv", "board.yaml", "story.yaml")
    text = (week.home / "recipe.yaml").read_text().replace("board.yaml", "story.yaml")
    (week.home / "recipe.yaml").write_text(text)
    document = week.foretold()
    # where a board has no title it is the file's name: the sheet shows it, the film's file tells it
    remade = [a["id"] for a in document["actions"] if a["to_make"]]
    assert remade == ["film/contact-sheet", "film/film"]
    assert [(v["before"], v["after"]) for v in document["values"]] == [("board.yaml", "story.yaml")]
    git(week.home, "mv", "recipe.yaml", "other.yaml")
    (document,) = diff(week.home)["documents"]
    assert (document["before"]["path"], document["after"]["path"]) == ("recipe.yaml", "other.yaml")
    assert document["to_make"] == 0
    git(week.home, "mv", "other.yaml", "recipe.yaml")
    git(week.home, "mv", "story.yaml", "board.yaml")
    (week.home / "recipe.yaml").write_text(text.replace("story.yaml", "board.yaml"))
    commit(week.home)


def two_branches_that_each_edit_merge(week: Week) -> None:
    """The merge draws what neither drew: the words of one in the scene of the other are not it."""
    week.write(chain="{from: noise}")
    assert run(week.home).code == 0
    commit(week.home)
    base = git(week.home, "rev-parse", "HEAD")
    git(week.home, "checkout", "-q", "-b", "other")
    week.two[0] = "a robot rides a rocket"
    week.write()
    assert len(became(week.foretold(), "drawn again")) == 1
    git(week.home, "checkout", "-q", "main")
    mine, week.two[0] = week.two[0], sentences(2, 2)[0]
    week.one[0] = "an alien finds a castle"
    week.write()
    assert len(became(week.foretold(), "drawn again")) == 1
    # what the other branch would bring, drawn there already
    (document,) = diff(week.home, "main...other")["documents"]
    assert became(document, "drawn again") == ["film/zwei/1"]
    assert document["to_make"] == 0
    assert [v["after"] for v in document["values"]] == [mine]
    git(week.home, "merge", "-q", "--no-edit", "other")
    week.two[0] = mine
    assert (week.home / "board.yaml").read_text() == board_text(week.scenes, **week.options)
    (document,) = diff(week.home, "HEAD^1..HEAD")["documents"]
    assert became(document, "drawn again") == ["film/zwei/1"]
    # both frames are there, sheet and film of both together are not
    (document,) = diff(week.home, f"{base}..HEAD")["documents"]
    assert became(document, "drawn again") == ["film/zwei/1", "film/one/1"]
    expected = [a["id"] for a in document["actions"] if a["to_make"]]
    assert expected == ["film/contact-sheet", *FILM]
    assert sorted(run(week.home).made()) == sorted(expected)


@pytest.mark.slow
def test_a_week_of_edits(repo: Path) -> None:
    """Each edit is foretold and drawn, and what was drawn is what was foretold."""
    assert diff(repo)["documents"] == []
    week = Week(repo)
    for day in (
        a_word_costs_its_frame_and_those_that_start_from_it,
        a_sentence_put_in_costs_all_behind_it,
        a_scene_renamed_has_other_noise,
        scenes_in_another_order_cost_no_frame,
        a_look_costs_every_frame,
        what_the_film_alone_shows_costs_the_film,
        a_base_costs_what_it_changes,
        renamed_files_cost_no_frame,
        two_branches_that_each_edit_merge,
    ):
        day(week)
