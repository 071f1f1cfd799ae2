"""Stories of ViStoryBench as boards, and frames where its evaluator reads them.

What the benchmark expects is taken from its published loader and reader: keys of `story.json`, folders of
outputs, times as `YYYYMMDD_HHMMSS`, and that a picture's number stands behind the last `_` of its name.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from lorakit.session import load
from tests.support.doors import pretended_run, program
from tests.support.vistory import shot, story, write_story

FOREST = "In a forest, at night"


def imported(folder: Path, *words: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The board of story 01, and what was said of it."""
    ran = program(folder, "import", "vistory", "ViStory", "--json", *words)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    board: dict[str, Any] = yaml.safe_load((folder / "vistory/01.yaml").read_text("utf-8"))
    return board, told["warnings"]


def refused(folder: Path, told: Any, *words: str) -> str:
    """What is said of a story that cannot be read; nothing is written."""
    write_story(folder / "ViStory", told)
    ran = program(folder, "import", "vistory", "ViStory", *words)
    assert ran.returncode in (1, 3)
    assert [one.name for one in folder.iterdir()] == ["ViStory"]
    return ran.stderr


def pointed(text: str) -> list[tuple[str, str]]:
    """Each finding's first line, and what its caret points at."""
    found = []
    for block in text.strip().split("\n\n"):
        lines = block.splitlines()
        if len(lines) > 2 and "|" in lines[1]:
            carets = lines[2]
            at, end = carets.index("^"), carets.rindex("^") + 1
            found.append((lines[0], lines[1][at:end]))
    return found


def drawn(folder: Path) -> Path:
    """A run folder as a run of the import leaves it."""
    actions = load(folder / "vistory.yaml").expanded().actions
    frames = [one for one in actions if one.kind == "frame"]
    run = pretended_run(
        folder,
        "vistory",
        {one.id: one.task.prompt for one in frames},  # type: ignore[attr-defined]
        {one.id: one.files["picture"][0] for one in frames},
    )
    (run / "record.json").write_text(json.dumps({"began": "2026-01-31T23:59:58+00:00"}))
    return run


def read_back(outputs: Path, method: str, mode: str, language: str) -> dict[str, dict[int, Path]]:
    """Shots by story and index, found as the benchmark's reader finds them."""
    home = outputs / method / mode / language
    # the reader takes a mode of that name for a language
    assert not {"en", "ch"} & {one.name for one in (outputs / method).iterdir()}
    times = [one for one in home.iterdir() if re.fullmatch(r"\d{8}[_-]\d{6}", one.name)]
    assert times == list(home.iterdir())
    # the reader sorts times by this, and stops at what is none
    form = "%Y%m%d_%H%M%S"
    latest = max(times, key=lambda one: datetime.strptime(one.name, form))  # noqa: DTZ007
    found: dict[str, dict[int, Path]] = {}
    for folder in sorted(latest.iterdir(), key=lambda one: int(one.name)):
        pictures = (folder / "shots").iterdir()
        found[folder.name] = {int(p.name.split("_")[-1].split(".")[0]): p for p in pictures}
    return found


@pytest.mark.slow
def test_a_story_is_a_board(tmp_path: Path) -> None:
    write_story(tmp_path / "ViStory", story())
    board, warnings = imported(tmp_path)
    assert warnings == []
    assert board["characters"] == {
        "tom_1": {"anchor": "A small fox. He is red", "reference": "01/tom_1_00.jpg"},
        "old_owl_1": {"anchor": "An old owl, brown and round", "reference": "01/old_owl_1_00.jpg"},
    }
    copied = tmp_path / "vistory/01/old_owl_1_00.jpg"
    original = tmp_path / "ViStory/01/image/Old Owl/00.jpg"
    assert copied.read_bytes() == original.read_bytes()
    # shots in one setting, one after the other, are a scene; its name is the index of its first
    assert [one["name"] for one in board["scenes"]] == ["shot 1", "shot 3", "shot 4"]

    step: Any = load(tmp_path / "vistory.yaml").project.recipe.steps["story_01"]
    told = [one for scene in step.board.scenes for one in scene.sentences]
    # in the order of the loader's own merge: camera, plot, description, characters, setting
    assert told[0].prompt == (
        "Medium shot, eye level; Tom finds a key {of gold}; Tom stand; "
        f"Tom is A small fox. He is red; {FOREST}"
    )
    assert told[0].caption == "Tom finds a key {of gold}."
    # who is seen is what the story says, not who is spoken of
    assert told[1].caption == "Tom thinks of the Old Owl."
    assert [one.characters for one in told] == [
        ("tom_1",),
        ("tom_1",),
        (),
        ("tom_1", "old_owl_1"),
    ]


