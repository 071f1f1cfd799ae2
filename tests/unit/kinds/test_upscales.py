"""Frames that are made larger, as a plan has them: what is made, of what, and what makes it again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from lorakit.diagnostics import InvalidDocument
from lorakit.plan.actions import Action
from lorakit.plan.states import Plan, State
from lorakit.plan.tasks.clip import PassingTask
from lorakit.plan.tasks.film import FilmTask
from lorakit.plan.tasks.finished_film import FinishedFilmTask
from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.tasks.sheet import ContactSheetTask
from lorakit.plan.tasks.upscale import EnlargeTask, UpscaleTask
from tests.support.planning import Memory, facts_for, plan_of

FILM = {"film/film", "film/film_pictures"}
SENTENCES: list[Any] = ["A fox finds a key", "An owl", "A robot"]


def planned(folder: Path, memory: Memory | None = None, **more: Any) -> Plan:
    """Three frames by a recipe that has a model which upscales."""
    told = {
        "storyboard": 1,
        "chain": {"from": "previous"},
        "upscale": {"by": 2},
        "scenes": [{"name": "meadow", "sentences": SENTENCES}],
        "video": {"fps": 10, "hold": 1},
        **more,
    }
    recipe = {
        "recipe": 1,
        "models": {"studio": {"from": "lorakit:studio"}, "x4": {"from": "x4"}},
        "steps": {"film": {"kind": "storyboard", "storyboard": "board.yaml", "model": "studio"}},
    }
    (folder / "x4").mkdir(exist_ok=True)
    told = {key: value for key, value in told.items() if value is not None}
    (folder / "board.yaml").write_text(yaml.safe_dump(told, sort_keys=False))
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False))
    return plan_of(folder / "recipe.yaml", facts_for(("studio",)), memory)


def actions(plan: Plan) -> dict[str, Action]:
    return {one.action.id: one.action for one in plan.actions}


def to_make(plan: Plan) -> set[str]:
    return {one.action.id for one in plan.actions if one.state.to_make}


def test_a_picture_is_made_larger_behind_its_frame(tmp_path: Path) -> None:
    by_id = actions(planned(tmp_path))
    larger = by_id["film/meadow/2/upscaled"]
    assert larger.task == EnlargeTask(256, 256)
    assert [(i.action, i.output) for i in larger.inputs] == [("film/meadow/2", "picture")]
    assert larger.files == {"picture": ("film/frames_scene_1/upscaled/frame_002.png",)}
    film = by_id["film/film_pictures"]
    assert isinstance(film.task, FilmTask)
    assert film.task.height == 256
    assert [i.action for i in film.inputs] == [f"film/meadow/{n}/upscaled" for n in (1, 2, 3)]
    # what is chained goes on from the frame as it was, and the sheet shows that
    assert [i.action for i in by_id["film/meadow/3"].inputs] == ["film/meadow/2"]
    sheet = next(a for a in by_id.values() if isinstance(a.task, ContactSheetTask))
    assert [i.action for i in sheet.inputs] == [f"film/meadow/{n}" for n in (1, 2, 3)]


@pytest.mark.parametrize(
    "how",
    [
        None,
        {"by": 1},
        {"by": 3},
        {"with": "img2img"},
        {"with": "img2img", "strength": 0.6},
        {"by": 4, "with": "x4"},
    ],
)
def test_another_upscale_draws_no_frame_again(tmp_path: Path, how: Any) -> None:
    memory = Memory()
    memory.make_all(planned(tmp_path, memory))
    again = to_make(planned(tmp_path, memory, upscale=how))
    assert again
    larger = {f"film/meadow/{n}/upscaled" for n in (1, 2, 3)}
    assert again - larger == FILM
    assert not again & {f"film/meadow/{n}" for n in (1, 2, 3)}


def test_another_frame_is_made_larger_alone(tmp_path: Path) -> None:
    memory, board = Memory(), {"chain": {"from": "noise"}}
    memory.make_all(planned(tmp_path, memory, **board))
    changed = [SENTENCES[0], "An ant", SENTENCES[2]]
    scenes = [{"name": "meadow", "sentences": changed}]
    again = to_make(planned(tmp_path, memory, scenes=scenes, **board))
    assert again == {
        *("film/meadow/2", "film/meadow/2/upscaled"),
        *("film/contact-sheet", "film/film_subtitles"),
        *FILM,
    }


def test_the_step_s_own_model_draws_at_the_larger_size(tmp_path: Path) -> None:
    how = {"with": "img2img", "strength": 0.4, "num_inference_steps": 10, "guidance_scale": 2.0}
    action = actions(planned(tmp_path, upscale=how))["film/meadow/2/upscaled"]
    task = action.task
    assert isinstance(task, FrameTask)
    assert (task.width, task.height, task.strength) == (256, 256, 0.4)
    assert (task.num_inference_steps, task.effective_steps) == (10, 4)
    assert (task.guidance_scale, task.prompt, task.upscaled) == (2.0, "An owl", True)
    assert [(i.role, i.action) for i in action.inputs] == [("smaller", "film/meadow/2")]
    assert action.units == 4


def test_a_model_upscales_with_its_own_steps(tmp_path: Path) -> None:
    plan = planned(tmp_path, upscale={"by": 4, "with": "x4"})
    action = actions(plan)["film/meadow/1/upscaled"]
    task = action.task
    assert isinstance(task, UpscaleTask)
    assert (task.width, task.height) == (512, 512)
    assert (task.num_inference_steps, task.guidance_scale) == (75, 9.0)
    assert task.prompt == "A fox finds a key"
    assert action.engine.slot == "upscaler"
    assert action.units == 75


def test_a_sentence_and_a_scene_say_it_of_their_own_frames(tmp_path: Path) -> None:
    sentences = [
        "A fox",
        {"text": "An owl", "upscale": {"by": 1}},
        {"text": "An ant", "upscale": {"by": 3}},
    ]
    scenes = [
        {"name": "a", "sentences": sentences},
        {"name": "b", "upscale": {"by": 4}, "sentences": ["A robot", {"text": "A bunny", "repeat": True}]},
    ]  # fmt: skip
    by_id = actions(planned(tmp_path, scenes=scenes))
    sizes = {id_: a.task.width for id_, a in by_id.items() if isinstance(a.task, EnlargeTask)}
    assert sizes == {"film/a/1/upscaled": 256, "film/a/3/upscaled": 384, "film/b/1/upscaled": 512}
    shown = [i.action for i in by_id["film/film_pictures"].inputs]
    assert shown == ["film/a/1/upscaled", "film/a/2", "film/a/3/upscaled", "film/b/1/upscaled"]


def test_what_moves_is_larger_too(tmp_path: Path) -> None:
    plan = planned(tmp_path, motion={"kind": "morph", "frames": 2})
    by_id = actions(plan)
    clip = by_id["film/meadow/1/motion"]
    assert clip.task == PassingTask(10, 256, 256, pictures=4)
    assert [i.action for i in clip.inputs] == [
        "film/meadow/1/upscaled",
        "film/meadow/1/between_1_upscaled",
        "film/meadow/1/between_2_upscaled",
        "film/meadow/2/upscaled",
    ]
    assert [i.action for i in by_id["film/meadow/1/between_1_upscaled"].inputs] == [
        "film/meadow/1/between_1"
    ]
    assert [i.action for i in by_id["film/meadow/1/between_1"].inputs] == [
        "film/meadow/1",
        "film/meadow/2",
    ]
    plan = planned(tmp_path, motion="kenburns")
    assert actions(plan)["film/meadow/1/motion"].task.width == 256


def test_larger_pictures_wait_for_approval_of_their_frames(tmp_path: Path) -> None:
    memory = Memory()
    video = {"fps": 10, "hold": 1, "needs": "approved"}
    memory.make_all(planned(tmp_path, memory, video=video))
    memory.manifests = {
        k: m for k, m in memory.manifests.items() if m.kind in ("frame", "contact-sheet")
    }
    plan = planned(tmp_path, memory, video=video)
    waiting = {o.action.id: o.reason for o in plan.actions if o.state is State.UNAPPROVED}
    assert set(waiting) == FILM | {f"film/meadow/{n}/upscaled" for n in (1, 2, 3)}
    assert waiting["film/meadow/1/upscaled"].startswith("for approval of meadow/1: lorakit approve")


def test_a_step_that_joins_boards_waits_for_the_frames(tmp_path: Path) -> None:
    planned(tmp_path)
    recipe = {
        "recipe": 1,
        "steps": {
            "story": {"kind": "storyboard", "storyboard": "board.yaml"},
            "all": {"kind": "video", "of": ["story"], "needs": "approved"},
        },
        "models": {"studio": {"from": "lorakit:studio"}},
    }
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False))
    memory = Memory()
    memory.make_all(plan_of(tmp_path / "recipe.yaml", memory=memory))
    memory.manifests = {k: m for k, m in memory.manifests.items() if m.kind != "film"}
    plan = plan_of(tmp_path / "recipe.yaml", memory=memory)
    film = next(one for one in plan.actions if one.action.id == "all/film_pictures")
    assert isinstance(film.action.task, FilmTask)
    assert film.action.task.height == 256
    assert film.state is State.UNAPPROVED
    assert "for approval of meadow/1, meadow/2, meadow/3" in film.reason


@pytest.mark.parametrize(
    ("how", "source"),
    [("lanczos", "composite"), ("img2img", "trainedAlgorithmicMedia")],
)
def test_a_picture_of_one_s_own_stays_that_where_nothing_is_drawn_on_it(
    tmp_path: Path, how: str, source: str
) -> None:
    (tmp_path / "a.png").touch()
    scenes = [{"name": "meadow", "sentences": [{"text": "A fox", "image": "a.png"}]}]
    film = actions(planned(tmp_path, upscale={"with": how}, scenes=scenes))["film/film"].task
    assert isinstance(film, FinishedFilmTask)
    assert film.source_type == source


def test_frames_that_become_each_other_are_shown_at_one_size(tmp_path: Path) -> None:
    sentences = ["A fox", {"text": "An owl", "upscale": {"by": 1}}]
    with pytest.raises(InvalidDocument) as caught:
        planned(tmp_path, motion="interpolate", scenes=[{"name": "meadow", "sentences": sentences}])
    (found,) = (one for one in caught.value.diagnostics if one.code == "motion")
    assert found.message == "a frame of 256x256 px cannot become one of 128x128 px"


def test_what_is_made_larger_sees_no_other_frame(tmp_path: Path) -> None:
    """Of a scene whose attention sees characters alone: whom it saw is no part of the larger picture."""
    (tmp_path / "board.yaml").write_text(
        "storyboard: 1\nchain: {from: noise, attention: shared, mask: character}\n"
        "characters: {fox: {anchor: a fox}}\nupscale: {by: 2, with: img2img, strength: 0.3}\n"
        "scenes:\n  - sentences: [The fox sits, The fox runs]\n"
    )
    plan = plan_of(tmp_path / "board.yaml", facts_for(("studio",)))
    tasks = [one.action.task for one in plan.actions if isinstance(one.action.task, FrameTask)]
    assert {(task.shared_attention != (), task.shared_words) for task in tasks} == {
        (False, ()),
        (True, (("a fox",),)),
    }


@pytest.mark.parametrize(
    ("how", "warned"),
    [
        ({"by": 2, "strength": 0.5}, "256x256 by a strength of 0.5"),
        ({"by": 1.75, "strength": 0.35}, "224x224 by a strength of 0.35"),
        ({"by": 2}, ""),  # 0.3: it keeps what is there
        ({"by": 1.5, "strength": 0.9}, ""),
        ({"by": 4, "with": "x4", "strength": 0.9}, ""),
    ],
)
def test_a_plan_warns_of_much_drawn_anew_far_beyond_a_model_s_own_size(
    tmp_path: Path, how: dict[str, Any], warned: str
) -> None:
    plan = planned(tmp_path, upscale={"with": "img2img", **how})
    found = [one for one in plan.warnings if one.code == "size"]
    assert len(found) == bool(warned)
    for one in found:
        assert one.message == (
            f"lorakit:studio was trained at 128x128; drawn anew at {warned}, frames may fall to pieces"
        )
        assert one.excerpt is not None
        assert one.excerpt.strip().startswith("strength: 0.")
