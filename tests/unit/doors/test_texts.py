"""Subtitles and shot lists, read by the libraries that read such files, against the film's own timeline."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import srt
import webvtt

from lorakit.plan.tasks.film import FilmTask
from lorakit.session import load
from tests.support.doors import CAPTIONS, exported, program, shown, story

RATES = [7, 24, 25, 30, 120]


def film_frames(board: Path) -> list[str]:
    """The caption of each frame of the film, from the task that the run itself would draw it by."""
    actions = load(board).expanded().actions
    (task,) = (a.task for a in actions if isinstance(a.task, FilmTask))
    return shown([s.frames for s in task.shots], CAPTIONS, task.transition_frames)


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize(
    "transition",
    ["{kind: crossfade, seconds: 5f}", "{kind: crossfade, seconds: 4f}", "{kind: cut}"],
)
def test_subtitles_stand_where_the_film_has_their_captions(
    tmp_path: Path, fps: int, transition: str
) -> None:
    board = story(tmp_path, fps, transition)
    frames = film_frames(board)
    for style in ("srt", "vtt"):
        exported("board", board, "--format", style, "--out", tmp_path)
    said = list(srt.parse((tmp_path / "board.srt").read_text("utf-8"), ignore_errors=False))
    times = [(c.start.total_seconds(), c.end.total_seconds(), c.content) for c in said]
    texts = [t.replace("-->", "→") for t in CAPTIONS]
    assert [text for *_, text in times] == texts
    # a player shows film frame n at n / fps
    for number, caption in enumerate(frames):
        found = [text for start, end, text in times if start <= number / fps < end]
        assert found == [caption.replace("-->", "→")], number
    assert times[-1][1] <= len(frames) / fps < times[-1][1] + 0.001
    web = webvtt.read(tmp_path / "board.vtt")
    assert [cue.text for cue in web.captions] == [
        t.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for t in CAPTIONS
    ]
    assert [cue.start_in_seconds for cue in web.captions] == [int(start) for start, *_ in times]
    assert [cue.start.replace(".", ",") for cue in web.captions] == [
        srt.timedelta_to_srt_timestamp(c.start) for c in said
    ]


def test_pictures_with_one_text_are_one_subtitle(tmp_path: Path) -> None:
    board = tmp_path / "board.yaml"
    board.write_text(
        "storyboard: 1\nvideo: {hold: 2s, captions: {position: top}}\nscenes:\n"
        "  - sentences: [A fox waits, A fox waits, An owl waits, {text: An owl waits, repeat: true}]\n"
    )
    said = list(srt.parse(exported("board", board, "--format", "srt", "-o", "-")))
    found = [(c.start.seconds, c.end.seconds, c.content) for c in said]
    assert found == [(0, 4, "A fox waits"), (4, 8, "An owl waits")]
    assert " line:0\n" in exported("board", board, "--format", "vtt", "-o", "-")


@pytest.mark.parametrize("fps", RATES)
def test_a_shot_list_adds_up_and_computes_nothing(tmp_path: Path, fps: int) -> None:
    board = story(tmp_path, fps)
    frames = film_frames(board)
    exported("board", board, "--format", "csv", "--out", tmp_path / "list.csv")
    with (tmp_path / "list.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    assert [int(row["first_frame"]) for row in rows] == [
        sum(int(before["frames"]) for before in rows[:number]) for number in range(len(rows))
    ]
    assert sum(int(row["frames"]) for row in rows) == len(frames)
    assert [row["caption"].removeprefix("'") for row in rows] == CAPTIONS
    for row in rows:
        for cell in row.values():
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")), cell
    assert rows[2]["caption"] == f"'{CAPTIONS[2]}"
    # the fourth holds the third's picture
    assert [row["address"] for row in rows][2:5] == [
        "film/meadow/3",
        "film/meadow/3",
        "film/@night/1",
    ]
    assert rows[1]["prompt"] == "A fox holds a golden key, in a green meadow"
    assert [row["strength"] for row in rows] == ["1.0", "0.75", "0.75", "0.75", "1.0", "0.6", "0.6"]
    hours, minutes, seconds, rest = (int(part) for part in rows[4]["start"].split(":"))
    assert (hours * 60 + minutes) * 60 * fps + seconds * fps + rest == int(rows[4]["first_frame"])


@pytest.mark.slow
def test_a_board_without_a_film_says_which_times_it_has(tmp_path: Path) -> None:
    (tmp_path / "board.yaml").write_text("storyboard: 1\nscenes:\n  - text: A fox waits.\n")
    ran = program(tmp_path, "export", "board", "board.yaml", "--format", "srt", "--json")
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told["written"] == "board.srt"
    assert (told["shots"], told["frames"], told["fps"]) == (1, 36, 24)
    (warning,) = told["warnings"]
    assert warning["code"] == "no-film"
    assert warning["line"] == 1
    again = program(tmp_path, "export", "board", "board.yaml", "--format", "srt")
    assert again.returncode == 2
    assert "board.srt is there already; --force overwrites it" in again.stderr


@pytest.mark.slow
def test_a_recipe_of_several_stories_asks_which(tmp_path: Path) -> None:
    story(tmp_path)
    (tmp_path / "recipe.yaml").write_text(
        "recipe: 1\nsteps:\n  one: {kind: storyboard, storyboard: board.yaml}\n"
        "  whole: {kind: video, of: [one, one_more], fps: 12, hold: 2.0}\n"
        "  one_more: {kind: generate, prompts: [a fox]}\n"
    )
    ran = program(tmp_path, "export", "board", "recipe.yaml", "--format", "srt")
    assert ran.returncode == 1
    assert "tells several stories: one, whole; say which, as in recipe.yaml:one" in ran.stderr
    for step, words in [("nine", "there is no step nine"), ("one_more", "of another kind")]:
        ran = program(tmp_path, "export", "board", f"recipe.yaml:{step}", "--format", "srt")
        assert ran.returncode == 1
        assert words in ran.stderr
    said = list(
        srt.parse(exported("board", tmp_path / "recipe.yaml:whole", "--format", "srt", "-o", "-"))
    )
    assert said[-1].content == "a fox"
    # three pictures of the board have the film's hold
    assert (said[-1].end - said[-1].start).total_seconds() == 2