def test_in_chinese(tmp_path: Path) -> None:
    write_story(tmp_path / "ViStory", story())
    board, warnings = imported(tmp_path, "--language", "ch")
    assert warnings == []
    told = board["scenes"][-1]["sentences"][0]
    assert told == {
        "text": "第4幕。",
        "prompt": "中景; 第4幕; 站着; 汤姆 is {tom_1}; 老猫头鹰 is {old_owl_1}; " + FOREST,
    }
    assert board["characters"]["tom_1"]["anchor"] == "一只小狐狸。它是红色的"


@pytest.mark.slow
@pytest.mark.parametrize("source", ["ViStory/01", "ViStory/01/story.json", "."])
def test_one_story_by_its_folder(tmp_path: Path, source: str) -> None:
    folder = write_story(tmp_path / "ViStory", story())
    write_story(tmp_path / "ViStory", story(), "2")
    home = folder if source == "." else tmp_path
    ran = program(home, "import", "vistory", source, "--out", str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    assert sorted(one.name for one in (tmp_path / "vistory").glob("*.yaml")) == ["01.yaml"]


@pytest.mark.slow
def test_frames_are_where_the_evaluator_reads(tmp_path: Path) -> None:
    told = story()
    told["Shots"].append(shot(9, "Tom sleeps.", FOREST, ["Tom"]))  # a gap, as loaders let pass
    write_story(tmp_path / "ViStory", told)
    write_story(tmp_path / "ViStory", story(), "12")
    imported(tmp_path)
    run = drawn(tmp_path)
    ran = program(tmp_path, "export", "vistory", "vistory.yaml", "--method", "ours", "--mode", "a")
    assert ran.returncode == 0, ran.stderr
    found = read_back(tmp_path / "data/outputs", "ours", "a", "en")
    assert {id_: sorted(shots) for id_, shots in found.items()} == {
        "01": [1, 2, 3, 4, 9],
        "12": [1, 2, 3, 4],
    }
    assert found["01"][1].parent.parent.parent.name == "20260131_235958"
    frames = load(tmp_path / "vistory.yaml").expanded().step_plans["story_01"].clips
    actions = {one.id: one for one in load(tmp_path / "vistory.yaml").expanded().actions}
    for clip, index in zip(frames, (1, 2, 3, 4, 9), strict=True):
        picture = run / actions[clip.picture].files["picture"][0]
        assert found["01"][index].read_bytes() == picture.read_bytes()

    again = ["export", "vistory", "vistory.yaml:story_12", "--method", "ours", "--mode", "a"]
    there = program(tmp_path, *again)
    assert there.returncode == 2
    assert "12/shots is there already" in there.stderr
    old = found["12"][4].with_name("shot_05.png")
    old.write_bytes(b"of a longer story")
    assert program(tmp_path, *again, "--force").returncode == 0
    assert not old.exists()


@pytest.mark.slow
def test_a_board_of_ones_own_counts_from_one(tmp_path: Path) -> None:
    scenes = "\n".join(
        f"  - {{name: {name}, sentences: [{name} a fox finds a key, {name} a fox holds a key]}}"
        for name in ("meadow", "shot 7", "castle")
    )
    (tmp_path / "board.yaml").write_text(f"storyboard: 1\nscenes:\n{scenes}\n")
    (tmp_path / "vistory.yaml").write_text(
        "recipe: 1\nsteps:\n  film: {kind: storyboard, storyboard: board.yaml}\n"
    )
    drawn(tmp_path)
    asked = program(tmp_path, "export", "vistory", "vistory.yaml")
    assert asked.returncode == 1
    assert "as in --story 01" in asked.stderr
    ran = program(
        tmp_path, "export", "vistory", "vistory.yaml", "--story", "80", "--out", "outputs2"
    )
    assert ran.returncode == 0, ran.stderr
    assert sorted(read_back(tmp_path / "outputs2", "lorakit", "base", "en")["80"]) == [
        1,
        2,
        7,
        8,
        9,
        10,
    ]

    text = (tmp_path / "board.yaml").read_text().replace("shot 7", "shot 2")
    (tmp_path / "board.yaml").write_text(text)
    drawn(tmp_path)
    twice = program(tmp_path, "export", "vistory", "vistory.yaml", "--story", "80", "--force")
    assert twice.returncode == 3
    assert "shot 2/1 is shot 2, as film/meadow/2 is already" in twice.stderr
    assert twice.stderr.startswith("board.yaml:4:")


@pytest.mark.slow
def test_a_story_that_is_not_drawn_whole_is_not_written(tmp_path: Path) -> None:
    write_story(tmp_path / "ViStory", story())
    imported(tmp_path)
    ran = program(tmp_path, "export", "vistory", "vistory.yaml")
    assert ran.returncode == 1
    assert ran.stderr == "error: vistory has not been drawn yet: lorakit run vistory.yaml\n"
    drawn(tmp_path)
    board = tmp_path / "vistory/01.yaml"
    board.write_text(
        board.read_text("utf-8").replace("castle is empty;", "castle is full;"), "utf-8"
    )
    ran = program(tmp_path, "export", "vistory", "vistory.yaml")
    assert ran.returncode == 3
    words = "error[no-picture]: story 01: shot 3 has no picture; the last run drew other words"
    assert words in ran.stderr
    assert re.match(r"vistory/01\.yaml:\d+:\d+: ", ran.stderr)
    assert not (tmp_path / "data").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--mode", "en"], "--mode en: the benchmark takes that for a language"),
        (["--method", "../up"], "--method ../up: letters, digits"),
        (["--timestamp", "20261345_000000"], "reads times as 20260131_235959"),
        (["--story", "one"], "--story one: the benchmark's stories are numbers"),
        (["--out", "-"], "pictures go into a folder"),
    ],
)
def test_names_that_its_reader_misreads(tmp_path: Path, words: list[str], said: str) -> None:
    write_story(tmp_path / "ViStory", story())
    imported(tmp_path)
    drawn(tmp_path)
    ran = program(tmp_path, "export", "vistory", "vistory.yaml", *words)
    assert ran.returncode in (1, 2)
    assert said in ran.stderr
    assert not (tmp_path / "data").exists()


