"""Clips of video models are what diffusers' own pipelines give, called by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers.pipelines.ltx.pipeline_ltx_condition import LTXVideoCondition
from PIL import Image

from lorakit.facts.models.video_models import VIDEO_SORT, VideoModel
from lorakit.families.videos import VIDEO_FAMILIES
from lorakit.models.loading import load_pipeline
from lorakit.plan.specs_beside import VideoSpec
from lorakit.plan.tasks.clip import VideoClipTask
from lorakit.plan.tasks.job import Job
from lorakit.rendering.clip_files import ClipReader
from lorakit.rendering.video_engine import VideoEngine
from tests.support import tiny_hunyuan, tiny_videos

SIZE = (64, 64)
TASK = VideoClipTask(
    9, *SIZE, prompt="a fox on mars", negative_prompt="rain", noise=5, num_inference_steps=2,
    guidance_scale=3.0, rate=7, model="tiny", precision="fp32", device_class="cpu",
)  # fmt: skip


def picture(seed: int) -> Image.Image:
    small = np.random.default_rng(seed).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    return Image.fromarray(small).resize(SIZE)


def made(engine: VideoEngine, task: VideoClipTask, folder: Path, *roles: str) -> np.ndarray:
    folder.mkdir(parents=True, exist_ok=True)
    inputs = {}
    for number, role in enumerate(roles):
        picture(number).save(folder / f"{role}.png")
        inputs[role] = str(folder / f"{role}.png")
    engine.submit(Job("a", "k", task, inputs, folder))
    (done,) = engine.step()
    assert "outputs" in done, done
    reader = ClipReader(Path(str(done["outputs"]["clip"])), *SIZE)  # type: ignore[index]
    frames = np.stack([reader.frame(n) for n in range(task.frames)])
    reader.close()
    return frames


def spec(path: Path, family: str, task: str, **more: Any) -> VideoSpec:
    return VideoSpec(
        name="tiny", path=str(path), digest="tiny", family=family, task=task, precision="fp32",
        device="cpu", **more,
    )  # fmt: skip


def engine(
    path: Path, family: str, task: str, told: list[Any] | None = None, **more: Any
) -> VideoEngine:
    reported = told if told is not None else []
    return VideoEngine(spec(path, family, task, **more), lambda *one: reported.append(one) or True)


def by_hand(pipeline: Any, **given: Any) -> np.ndarray:
    pipeline.set_progress_bar_config(disable=True)
    frames = pipeline(
        width=64, height=64, num_inference_steps=2, generator=torch.Generator().manual_seed(5),
        output_type="pil", **given,
    ).frames[0]  # fmt: skip
    return np.stack([np.asarray(frame) for frame in frames])


WORDS = {"prompt": "a fox on mars", "negative_prompt": "rain", "guidance_scale": 3.0}


@pytest.mark.parametrize("roles", [("first",), ("first", "last")])
def test_wan_begins_with_a_frame_and_ends_with_another(
    tmp_path: Path, roles: tuple[str, ...]
) -> None:
    folder = tiny_videos.save_wan(tmp_path / "model")
    told: list[Any] = []
    ours = made(
        engine(folder, "wan", "both" if len(roles) > 1 else "frame", told), TASK, tmp_path, *roles
    )
    pipeline = diffusers.WanImageToVideoPipeline.from_pretrained(folder)
    more = {"last_image": picture(1)} if len(roles) > 1 else {}
    theirs = by_hand(pipeline, image=picture(0), num_frames=9, **WORDS, **more)
    assert ours.shape == (9, 64, 64, 3)
    assert (ours == theirs).all()
    assert [one[:3] for one in told] == [("a", 1, 2), ("a", 2, 2)]


def test_wan_from_words(tmp_path: Path) -> None:
    folder = tiny_videos.save_wan(tmp_path / "model", words_alone=True)
    ours = made(engine(folder, "wan", "words"), TASK, tmp_path)
    theirs = by_hand(diffusers.WanPipeline.from_pretrained(folder), num_frames=9, **WORDS)
    assert (ours == theirs).all()


@pytest.mark.parametrize("roles", [("first",), ("first", "last"), ()])
def test_ltx_is_given_its_frames_as_conditions(tmp_path: Path, roles: tuple[str, ...]) -> None:
    folder = tiny_videos.save_ltx(tmp_path / "model")
    kind = {0: "words", 1: "frame", 2: "both"}[len(roles)]
    ours = made(engine(folder, "ltx", kind), TASK, tmp_path, *roles)
    given = {**WORDS, "num_frames": 9, "frame_rate": 7}
    if roles:
        conditions = [
            LTXVideoCondition(image=picture(n), frame_index=at)
            for n, at in zip(range(len(roles)), (0, 8), strict=False)
        ]
        theirs = by_hand(
            diffusers.LTXConditionPipeline.from_pretrained(folder), conditions=conditions, **given
        )
    else:
        theirs = by_hand(diffusers.LTXPipeline.from_pretrained(folder), **given)
    assert (ours == theirs).all()


@pytest.mark.slow
def test_svd_is_told_its_rate_and_no_words(tmp_path: Path) -> None:
    folder = tiny_videos.save_svd(tmp_path / "model")
    task = replace(TASK, frames=3)
    ours = made(engine(folder, "svd", "frame"), task, tmp_path, "first")
    theirs = by_hand(
        diffusers.StableVideoDiffusionPipeline.from_pretrained(folder),
        image=picture(0), num_frames=3, fps=7, max_guidance_scale=3.0,
    )  # fmt: skip
    assert (ours == theirs).all()


@pytest.mark.slow
def test_cogvideox_begins_with_a_frame(tmp_path: Path) -> None:
    folder = tiny_videos.save_cogvideox(tmp_path / "model")
    ours = made(engine(folder, "cogvideox", "frame"), TASK, tmp_path, "first")
    theirs = by_hand(
        diffusers.CogVideoXImageToVideoPipeline.from_pretrained(folder),
        image=picture(0), num_frames=9, **WORDS,
    )  # fmt: skip
    assert (ours == theirs).all()


@pytest.mark.slow
def test_hunyuan_from_words(tmp_path: Path) -> None:
    folder = tiny_hunyuan.save_hunyuan(tmp_path / "model")
    ours = made(engine(folder, "hunyuan", "words"), TASK, tmp_path)
    theirs = by_hand(diffusers.HunyuanVideoPipeline.from_pretrained(folder), num_frames=9, **WORDS)
    assert (ours == theirs).all()
    other = made(engine(folder, "hunyuan", "words"), replace(TASK, prompt="an owl"), tmp_path)
    assert (ours != other).any()


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["latent_concat", pytest.param("token_replace", marks=pytest.mark.slow)]
)
def test_hunyuan_begins_with_a_frame(tmp_path: Path, kind: str) -> None:
    """The form that leaves out four of its frames is asked for four more."""
    folder = tiny_hunyuan.save_hunyuan_from_a_frame(tmp_path / "model", kind)
    ours = made(engine(folder, "hunyuan", "frame"), TASK, tmp_path, "first")
    theirs = by_hand(
        diffusers.HunyuanVideoImageToVideoPipeline.from_pretrained(folder),
        image=picture(0), num_frames=13 if kind == "latent_concat" else 9, **WORDS,
    )  # fmt: skip
    assert ours.shape == theirs.shape
    assert (ours == theirs).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("roles", "frames", "asked"),
    [
        (("first", "last"), 37, 33),
        pytest.param(("first",), 37, 9, marks=pytest.mark.slow),
        pytest.param(("first", "last"), 73, 34, marks=pytest.mark.slow),
    ],
)
def test_framepack_goes_on_section_by_section(
    tmp_path: Path, roles: tuple[str, ...], frames: int, asked: int
) -> None:
    folder = tiny_hunyuan.save_framepack(tmp_path / "model")
    told: list[Any] = []
    task = replace(TASK, frames=frames)
    kind = "both" if len(roles) > 1 else "frame"
    ours = made(engine(folder, "framepack", kind, told), task, tmp_path, *roles)
    pipeline = diffusers.HunyuanVideoFramepackPipeline.from_pretrained(folder)
    more = {"last_image": picture(1)} if len(roles) > 1 else {}
    theirs = by_hand(pipeline, image=picture(0), num_frames=asked, **WORDS, **more)
    assert ours.shape == theirs.shape
    assert (ours == theirs).all()
    steps = 2 * ((frames - 1) // 36)
    assert [one[1:3] for one in told] == [(n, steps) for n in range(1, steps + 1)]


@pytest.mark.slow
def test_animatediff_moves_the_step_s_own_model(tmp_path: Path, tiny_sd: Path) -> None:
    base = load_pipeline(tiny_sd, "sd", "fp32", "cpu", stock=True)
    folder = tiny_videos.save_motion_adapter(tmp_path / "adapter", base.unet)
    task = replace(TASK, frames=4)
    ours = made(engine(folder, "animatediff", "words", base=str(tiny_sd)), task, tmp_path)
    pipeline = diffusers.AnimateDiffPipeline(
        vae=base.vae,
        text_encoder=base.text_encoder,
        tokenizer=base.tokenizer,
        unet=base.unet,
        motion_adapter=diffusers.MotionAdapter.from_pretrained(folder),
        scheduler=base.scheduler,
    )
    theirs = by_hand(pipeline, num_frames=4, **WORDS)
    assert (ours == theirs).all()
    assert VIDEO_SORT.kind_in(folder) == "MotionAdapter"


@pytest.mark.slow
def test_a_call_is_left_where_the_run_is_over(tmp_path: Path) -> None:
    folder = tiny_videos.save_svd(tmp_path / "model")
    stopped = VideoEngine(spec(folder, "svd", "frame"), lambda *_: False)
    picture(0).save(tmp_path / "first.png")
    inputs = {"first": str(tmp_path / "first.png")}
    stopped.submit(Job("a", "k", replace(TASK, frames=3), inputs, tmp_path / "out"))
    (done,) = stopped.step()
    assert "stopped" in str(done["error"])
    assert not (tmp_path / "out" / "clip.mkv").exists()


def test_what_a_folder_does_is_known_by_its_class(tmp_path: Path) -> None:
    folder = tiny_videos.save_svd(tmp_path / "model")
    model = VideoModel("svd", "svd", kind=VIDEO_SORT.kind_in(folder))
    assert model.family is VIDEO_FAMILIES["svd"]
    assert model.tasks == ("frame",)
    assert VideoModel("x", "hub:a/b").tasks == ()


@pytest.mark.parametrize(
    ("family", "wanted", "nearest"),
    [("wan", 80, 81), ("wan", 3, 5), ("wan", 500, 121), ("ltx", 100, 97), ("svd", 40, 25), ("cogvideox", 50, 49),
     ("hunyuan", 128, 129), ("hunyuan", 2, 5), ("framepack", 92, 109), ("framepack", 30, 37)],
)  # fmt: skip
def test_the_nearest_length_that_a_family_has(family: str, wanted: int, nearest: int) -> None:
    traits = VIDEO_FAMILIES[family]
    assert traits.nearest(wanted) == nearest
    assert traits.fits(nearest)
    assert not traits.fits(wanted)
    assert traits.fits(traits.frames)
