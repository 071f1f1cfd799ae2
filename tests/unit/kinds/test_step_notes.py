"""Lines that plan and run say of a step: sizes that are not quite what was asked, a board without a film."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from lorakit.plan.states import Plan
from lorakit.plan.tasks.film import FilmTask
from lorakit.plan.tasks.sheet import ContactSheetTask
from lorakit.ui.plan_json import plan_as_json
from lorakit.ui.plan_view import show_plan
from tests.support.fonts import save_font
from tests.support.planning import plan_of

SCENES = "scenes: [{setting: on mars, sentences: [a fox]}]\n"


def board(tmp_path: Path, text: str, scenes: str = SCENES) -> Plan:
    path = tmp_path / "board.yaml"
    path.write_text(f"storyboard: 1\n{text}{scenes}", encoding="utf-8")
    return plan_of(path)


def film_of(plan: Plan) -> FilmTask:
    return next(p.action.task for p in plan.actions if isinstance(p.action.task, FilmTask))


def test_an_aspect_is_drawn_near_and_filmed_exactly(tmp_path: Path) -> None:
    plan = board(tmp_path, "look: {aspect: '16:9'}\nvideo: {height: 720}\n")
    assert (film_of(plan).width, film_of(plan).height) == (1280, 720)
    (note,) = plan.notes["film"]
    assert note == (
        "aspect 16:9: pictures are 160x96, the nearest that the model draws well; "
        "the film crops them to exactly 1280x720"
    )


def test_without_a_height_the_film_is_exact_as_well(tmp_path: Path) -> None:
    plan = board(tmp_path, "look: {aspect: '9:16'}\nvideo: {}\n")
    assert (film_of(plan).width, film_of(plan).height) == (90, 160)


def test_a_height_that_leaves_no_even_width_is_told(tmp_path: Path) -> None:
    plan = board(tmp_path, "look: {aspect: '16:9'}\nvideo: {height: 1000}\n")
    assert plan.notes["film"][0].endswith("crops them to 1778x1000, the nearest even sides")


def test_sizes_that_are_as_asked_are_not_told(tmp_path: Path) -> None:
    assert not board(tmp_path, "look: {aspect: '4:3'}\nvideo: {}\n").notes
    plan = board(tmp_path, "video: {height: 720}\n")
    assert not plan.notes
    assert film_of(plan).width is None


def test_a_board_without_video_says_that_it_makes_no_film(tmp_path: Path) -> None:
    plan = board(tmp_path, "")
    assert plan.notes == {
        "film": ("no film: write video: {height: 720} in board.yaml to make one",)
    }
    console = Console(file=io.StringIO(), width=120)
    show_plan(plan, console)
    assert isinstance(console.file, io.StringIO)
    assert "no film: write video: {height: 720} in board.yaml" in console.file.getvalue()
    assert plan_as_json(plan)["notes"] == {"film": list(plan.notes["film"])}


def test_a_board_whose_pictures_a_film_joins_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "board.yaml").write_text(f"storyboard: 1\n{SCENES}")
    (tmp_path / "recipe.yaml").write_text(
        "recipe: 1\nsteps:\n  one: {kind: storyboard, storyboard: board.yaml}\n"
        "  two: {kind: storyboard, storyboard: board.yaml}\n"
        "  joined: {kind: video, of: [one]}\n"
    )
    assert list(plan_of(tmp_path / "recipe.yaml").notes) == ["two"]


def test_fonts_for_missing_letters_are_settled_in_the_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save_font(tmp_path / "fonts" / "a.ttf", "A", "狐火")
    monkeypatch.setenv("LORAKIT_FONTS", str(path.parent))
    scenes = "scenes: [{setting: on mars, sentences: [a fox 狐]}]\n"
    plan = board(tmp_path, "title: 火\nvideo: {captions: true}\n", scenes)
    assert [(one.path, one.characters) for one in film_of(plan).fallbacks] == [(str(path), "狐")]
    sheet = next(p.action.task for p in plan.actions if isinstance(p.action.task, ContactSheetTask))
    assert [one.characters for one in sheet.fallbacks] == ["火狐"]
    assert not [w for w in plan.warnings if w.code == "no-glyph"]
    before = film_of(plan).key()
    assert "path" not in before["fallbacks"][0]
    path.unlink()
    save_font(tmp_path / "fonts" / "b.ttf", "B", "狐火")
    assert film_of(board(tmp_path, "video: {captions: true}\n", scenes)).key() != before