def test_what_is_wrong_is_told_where_it_stands(tmp_path: Path) -> None:
    told = story()
    told["Shots"][1]["index"] = 1
    del told["Shots"][2]["index"]
    del told["Shots"][0]["Plot Correspondence"]["en"]
    told["Shots"][3]["Characters Appearing"] = ["Tom"]
    told["Characters"]["Old Owl"]["prompt_en"] = ""
    found = pointed(refused(tmp_path, told))
    assert [(line.split(": ", 1)[1], at) for line, at in found] == [
        (
            "error[vistory]: character Old Owl has no prompt_en, the words for how it looks",
            '"prompt_en"',
        ),
        (
            'error[vistory]: Plot Correspondence has no text under "en"',
            '"Plot Correspondence"',
        ),
        ("error[vistory]: the shot has no index, by which its picture is scored", "{"),
        (
            'error[vistory]: Characters Appearing is an object with a list of names under "en"',
            '"Characters Appearing"',
        ),
    ]
    assert all(re.match(r"ViStory/01/story\.json:\d+:\d+: ", line) for line, _ in found)


def test_two_shots_of_one_index(tmp_path: Path) -> None:
    told = story()
    told["Shots"][1]["index"] = 1
    ((line, at),) = pointed(refused(tmp_path, told))
    assert line.endswith("error[vistory]: there are two shots 1")
    assert at == '"index"'


@pytest.mark.slow
def test_what_the_loader_passes_over_is_said(tmp_path: Path) -> None:
    told = story()
    del told["Shots"][2]["Shot Perspective Design"]
    told["Shots"][3]["Characters Appearing"]["en"] = ["Tom", "Nobody"]
    folder = write_story(tmp_path / "ViStory", told)
    (folder / "image/Tom/00.jpg").unlink()
    board, warnings = imported(tmp_path)
    assert [one["message"] for one in warnings] == [
        "character Tom has no picture in image/Tom, so it is told in words alone",
        "shot 3 has no Shot Perspective Design, so it is left out",
        "Nobody appears and is none of the Characters, so it is left out",
    ]
    assert [one["name"] for one in board["scenes"]] == ["shot 1", "shot 4"]
    assert "reference" not in board["characters"]["tom_1"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"Shots": ', "is no JSON: Expecting value"),
        ("[]", "a story is an object with Characters and Shots"),
        ("{}", "the story has no Shots"),
        ('{"Shots": []}', "the story has no shots"),
        ('{"Shots": [1], "Characters": {"a": 1}}', "a shot is an object with Plot"),
        ("[" * 100_000, "it nests too deeply"),
    ],
)
def test_what_is_no_story(tmp_path: Path, text: str, said: str) -> None:
    error = refused(tmp_path, text)
    assert said in error
    assert error.startswith(("ViStory/01/story.json:1:", "error: ViStory/01/story.json is no JSON"))


def test_json_that_is_no_yaml_has_places_too(tmp_path: Path) -> None:
    told = story()
    told["Characters"]["Tom"]["prompt_en"] = ""
    told["Story_type"]["en"] = "\U0001f98a"
    text = json.dumps(told)  # all on one line, with the fox as two halves
    assert "\\ud83e\\udd8a" in text
    ((line, _),) = pointed(refused(tmp_path, text))
    column = text.index('"prompt_en"') + 1
    assert line.startswith(
        f"ViStory/01/story.json:1:{column}: error[vistory]: character Tom has no"
    )


@pytest.mark.slow
def test_folders_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    write_story(tmp_path, story(), "first")
    for source, said in (
        ("empty", "empty has no story.json, and no folders called by numbers"),
        ("nowhere", "nowhere cannot be read: no such file"),
        ("first", "first is not called by its story's number"),
    ):
        ran = program(tmp_path, "import", "vistory", source)
        assert ran.returncode == 1
        assert ran.stderr.startswith(f"error: {said}")
