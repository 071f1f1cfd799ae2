"""Video pipelines on the simulated accelerator: the CPU's frames, and no step waits for the device."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from lorakit.models.loading import load_pipeline
from lorakit.plan.tasks.clip import VideoClipTask
from tests.support import tiny_hunyuan, tiny_videos
from tests.support.forked import forked
from tests.support.simulated import NAME
from tests.support.simulated_device import product_on_accelerator
from tests.support.waits import asked, not_allowed
from tests.unit.rendering.test_video_engine import TASK, made, spec

pytestmark = pytest.mark.filterwarnings("ignore")


class Case(NamedTuple):
    """A tiny model of a family, and a clip that it makes."""

    save: Callable[[Path], Path]
    task: str
    roles: tuple[str, ...]
    frames: int


CASES: Mapping[str, Case] = {
    "wan": Case(tiny_videos.save_wan, "both", ("first", "last"), 5),
    "ltx": Case(tiny_videos.save_ltx, "both", ("first", "last"), 9),
    "svd": Case(tiny_videos.save_svd, "frame", ("first",), 2),
    "cogvideox": Case(tiny_videos.save_cogvideox, "frame", ("first",), 9),
    "hunyuan": Case(tiny_hunyuan.save_hunyuan, "words", (), 5),
    "framepack": Case(tiny_hunyuan.save_framepack, "both", ("first", "last"), 37),
}
QUICK = ("wan", "hunyuan")
# what the host waits for once a clip, and why: all of it the pipelines' own, which a clip is to equal to the pixel
A_CLIP = {
    "diffusers/image_processor.py:pt_to_numpy": "its frames are a result",
    "diffusers/schedulers/scheduling_flow_match_euler_discrete.py:index_for_timestep": "the first step's place",
    "diffusers/schedulers/scheduling_euler_discrete.py:index_for_timestep": "the first step's place",
    "diffusers/schedulers/scheduling_euler_discrete.py:set_timesteps": "its noise levels, once",
    "transformers/masking_utils.py:_ignore_causal_mask_sdpa": "whether a mask hides anything",
    "transformers/masking_utils.py:_ignore_bidirectional_mask_sdpa": "whether a mask hides anything",
}
# and at every step
A_STEP: Mapping[str, str] = {
    "diffusers/pipelines/stable_video_diffusion/pipeline_stable_video_diffusion.py:__call__": (
        "whether it is guided, of a scale a frame"
    ),
    "diffusers/schedulers/scheduling_ddim_cogvideox.py:step": "how much noise there is at a step",
    "diffusers/schedulers/scheduling_ddim.py:step": "how much noise there is at a step",
    "diffusers/schedulers/scheduling_ddim.py:_get_variance": "how much noise there is at a step",
    "diffusers/models/transformers/transformer_hunyuan_video_framepack.py:forward": "how long the prompt is",
}


def waits(engine: Any, device: Any, task: VideoClipTask, out: Path, roles: tuple[str, ...]) -> Any:
    """What is waited for within a clip of two steps, and what more where there are two more."""
    counts = []
    for steps in (2, 4):
        device.waits.clear()
        made(engine, replace(task, num_inference_steps=steps), out / f"{steps}", *roles)
        counts.append(asked(device.waits))
    return counts[0], Counter(counts[1]) - Counter(counts[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    "family",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in CASES],
)
@forked
def test_a_clip_is_the_cpu_s_and_no_step_of_it_waits(family: str, tmp_path: Path) -> None:
    from lorakit.rendering.video_engine import VideoEngine

    case = CASES[family]
    folder = case.save(tmp_path / "model")
    task = replace(TASK, frames=case.frames)
    told = spec(folder, family, case.task)
    here = made(VideoEngine(told, lambda *_: None), task, tmp_path / "here", *case.roles)
    with product_on_accelerator() as device:
        engine = VideoEngine(replace(told, device=NAME), lambda *_: None)
        there = made(engine, task, tmp_path / "there", *case.roles)
        once, a_step = waits(engine, device, task, tmp_path, case.roles)
    assert not not_allowed(once, {**A_CLIP, **A_STEP})
    assert not not_allowed(a_step, A_STEP)
    assert np.abs(here.astype(int) - there).max() <= 1


@pytest.mark.slow
@forked
def test_what_moves_the_step_s_own_model_is_there_too(tiny_sd: Path, tmp_path: Path) -> None:
    from lorakit.rendering.video_engine import VideoEngine

    base = load_pipeline(tiny_sd, "sd", "fp32", "cpu", stock=True)
    folder = tiny_videos.save_motion_adapter(tmp_path / "adapter", base.unet)
    task = replace(TASK, frames=4)
    told = spec(folder, "animatediff", "words", base=str(tiny_sd))
    here = made(VideoEngine(told, lambda *_: None), task, tmp_path / "here")
    with product_on_accelerator() as device:
        engine = VideoEngine(replace(told, device=NAME), lambda *_: None)
        there = made(engine, task, tmp_path / "there")
        once, a_step = waits(engine, device, task, tmp_path, ())
    assert not not_allowed(once, {**A_CLIP, **A_STEP})
    assert not not_allowed(a_step, A_STEP)
    assert np.abs(here.astype(int) - there).max() <= 1
