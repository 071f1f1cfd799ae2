"""What moves in a film, as a plan has it: which clips there are, and what makes them again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from lorakit.language import load
from lorakit.language.story.motions import STILL, Focus, Motion, Zoom
from lorakit.plan.states import Plan, Planned, State
from lorakit.plan.tasks.clip import ClipTask, KenBurnsTask, PassingTask
from lorakit.plan.tasks.film import ClipPart, FilmTask
from lorakit.plan.tasks.frame import FrameTask
from tests.support.planning import Memory, plan_of

SENTENCES: list[Any] = [
    "A fox finds a key",
    {"text": "A fox looks", "hold": 2},
    {"text": "A fox sits", "motion": "none"},
    "A fox sleeps",
]


def board(folder: Path, **more: Any) -> Path:
    """A board of four frames, drawn from noise each by itself, unless `more` says otherwise."""
    told = {
        "storyboard": 1,
        "chain": {"from": "noise"},
        "motion": "kenburns",
        "scenes": [{"name": "meadow", "sentences": SENTENCES}],
        "video": {"fps": 10, "hold": 1},
        **more,
    }
    path = folder / "board.yaml"
    path.write_text(yaml.safe_dump(told, sort_keys=False))
    return path


def motions(path: Path) -> list[Motion]:
    step = next(iter(load(path).recipe.steps.values()))
    return [s.motion for scene in step.board.scenes for s in scene.sentences]  # type: ignore[union-attr]


def clips(plan: Plan) -> dict[str, ClipTask]:
    return {
        one.action.id: one.action.task
        for one in plan.actions
        if isinstance(one.action.task, ClipTask)
    }


def film(plan: Plan, id_: str = "film/film_pictures") -> FilmTask:
    task = next(one.action.task for one in plan.actions if one.action.id == id_)
    assert isinstance(task, FilmTask)
    return task


def made_again(path: Path, before: Path, **selection: Any) -> set[str]:
    """The actions that a plan makes where all of `before` is there."""
    memory = Memory()
    last = memory.make_all(plan_of(before, memory=memory))
    return {one.action.id for one in plan_of(path, None, memory, last).actions if one.state.to_make}


def test_a_board_a_scene_and_a_sentence_are_laid_over_each_other(tmp_path: Path) -> None:
    path = board(
        tmp_path,
        motion={"zoom": 1.5, "to": "top-left"},
        scenes=[
            {
                "name": "a",
                "motion": "kenburns",
                "sentences": ["A fox", {"text": "x", "motion": "none"}],
            },
            {
                "name": "b",
                "sentences": [
                    "An owl",
                    {"text": "An ant", "motion": {"kind": "kenburns", "to": [0.2, 1]}},
                ],
            },
        ],
    )
    near = Motion("kenburns", Zoom(1.0, 1.5), Focus(0.5, 0.5), Focus(0.0, 0.0))
    moved = motions(path)
    assert moved[0] == near
    assert not moved[1].moves
    assert not moved[2].moves
    assert moved[3] == Motion("kenburns", Zoom(1.0, 1.5), Focus(0.5, 0.5), Focus(0.2, 1.0))


def test_without_motion_nothing_is_another(tmp_path: Path) -> None:
    path = board(tmp_path, motion="none")
    assert all(one == STILL for one in motions(path))
    plan = plan_of(path)
    assert clips(plan) == {}
    assert all("clip" not in str(shot) for shot in film(plan).key()["shots"])


def test_clips_last_as_long_as_their_frames_are_held(tmp_path: Path) -> None:
    plan = plan_of(board(tmp_path))
    assert {id_: task.frames for id_, task in clips(plan).items()} == {
        "film/meadow/1/motion": 10,
        "film/meadow/2/motion": 20,
        "film/meadow/4/motion": 10,
    }
    shots = film(plan).shots
    assert [shot.picture for shot in shots] == [
        "clip_00001",
        "clip_00002",
        "picture_00001",
        "clip_00003",
    ]
    assert [shot.frames for shot in shots] == [10, 20, 10, 10]
    assert shots[1].clip == ClipPart(20, 128, 128)
    film_action = next(o.action for o in plan.actions if o.action.id == "film/film_pictures")
    assert {(i.role, i.action, i.output) for i in film_action.inputs} == {
        ("clip_00001", "film/meadow/1/motion", "clip"),
        ("clip_00002", "film/meadow/2/motion", "clip"),
        ("picture_00001", "film/meadow/3", "picture"),
        ("clip_00003", "film/meadow/4/motion", "clip"),
    }


def test_a_repeated_frame_goes_on_moving(tmp_path: Path) -> None:
    repeated = [
        "A fox finds a key",
        {"text": "and holds it", "repeat": True, "hold": "5f"},
        {"text": "and holds it still", "repeat": True},
        "A fox sleeps",
    ]
    plan = plan_of(board(tmp_path, scenes=[{"name": "meadow", "sentences": repeated}]))
    assert [task.frames for task in clips(plan).values()] == [25, 10]
    parts = [shot.clip.first for shot in film(plan).shots if shot.clip]
    assert parts == [0, 10, 15, 0]
    assert {shot.picture for shot in film(plan).shots[:3]} == {"clip_00001"}


FILM = {"film/film_pictures", "film/film"}
CHANGES: dict[str, tuple[Mapping[str, Any], set[str]]] = {
    "a caption's place": ({"video": {"fps": 10, "hold": 1, "captions": True}}, FILM),
    "a cut": (
        {"video": {"fps": 10, "hold": 1, "transition": {"kind": "crossfade"}}},
        FILM,
    ),
    "the film's size": ({"video": {"fps": 10, "hold": 1, "height": 256}}, FILM),
    "a still": (
        {"scenes": [{"name": "meadow", "sentences": ["An owl", *SENTENCES[1:]]}]},
        {
            "film/meadow/1",
            "film/meadow/1/motion",
            "film/contact-sheet",
            "film/film_subtitles",
            *FILM,
        },
    ),
    "a hold": (
        {
            "scenes": [
                {"name": "meadow", "sentences": [*SENTENCES[:1], "A fox looks", *SENTENCES[2:]]}
            ]
        },
        {"film/meadow/2/motion", "film/film_subtitles", *FILM},
    ),
    "how near": (
        {"motion": {"kind": "kenburns", "zoom": 1.5}},
        {*(f"film/meadow/{n}/motion" for n in (1, 2, 4)), *FILM},
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_changed_moves_its_own_clip_and_no_other(tmp_path: Path, name: str) -> None:
    change, wanted = CHANGES[name]
    folder = tmp_path / "before"
    folder.mkdir()
    assert made_again(board(tmp_path, **change), board(folder)) == wanted


def test_a_film_of_several_steps_moves_at_its_own_rate(tmp_path: Path) -> None:
    board(tmp_path)
    recipe = {
        "recipe": 1,
        "models": {"studio": {"from": "lorakit:studio"}},
        "steps": {
            "story": {"kind": "storyboard", "storyboard": "board.yaml"},
            "all": {"kind": "video", "of": ["story"], "fps": 20, "hold": 1},
            "same": {"kind": "video", "of": ["story"], "fps": 10, "hold": 1},
        },
    }
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False))
    plan = plan_of(tmp_path / "recipe.yaml")
    frames = {id_: task.frames for id_, task in clips(plan).items()}
    assert frames["story/meadow/1/motion"] == 10
    assert frames["all/story/meadow/1/motion"] == 20
    assert frames["same/story/meadow/1/motion"] == 10
    memory = Memory()
    memory.make_all(plan_of(board(tmp_path), memory=memory))
    found = plan_of(tmp_path / "recipe.yaml", memory=memory).actions
    assert state(found, "same/story/meadow/1/motion") is State.CACHED, (
        "the same clip is the story's"
    )
    assert state(found, "all/story/meadow/1/motion") is State.NEW


def state(actions: tuple[Planned, ...], id_: str) -> State:
    return next(one.state for one in actions if one.action.id == id_)


def test_clips_wait_for_approval_as_the_film_does(tmp_path: Path) -> None:
    path = board(tmp_path, video={"fps": 10, "hold": 1, "needs": "approved"})
    memory = Memory()
    memory.make_all(plan_of(path, memory=memory))
    memory.manifests = {k: m for k, m in memory.manifests.items() if m.kind == "frame"}
    actions = plan_of(path, memory=memory).actions
    waiting = {o.action.id: o.reason for o in actions if o.state is State.UNAPPROVED}
    assert "approve" in waiting["film/film_pictures"]
    assert waiting["film/meadow/1/motion"].startswith("for approval of meadow/1: lorakit approve")
    assert set(waiting) == {*FILM, *(f"film/meadow/{n}/motion" for n in (1, 2, 4))}


def test_a_view_is_a_clip_of_its_frame(tmp_path: Path) -> None:
    plan = plan_of(
        board(tmp_path, motion={"kind": "kenburns", "zoom": [1.4, 1.2], "from": "right"})
    )
    task = clips(plan)["film/meadow/1/motion"]
    assert task == KenBurnsTask(10, 128, 128, zoom=(1.4, 1.2), start=(1.0, 0.5), end=(0.5, 0.5))
    assert task.key()["zoom"] == [1.4, 1.2]


def between(plan: Plan, of: str) -> list[FrameTask]:
    return [
        one.action.task
        for one in plan.actions
        if one.action.id.startswith(f"film/meadow/{of}/between_")
        and isinstance(one.action.task, FrameTask)
    ]


MORPH = {"kind": "morph", "frames": 3, "strength": 0.6}


def test_a_morph_draws_frames_between_two(tmp_path: Path) -> None:
    plan = plan_of(board(tmp_path, motion=MORPH))
    made = clips(plan)
    assert set(made) == {"film/meadow/1/motion", "film/meadow/2/motion"}, "3 stands, 4 is the last"
    task = made["film/meadow/1/motion"]
    assert task == PassingTask(10, 128, 128, pictures=5)
    by_id = {one.action.id: one.action for one in plan.actions}
    inputs = [(i.role, i.action, i.output) for i in by_id["film/meadow/1/motion"].inputs]
    assert inputs == [
        ("picture_0", "film/meadow/1", "picture"),
        *[(f"picture_{n}", f"film/meadow/1/between_{n}", "picture") for n in (1, 2, 3)],
        ("picture_4", "film/meadow/2", "picture"),
    ]
    drawn = by_id["film/meadow/1/between_1"]
    assert [(i.role, i.action, i.output) for i in drawn.inputs] == [
        ("start", "film/meadow/1", "latents"),
        ("towards", "film/meadow/2", "latents"),
    ]
    first, middle, last = between(plan, "1")
    assert middle.strength == 0.6
    assert first.strength == last.strength < 0.6
    assert first.prompt == "A fox finds a key"
    assert [task.between.prompt for task in (first, last) if task.between] == ["A fox looks"] * 2
    shares = [task.between.share for task in (first, middle, last) if task.between]
    assert shares[1] == 0.5
    assert shares[0] == pytest.approx(1 - shares[2])
    assert {task.noise for task in (first, middle, last)} == {middle.noise}
    assert drawn.files == {}
    assert all(task.effective_steps >= 1 for task in (first, middle, last))


@pytest.mark.parametrize("steps", [1, 2, 3, 20])
def test_a_frame_between_is_a_step_at_least(tmp_path: Path, steps: int) -> None:
    told = {**MORPH, "frames": 20, "strength": 0.05}
    plan = plan_of(board(tmp_path, motion=told, look={"num_inference_steps": steps}))
    assert {task.effective_steps for task in between(plan, "1")} == {1}


def test_another_still_draws_what_is_between_it_and_its_neighbours_alone(tmp_path: Path) -> None:
    sentences = [f"A fox finds key {n}" for n in range(1, 6)]
    folder = tmp_path / "before"
    folder.mkdir()
    before = board(folder, motion=MORPH, scenes=[{"name": "meadow", "sentences": sentences}])
    sentences[2] = "An owl"
    after = board(tmp_path, motion=MORPH, scenes=[{"name": "meadow", "sentences": sentences}])
    assert made_again(after, before) == {
        "film/meadow/3",
        *(f"film/meadow/{a}/between_{n}" for a in (2, 3) for n in (1, 2, 3)),
        "film/meadow/2/motion",
        "film/meadow/3/motion",
        "film/contact-sheet",
        "film/film_subtitles",
        *FILM,
    }
    captions = board(
        tmp_path,
        motion=MORPH,
        scenes=[{"name": "meadow", "sentences": sentences}],
        video={"fps": 10, "hold": 1, "captions": True, "transition": {"kind": "crossfade"}},
    )
    other = tmp_path / "other"
    other.mkdir()
    plain = board(other, motion=MORPH, scenes=[{"name": "meadow", "sentences": sentences}])
    assert made_again(captions, plain) == FILM


def test_an_interpolation_needs_its_two_stills(tmp_path: Path) -> None:
    plan = plan_of(board(tmp_path, motion="interpolate"))
    assert clips(plan) == {
        "film/meadow/1/motion": PassingTask(10, 128, 128, pictures=2),
        "film/meadow/2/motion": PassingTask(20, 128, 128, pictures=2),
    }
    assert not any("between" in one.action.id for one in plan.actions)


def test_frames_between_wait_for_approval_too(tmp_path: Path) -> None:
    path = board(tmp_path, motion=MORPH, video={"fps": 10, "hold": 1, "needs": "approved"})
    waiting = {o.action.id: o.state for o in plan_of(path).actions}
    assert waiting["film/meadow/1/between_2"] is State.UNAPPROVED
    assert waiting["film/meadow/1/motion"] is State.UNAPPROVED
    assert waiting["film/film_pictures"] is State.UNAPPROVED
    assert waiting["film/meadow/1"] is State.NEW


def test_a_morph_from_a_picture_of_one_s_own_begins_from_its_latents(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    sentences = [{"text": "A fox", "image": "a.png"}, "An owl"]
    plan = plan_of(
        board(tmp_path, motion=MORPH, scenes=[{"name": "meadow", "sentences": sentences}])
    )
    by_id = {one.action.id: one.action for one in plan.actions}
    start, towards = by_id["film/meadow/1/between_1"].inputs
    assert by_id[start.action].kind == "latents"
    assert towards.action == "film/meadow/2"
    assert by_id["film/meadow/1/motion"].inputs[0].action == "film/meadow/1"
