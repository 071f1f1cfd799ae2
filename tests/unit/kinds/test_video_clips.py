"""Clips of video models, as a plan has them: lengths, sizes, how they fit, and what is wrong with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from lorakit.diagnostics import InvalidDocument
from lorakit.facts.models.video_models import VideoModel
from lorakit.plan.states import Plan, State
from lorakit.plan.tasks.clip import ClipPicturesTask, JoinedClipTask, VideoClipTask
from lorakit.plan.tasks.film import FilmTask
from tests.support.planning import Memory, facts_for, plan_of

KINDS = {
    "wan": "WanImageToVideoPipeline",
    "wan_words": "WanPipeline",
    "ltx": "LTXPipeline",
    "svd": "StableVideoDiffusionPipeline",
    "moves": "MotionAdapter",
}


def planned(folder: Path, motion: Any, memory: Memory | None = None, **more: Any) -> Plan:
    """Two frames of a board whose recipe names a model of each family."""
    board = {
        "storyboard": 1,
        "chain": {"from": "noise"},
        "motion": motion,
        "scenes": [{"name": "meadow", "sentences": ["A fox", "An owl"]}],
        "video": {"fps": 10, "hold": 2},
        **more,
    }
    recipe = {
        "recipe": 1,
        "models": {
            "studio": {"from": "lorakit:studio"},
            **{name: {"from": f"models/{name}"} for name in (*KINDS, "x4")},
        },
        "steps": {"film": {"kind": "storyboard", "storyboard": "board.yaml", "model": "studio"}},
    }
    (folder / "board.yaml").write_text(yaml.safe_dump(board, sort_keys=False))
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False))
    for name in (*KINDS, "x4"):
        (folder / "models" / name).mkdir(parents=True, exist_ok=True)
    known = {
        name: VideoModel(name, name, Path("/nowhere"), f"digest of {name}", kind, 1 << 20)
        for name, kind in KINDS.items()
    }
    return plan_of(folder / "recipe.yaml", replace(facts_for(), video_models=known), memory)


def clips(plan: Plan) -> dict[str, VideoClipTask]:
    return {
        one.action.id: one.action.task
        for one in plan.actions
        if isinstance(one.action.task, VideoClipTask)
    }


def film(plan: Plan) -> FilmTask:
    return next(o.action.task for o in plan.actions if isinstance(o.action.task, FilmTask))


def said(folder: Path, motion: Any, **more: Any) -> str:
    with pytest.raises(InvalidDocument) as found:
        planned(folder, motion, **more)
    return "\n".join(
        f"{one.place.line if one.place else 0}: {one.code}: {one.message}; {'; '.join(one.hints)}"
        for one in found.value.diagnostics
    )


def test_a_clip_goes_from_its_frame_to_the_next(tmp_path: Path) -> None:
    plan = planned(tmp_path, {"kind": "clip", "video_model": "wan", "uses": "both"})
    first, last = (
        next(o.action for o in plan.actions if o.action.id == f"film/meadow/{n}/motion")
        for n in (1, 2)
    )
    assert [(i.role, i.action) for i in first.inputs] == [
        ("first", "film/meadow/1"),
        ("last", "film/meadow/2"),
    ]
    assert [(i.role, i.action) for i in last.inputs] == [("first", "film/meadow/2")]
    assert isinstance(first.task, VideoClipTask)
    assert first.task.frames == 81
    assert first.task.prompt == "A fox"
    assert first.units == first.task.num_inference_steps == 50
    assert first.engine.slot == "video"


def test_words_alone_need_no_picture(tmp_path: Path) -> None:
    plan = planned(tmp_path, {"kind": "clip", "video_model": "moves", "prompt": "a fox runs"})
    action = next(o.action for o in plan.actions if o.action.id == "film/meadow/1/motion")
    assert action.inputs == ()
    task = clips(plan)["film/meadow/1/motion"]
    assert task.prompt == "a fox runs"
    assert task.base == "digest of studio"
    assert task.frames == 16


@pytest.mark.parametrize(
    ("fit", "frames", "wanted"),
    [
        ("slow", 10, [n // 2 for n in range(20)]),
        ("hold", 10, [min(n * 7 // 10, 9) for n in range(20)]),
        ("cut", 21, [n * 7 // 10 for n in range(20)]),
    ],
)
def test_a_clip_becomes_whole_film_frames(
    tmp_path: Path, fit: str, frames: int, wanted: list[int]
) -> None:
    """Two seconds at ten frames, of a model that makes seven a second."""
    plan = planned(
        tmp_path, {"kind": "clip", "video_model": "svd", "num_frames": frames, "fit": fit}
    )
    shot = film(plan).shots[0]
    assert shot.frames == 20
    assert shot.clip is not None
    assert [shot.clip.at(n) for n in range(20)] == wanted


def test_another_hold_makes_no_clip_again(tmp_path: Path) -> None:
    motion = {"kind": "clip", "video_model": "svd"}
    memory = Memory()
    memory.make_all(planned(tmp_path, motion, memory))
    video = {"fps": 24, "hold": 3, "captions": True, "transition": {"kind": "crossfade"}}
    plan = planned(tmp_path, {**motion, "fit": "slow"}, memory, video=video)
    film = {"film/film_pictures", "film/film", "film/film_subtitles"}
    assert {o.action.id for o in plan.actions if o.state.to_make} == film
    plan = planned(
        tmp_path,
        motion,
        memory,
        scenes=[{"name": "meadow", "sentences": ["A fox", "An ant"]}],
    )
    assert {o.action.id for o in plan.actions if o.state.to_make} == {
        "film/meadow/2",
        "film/meadow/2/motion",
        "film/contact-sheet",
        *film,
    }


def test_what_a_model_cannot_do_is_told_before(tmp_path: Path) -> None:
    clip = {"kind": "clip"}
    assert "motion: clip has no video_model:" in said(tmp_path, clip)
    assert "the recipe has no model wam; did you mean wan?" in said(
        tmp_path, {**clip, "video_model": "wam"}
    )
    told = said(tmp_path, {**clip, "video_model": "wan", "num_frames": 80})
    assert (
        "Wan makes clips of 4k+1 frames, from 5 to 121, and none of 80; write num_frames: 81"
        in told
    )
    told = said(tmp_path, {**clip, "video_model": "ltx"}, look={"width": 144, "height": 128})
    assert "multiples of 32 px, and the frame has 144x128; draw at 128x128" in told
    told = said(tmp_path, {**clip, "video_model": "wan_words", "uses": "both"})
    assert "wan_words is Wan, a WanPipeline, which makes clips from: words" in told
    told = said(tmp_path, {**clip, "video_model": "svd", "num_frames": 25, "fit": "hold"})
    assert (
        "the clip lasts 3.57 s (25 frames at 7 a second) and its frame is held for 2.00 s" in told
    )
    assert "write fit: cut" in told
    told = said(tmp_path, {**clip, "video_model": "svd", "num_frames": 9, "fit": "cut"})
    assert "lasts 1.29 s" in told
    assert "write fit: hold" in told


@pytest.mark.parametrize(
    ("how", "kind", "size"),
    [
        ({"by": 4, "with": "x4"}, "upscale", 512),
        ({"by": 2, "with": "img2img", "strength": 0.4}, "frame", 256),
    ],
)
def test_what_a_video_model_makes_is_made_larger_as_its_frame_is(
    tmp_path: Path, how: Any, kind: str, size: int
) -> None:
    motion = {"kind": "clip", "video_model": "svd", "num_frames": 9}
    plan = planned(tmp_path, motion, upscale=how)
    by_id = {one.action.id: one.action for one in plan.actions}
    clip, apart = by_id["film/meadow/1/motion"], by_id["film/meadow/1/pictures"]
    assert [(i.role, i.action, i.output) for i in apart.inputs] == [("clip", clip.id, "clip")]
    assert apart.task == ClipPicturesTask(9, 128, 128)
    still = by_id["film/meadow/1/upscaled"]
    names = [f"picture_{number:04d}" for number in range(1, 10)]
    for number, name in enumerate(names, 1):
        larger = by_id[f"film/meadow/1/pictures_{number}"]
        assert larger.kind == kind
        assert larger.task == still.task, "as the still, with its noise, so that nothing flickers"
        assert [(i.action, i.output) for i in larger.inputs] == [(apart.id, name)]
    joined = by_id["film/meadow/1/motion_upscaled"]
    assert joined.task == JoinedClipTask(9, size, size)
    assert [(i.role, i.action) for i in joined.inputs] == [
        (name, f"film/meadow/1/pictures_{number}") for number, name in enumerate(names, 1)
    ]
    shot = film(plan).shots[0]
    assert shot.clip is not None
    assert (shot.clip.width, shot.clip.height) == (size, size)
    shown = by_id["film/film_pictures"].inputs
    assert [i.action for i in shown] == [f"film/meadow/{n}/motion_upscaled" for n in (1, 2)]
    # the clip itself is the one that was there
    memory = Memory()
    memory.make_all(planned(tmp_path, motion, memory))
    again = planned(tmp_path, motion, memory, upscale=how)
    assert "film/meadow/1/motion" not in {one.action.id for one in again.to_make}


def test_the_film_interpolates_what_is_to_be_interpolated(tmp_path: Path) -> None:
    motion = {"kind": "clip", "video_model": "svd", "num_frames": 9}
    for how in ({"by": 2}, {"by": 1, "with": "x4"}):
        plan = planned(tmp_path, motion, upscale=how)
        assert not any("pictures_" in one.action.id for one in plan.actions)
        shot = film(plan).shots[0]
        assert shot.clip is not None
        assert shot.clip.width == 128


def test_pictures_of_clips_wait_for_approval_where_the_film_does(tmp_path: Path) -> None:
    video = {"fps": 10, "hold": 2, "needs": "approved"}
    motion = {"kind": "clip", "video_model": "svd", "num_frames": 9}
    how = {"by": 2, "with": "img2img"}
    plan = planned(tmp_path, motion, upscale=how, video=video)
    waiting = {o.action.id: o.reason for o in plan.actions if o.state is State.UNAPPROVED}
    for end in ("motion", "pictures", "pictures_1", "pictures_9", "motion_upscaled"):
        assert waiting[f"film/meadow/1/{end}"].startswith(
            "for approval of meadow/1: lorakit approve"
        )
