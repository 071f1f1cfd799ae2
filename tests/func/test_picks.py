"""Takes, picks and approvals, as a user meets them. Real runs of a tiny model, files as they are written."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.attack.commands import lorakit
from tests.support.boards import board_text, sentences, write_project
from tests.support.repositories import commit, git, init
from tests.support.runs import Ran, run

LINES = sentences(1, 3)
OTHER = ("two", sentences(2, 1))
BOARD = board_text([("one", LINES), OTHER], video="")
TAKES = BOARD.replace(f"- {LINES[1]}", f"- {{text: {LINES[1]}, takes: 3}}")
PICKS = Path("board.picks.yaml")


def made(ran: Ran) -> list[str]:
    assert ran.code == 0, ran.errors
    return ran.made("frame")


def told(*words: str) -> dict[str, Any]:
    said = lorakit(*words, "--json")
    assert said.code == 0, said.text
    return json.loads(said.text)


def wrong(*words: str) -> str:
    said = lorakit(*words)
    assert said.code == 2, said.text
    return said.text


def frame(home: Path, ran: Ran, number: int = 2) -> str:
    return ran.pictures()[f"film/frames_scene_1/frame_00{number}.png"]


@pytest.fixture
def drawn(home: Path) -> Path:
    """A chain of three frames, of whose second three takes are drawn."""
    write_project(home, TAKES)
    assert len(made(run(home))) == 6
    return home


@pytest.mark.slow
def test_takes_are_drawn_beside_what_was_there_and_the_first_keeps_its_key(home: Path) -> None:
    write_project(home, BOARD)
    before = run(home)
    assert len(made(before)) == 4
    write_project(home, TAKES)
    after = run(home)
    assert made(after) == ["film/one/2/take_2", "film/one/2/take_3"]
    assert after.calls["rows"] == 2 * 2  # int(4 * 0.5) steps each
    pictures = after.pictures()
    takes = [pictures[f"film/frames_scene_1/takes/frame_002_take_{n}.png"] for n in (1, 2, 3)]
    assert len(set(takes)) == 3
    assert takes[0] == frame(home, after) == frame(home, before)


@pytest.mark.slow
def test_a_pick_draws_what_is_chained_from_it_and_nothing_else(drawn: Path) -> None:
    first = run(drawn, "--copy")
    said = told("pick", "recipe.yaml", "one/2", "--take", "3")
    assert said["to_draw"] == ["film/one/3"]
    picked = run(drawn)
    assert made(picked) == ["film/one/3"]
    assert picked.calls["rows"] == 2
    assert (
        frame(drawn, picked) == picked.pictures()["film/frames_scene_1/takes/frame_002_take_3.png"]
    )
    assert frame(drawn, picked) != frame(drawn, first)

    # back to the first: all of it is there, and comes out as it was
    assert told("pick", "recipe.yaml", "one/2", "--take", "1")["to_draw"] == []
    back = run(drawn)
    assert made(back) == []
    assert back.calls.get("unet", 0) == 0
    assert back.pictures()["film/frames_scene_1/frame_003.png"] == frame(drawn, first, 3)
    assert told("pick", "recipe.yaml", "one/2", "--remove")["to_draw"] == []
    assert not PICKS.exists()


@pytest.mark.slow
def test_a_film_comes_out_of_git_as_it_was_picked(drawn: Path) -> None:
    lorakit("pick", "recipe.yaml", "one/2", "--take", "2")
    before = run(drawn)
    shutil.rmtree(drawn / ".lorakit" / "objects")
    shutil.rmtree(drawn / ".lorakit" / "actions")
    again = run(drawn)
    assert len(made(again)) == 6
    assert again.pictures() == before.pictures()


@pytest.mark.slow
def test_a_pick_of_a_frame_that_has_changed_is_named_and_not_followed(drawn: Path) -> None:
    lorakit("pick", "recipe.yaml", "one/2", "--take", "3")
    assert made(run(drawn)) == ["film/one/3"]
    write_project(drawn, TAKES.replace(LINES[1], "a robot rides a rocket on mars"))
    plan = lorakit("plan", "recipe.yaml").text
    assert "board.picks.yaml:4:3: warning[stale-pick]: take 3 of one/2 is drawn anew" in plan
    ran = run(drawn)
    assert len(made(ran)) == 4
    notes = [event["text"] for event in ran.events if event["type"] == "note"]
    assert any(
        "board.picks.yaml:4:3: warning[stale-pick]: the pick of one/2 is stale" in n for n in notes
    )
    assert frame(drawn, ran) == ran.pictures()["film/frames_scene_1/takes/frame_002_take_1.png"]
    assert "the pick of one/2 is stale" in lorakit("plan", "recipe.yaml").text
    assert "the pick of take 3 is stale" in lorakit("pick", "recipe.yaml", "one/2").text


@pytest.mark.slow
def test_takes_are_shown_with_a_sheet(drawn: Path) -> None:
    said = told("pick", "recipe.yaml")
    (shown,) = said["frames"]
    assert (shown["frame"], shown["chosen"], len(shown["takes"])) == ("one/2", 1, 3)
    assert all(Path(take["file"]).is_file() for take in shown["takes"])
    assert Path(said["sheet"]).is_file()
    text = lorakit("pick", "recipe.yaml", "one").text
    assert "take 1 (stands)  take 2  take 3" in text
    # a board by itself is looked at as the recipe draws it that has drawn it
    assert (
        told("pick", "board.yaml", "one/2", "--take", "2")["picture"]
        == shown["takes"][1]["picture"]
    )


def test_what_is_not_there_is_answered_with_what_is(drawn: Path) -> None:
    assert "board.yaml has no scene oen: did you mean one/2?" in wrong(
        "pick", "recipe.yaml", "oen/2"
    )
    assert "no scene oen: did you mean one?" in wrong("pick", "recipe.yaml", "oen")
    assert "scene one has 3 frames, and no number 9: did you mean one/3?" in wrong(
        "pick", "recipe.yaml", "one/9", "--take", "1"
    )
    assert "one/2 has 3 takes, and no take 4: did you mean --take 3?" in wrong(
        "pick", "recipe.yaml", "one/2", "--take", "4"
    )
    assert "one/1 has 1 take, and no take 2: write takes: 4" in wrong(
        "pick", "recipe.yaml", "film/one/1", "--take", "2"
    )
    assert "one is a scene: say which" in wrong("pick", "recipe.yaml", "one", "--take", "2")
    assert "leave one out" in wrong("pick", "recipe.yaml", "one/2", "--take", "2", "--remove")
    assert not PICKS.exists()


def test_validate_looks_at_the_picks(drawn: Path) -> None:
    digest = "a" * 64
    PICKS.write_text(
        f"picks: 1\nframes:\n  gone/1: {{take: 1, picture: {digest}}}\n"
        f"  one/2: {{take: 7, picture: {digest}}}\n  one/9: {{take: 1, picture: {digest}}}\n"
    )
    said = lorakit("validate", "recipe.yaml")
    assert said.code == 0
    for words in (
        "board.picks.yaml:3:3: warning[stale-pick]: board.yaml has no scene gone",
        "board.picks.yaml:4:3: warning[stale-pick]: one/2 has 3 takes, so this pick of take 7",
        "board.picks.yaml:5:3: warning[stale-pick]: scene one has 3 frames, and no number 9",
        "lorakit pick board.yaml gone/1 --remove",
    ):
        assert words in said.text
    assert lorakit("pick", "recipe.yaml", "gone/1", "--remove").code == 0
    assert "gone" not in PICKS.read_text()
    PICKS.write_text(
        "picks: 1\nframes:\n  one/2: {take: three, picture: short}\n  one: {take: 1}\n"
    )
    said = lorakit("validate", "recipe.yaml")
    assert said.code == 3
    assert "board.picks.yaml:3:17: error[wrong-type]: " in said.text
    assert "64 hex digits" in said.text
    assert "a scene and the number of its frame, as in meadow/2" in said.text


@pytest.mark.slow
def test_what_was_approved_stays_until_it_is_released(drawn: Path) -> None:
    lorakit("pick", "recipe.yaml", "one/2", "--take", "2")
    before = run(drawn)
    assert told("approve", "recipe.yaml", "one/2")["approved"] == ["one/2"]
    assert told("approve", "recipe.yaml", "one/2")["unchanged"] == ["one/2"]
    assert lorakit("plan", "recipe.yaml", "--detailed-exitcode").code == 0

    other = TAKES.replace(LINES[0], "a robot rides a rocket on mars").replace(
        LINES[1], "an alien meets a fox"
    )
    write_project(drawn, other)
    assert "frame 2  held (inputs changed)" in lorakit("plan", "recipe.yaml", "--frames").text
    ran = run(drawn)
    assert made(ran) == ["film/one/1"]  # the third goes on from the second, which stays
    assert frame(drawn, ran) == frame(drawn, before)
    assert frame(drawn, ran, 3) == frame(drawn, before, 3)
    assert "held (inputs changed): film/one/2" in lorakit("status", "recipe.yaml").text
    assert lorakit("gc", "--yes").code == 0
    assert made(run(drawn, "--copy")) == []

    assert told("approve", "recipe.yaml", "one", "--release")["released"] == ["one/2"]
    assert len(made(run(drawn))) == 4
    assert frame(drawn, run(drawn, "--copy")) != frame(drawn, before)


def test_what_is_not_drawn_is_not_approved(home: Path) -> None:
    write_project(home, TAKES)
    said = lorakit("approve", "recipe.yaml", "one")
    assert said.code == 1
    assert "not drawn yet, so nothing was approved: one/1, one/2, one/3" in said.text
    assert not PICKS.exists()


@pytest.mark.slow
def test_an_approved_picture_that_is_gone_is_told_and_drawn_anew(drawn: Path) -> None:
    assert lorakit("approve", "recipe.yaml", "one/1").code == 0
    write_project(drawn, TAKES.replace(LINES[0], "a robot rides a rocket on mars"))
    shutil.rmtree(drawn / ".lorakit" / "objects")
    plan = lorakit("plan", "recipe.yaml").text
    assert (
        "board.picks.yaml:4:3: warning[approval]: one/1 is approved, and its picture is not" in plan
    )
    assert len(made(run(drawn))) == 6


@pytest.mark.slow
def test_decisions_of_two_branches_merge_line_by_line(drawn: Path) -> None:
    every = BOARD.replace("scenes:", "takes: 2\nscenes:")
    write_project(drawn, every)
    made(run(drawn))
    (drawn / ".gitignore").write_text("tiny/\noutputs/\n.lorakit/\n")
    (drawn / ".gitattributes").write_text("*.picks.yaml merge=union\n")
    init(drawn)
    lorakit("pick", "recipe.yaml", "one/2", "--take", "1")
    commit(drawn)
    git(drawn, "checkout", "-q", "-b", "topic")
    lorakit("pick", "recipe.yaml", "one/3", "--take", "2")
    lorakit("approve", "recipe.yaml", "two")
    commit(drawn)
    git(drawn, "checkout", "-q", "main")
    lorakit("pick", "recipe.yaml", "one/1", "--take", "2")
    lorakit("pick", "recipe.yaml", "two/1", "--take", "2")
    said = lorakit("diff").text
    assert "+ picks.one/1: take 2  (board.picks.yaml:4:3)" in said
    commit(drawn)
    git(drawn, "merge", "-q", "topic", "-m", "both")
    assert lorakit("validate", "recipe.yaml").code == 0
    lines = [line.split(": {")[0].strip() for line in PICKS.read_text().splitlines()[2:]]
    assert sorted(lines) == ["approved:", "frames:", "one/1", "one/2", "one/3", "two/1", "two/1"]
    # read and written again, it is in order
    lorakit("pick", "recipe.yaml", "one/1", "--take", "2")
    lines = [line.split(": {")[0].strip() for line in PICKS.read_text().splitlines()[2:]]
    assert lines == ["frames:", "one/1", "one/2", "one/3", "two/1", "approved:", "two/1"]


def test_a_run_says_by_which_picks_it_was_made(drawn: Path) -> None:
    lorakit("pick", "recipe.yaml", "one/2", "--take", "2")
    ran = run(drawn)
    record = json.loads((ran.folder / "record.json").read_text())
    assert record["documents"]["board.picks.yaml"] == PICKS.read_text()


@pytest.mark.slow
def test_a_film_may_wait_for_approval(home: Path) -> None:
    film = "{fps: 4, hold: 0.5, height: 64, needs: approved}"
    write_project(home, board_text([("one", LINES), OTHER], video=film))
    ran = run(home)
    assert len(made(ran)) == 4
    assert not (ran.folder / "film" / "film.mp4").exists()
    waits = "waits for approval of one, two: lorakit approve board.yaml one two"
    assert f"film/film {waits}" in ran.finished["notes"]
    plan = lorakit("plan", "recipe.yaml", "--detailed-exitcode")
    assert plan.code == 10
    assert waits in plan.text
    assert f"film/film: {waits}" in lorakit("status", "recipe.yaml").text

    assert lorakit("approve", "board.yaml", "one", "two/1").code == 0
    done = run(home)
    assert done.made() == ["film/film_pictures", "film/film"]
    assert lorakit("plan", "recipe.yaml", "--detailed-exitcode").code == 0
    assert lorakit("approve", "board.yaml", "one/2", "--release").code == 0
    write_project(home, board_text([("one", LINES), OTHER], video=film.replace("0.5", "0.75")))
    text = lorakit("plan", "recipe.yaml").text
    assert "waits for approval of one/2: lorakit approve board.yaml one/2" in text


def test_pictures_of_prompts_cannot_be_waited_for(home: Path) -> None:
    posters = "  posters: {kind: generate, prompts: [a fox]}\n"
    joined = "  all: {kind: video, of: [film, posters], needs: approved}\n"
    write_project(home, BOARD, recipe=posters + joined)
    said = lorakit("validate", "recipe.yaml")
    assert said.code == 3
    assert "error[approval]: needs: approved is for frames of storyboards" in said.text


def test_pictures_in_a_terminal(drawn: Path) -> None:
    import io

    from rich.console import Console

    from lorakit.language.story.decisions import FrameName
    from lorakit.ui.takes_view import draw
    from lorakit.upkeep.deciding import deciding

    out = io.StringIO()
    console = Console(file=out, force_terminal=True, color_system="truecolor", width=60)
    draw(*deciding(Path("recipe.yaml"), "one/2").frames([FrameName("one", 2)]), console)
    assert out.getvalue().count("\u2580") > 3 * 10 or "48;2;" in out.getvalue()


@pytest.mark.slow  # three runs, two of them by engines of their own
def test_a_bundle_brings_what_was_held(drawn: Path, tmp_path: Path) -> None:
    assert lorakit("approve", "recipe.yaml", "one/2").code == 0
    write_project(drawn, TAKES.replace(LINES[0], "a robot rides a rocket on mars"))
    held = run(drawn)
    assert made(held) == ["film/one/1"]
    assert lorakit("verify", "test/002").text.rstrip().endswith("5 outputs: 5 identical")
    # decisions since are not of that run
    assert lorakit("approve", "recipe.yaml", "one/2", "--release").code == 0
    assert (
        lorakit("pick", "recipe.yaml", "one/2", "--take", "1").code == 1
    )  # not drawn with this one
    assert "identical" in lorakit("verify", "test/001").text

    bundle = tmp_path / "run.zip"
    assert lorakit("bundle", "test/002", "--out", str(bundle)).code == 0
    with zipfile.ZipFile(bundle) as archive:
        assert any(name.startswith("approved/.lorakit/objects/") for name in archive.namelist())


def test_a_workflow_has_the_picked_take_and_no_other(drawn: Path) -> None:
    assert lorakit("pick", "recipe.yaml", "one/2", "--take", "3").code == 0
    said = lorakit(
        "export",
        "workflow",
        "recipe.yaml",
        "--scene",
        "one",
        "--out",
        "one.json",
        "--checkpoint",
        "a.safetensors",
    )
    assert said.code == 0, said.text
    nodes = json.loads(Path("one.json").read_text())
    saved = [
        n["inputs"]["filename_prefix"] for n in nodes.values() if n["class_type"] == "SaveImage"
    ]
    assert saved == [f"film/frames_scene_1/frame_00{n}" for n in (1, 2, 3)]
    seeds = [n["inputs"]["seed"] for n in nodes.values() if n["class_type"] == "KSampler"]
    plan = json.loads(lorakit("plan", "recipe.yaml", "--json").text)
    noise = {a["id"]: a["params"].get("noise") for a in plan["actions"]}
    assert seeds == [noise[f"film/one/{name}"] for name in ("1", "2/take_3", "3")]


def test_picks_are_looked_at_by_their_own_name_and_without_their_board(home: Path) -> None:
    digest = "a" * 64
    write_project(home, BOARD)
    PICKS.write_text(f"picks: 1\nframes:\n  one/7: {{take: 1, picture: {digest}}}\n")
    said = lorakit("validate", "board.picks.yaml")
    assert "board.picks.yaml:3:3: warning[stale-pick]" in said.text
    assert said.code == 0
    said = lorakit("plan", "board.picks.yaml")
    assert (
        "error[wrong-document]: these are decisions on board.yaml, which is beside them"
        in said.text
    )
    PICKS.rename("other.picks.yaml")
    said = lorakit("validate")
    assert said.code == 3
    assert (
        "other.picks.yaml:1:1: error[wrong-document]: these are decisions on other.yaml"
        in said.text
    )
    assert "rename the file with its board, or remove it" in said.text


def test_watch_waits_for_picks_that_are_not_there_yet(home: Path) -> None:
    from lorakit.language import load
    from lorakit.watch.files import NotingReader

    write_project(home, BOARD)
    reader = NotingReader()
    load(Path("recipe.yaml"), reader=reader)
    assert reader.asked[home / PICKS] is None


def test_two_decisions_on_one_frame_are_both_named(home: Path) -> None:
    digest = "a" * 64
    write_project(home, TAKES)
    line = f"  one/2: {{take: 1, picture: {digest}}}\n"
    PICKS.write_text(f"picks: 1\nframes:\n{line}{line.replace('1,', '2,')}")
    said = lorakit("validate", "recipe.yaml")
    assert said.code == 3
    assert "board.picks.yaml:4:3: error[duplicate-key]" in said.text
    assert "line 3" in said.text
