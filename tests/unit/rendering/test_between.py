"""Frames between two others, and pictures between two pictures."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionXLImg2ImgPipeline
from PIL import Image
from safetensors.torch import load_file, save_file
from scipy.spatial import geometric_slerp

from lorakit.plan.tasks.clip import PassingTask
from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.tasks.frame_between import FrameBetween
from lorakit.plan.tasks.job import Job
from lorakit.rendering.clip_files import ClipReader
from lorakit.rendering.engine import RenderEngine
from lorakit.rendering.flow_between import Between
from lorakit.rendering.frame_files import slerp
from lorakit.rendering.passing import places, write_passing
from tests.support.drawing import spec

SHAPE = (1, 4, 8, 8)


def latents(seed: int) -> torch.Tensor:
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 1.0])
def test_an_arc_is_scipy_s(share: float) -> None:
    first, second = (latents(n) / latents(n).norm() for n in (1, 2))
    ours = slerp(first, second, share)
    theirs = geometric_slerp(
        first.flatten().double().numpy() / float(first.double().norm()),
        second.flatten().double().numpy() / float(second.double().norm()),
        share,
    )
    assert ours.shape == SHAPE
    assert ours.dtype == torch.float32
    assert np.allclose(ours.flatten().numpy(), theirs, atol=1e-6)


def test_an_arc_keeps_lengths_where_a_line_is_shorter() -> None:
    first, second = latents(1), latents(2)
    shorter = min(first.norm(), second.norm())
    assert slerp(first, second, 0.5).norm() > 0.98 * shorter
    assert torch.lerp(first, second, 0.5).norm() < 0.8 * shorter
    assert torch.equal(slerp(first, first, 0.3), first), "one point is no arc"


@pytest.mark.parametrize("family", ["sd", "sdxl"])
def test_a_frame_between_is_img2img_from_the_arc_with_mixed_words(
    family: str, tiny_sd: Path, tiny_sdxl: Path, tmp_path: Path
) -> None:
    """diffusers' own pipeline, told by hand: latents on the arc as `image`, embeds on the line."""
    engine = RenderEngine(
        spec(tiny_sdxl if family == "sdxl" else tiny_sd, family=family, batch_size=1),
        lambda *_: None,
    )
    share = 0.3
    inputs = {}
    for number, role in enumerate(("start", "towards")):
        inputs[role] = str(tmp_path / role)
        save_file({"latents": latents(number)}, inputs[role])
    task = FrameTask(
        "a fox on mars", "rain", 4, 0.6, 5, 5.0, "default", 64, 64, "tiny", (), "fp32", "cpu", 1,
        between=FrameBetween(share, "an owl in a castle"),
    )  # fmt: skip
    engine.submit(Job("a", "ka", task, inputs, tmp_path))
    done: list[Any] = []
    while engine.busy:
        done += engine.step()
    ours = load_file(done[0]["outputs"]["latents"])["latents"]

    from lorakit.models.loading import load_pipeline

    loaded = load_pipeline(
        tiny_sdxl if family == "sdxl" else tiny_sd, family, "fp32", "cpu", stock=True
    )
    if family == "sd":
        stock: Any = StableDiffusionImg2ImgPipeline(
            **loaded.components, requires_safety_checker=False
        )
    else:
        stock = StableDiffusionXLImg2ImgPipeline(**loaded.components)
    stock.set_progress_bar_config(disable=True)
    told = [
        stock.encode_prompt(
            prompt, device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=True,
            negative_prompt="rain",
        )
        for prompt in (task.prompt, "an owl in a castle")
    ]  # fmt: skip
    words = {
        "prompt_embeds": torch.lerp(told[0][0], told[1][0], share),
        "negative_prompt_embeds": told[0][1],
    }
    if family == "sdxl":
        words["pooled_prompt_embeds"] = torch.lerp(told[0][2], told[1][2], share)
        words["negative_pooled_prompt_embeds"] = told[0][3]
    theirs = stock(
        **words,
        image=slerp(latents(0), latents(1), share),
        strength=0.6,
        num_inference_steps=5,
        guidance_scale=5.0,
        generator=torch.Generator().manual_seed(4),
        output_type="latent",
    ).images
    assert torch.allclose(ours, theirs, atol=2e-4), (ours - theirs).abs().max()


def texture(width: int = 192, height: int = 128) -> np.ndarray:
    """A soft picture with something everywhere to hold on to."""
    chance = np.random.default_rng(3)
    small = chance.integers(0, 255, (height // 8, width // 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


def error(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(float) - other.astype(float)).mean())


@pytest.mark.parametrize("step", [(8, 0), (-6, 4), (0, -10)])
def test_what_moves_is_on_its_way(step: tuple[int, int]) -> None:
    whole = texture()
    views = [
        whole[24 + step[1] * n // 2 : 104 + step[1] * n // 2, 24 + step[0] * n // 2 : 168 + step[0] * n // 2]
        for n in (0, 1, 2)
    ]  # fmt: skip
    halfway = Between(views[0], views[2]).at(0.5)
    inside = (slice(16, -16), slice(16, -16))
    mixed = (views[0].astype(float) + views[2]) / 2
    assert error(halfway[inside], views[1][inside]) < 1.5
    assert error(mixed[inside], views[1][inside]) > 8, "a mere mix is a ghost"


def test_what_a_thing_hides_is_taken_from_where_it_is_seen() -> None:
    """A square goes over a texture: before and behind it the ground is whole."""
    ground = texture()
    pictures = []
    for left in (60, 66, 72):
        picture = ground.copy()
        picture[40:80, left : left + 40] = texture(320, 320)[100:140, 100:140] // 2
        pictures.append(picture)
    halfway = Between(pictures[0], pictures[2]).at(0.5)
    assert error(halfway, pictures[1]) < 2
    assert error(halfway[40:80, 66:106], pictures[1][40:80, 66:106]) < 6
    mixed = (pictures[0].astype(float) + pictures[2]) / 2
    assert error(mixed, pictures[1]) > 1.5 * error(halfway, pictures[1])


@pytest.mark.parametrize("gone", [True, False])
def test_what_comes_or_goes_fades_and_is_not_there_at_once(gone: bool) -> None:
    """No step is much larger than the others, though a thing is in one of the pictures alone."""
    ground, thing = texture(), texture().copy()
    thing[30:90, 60:130] = texture(320, 320)[100:160, 100:170] // 2
    pair = (thing, ground) if gone else (ground, thing)
    between = Between(*pair)
    seen = [between.at(n / 10).astype(float) for n in range(11)]
    inside = (slice(35, 85), slice(65, 125))
    whole = error(thing[inside], ground[inside])
    steps = [error(one[inside], other[inside]) for one, other in pairwise(seen)]
    assert max(steps) < 0.18 * whole


def test_both_ends_are_the_pictures_and_each_time_is_the_same() -> None:
    first, second = texture(), np.roll(texture(), 5, axis=1)
    between = Between(first, second)
    assert error(between.at(0.0), first) < 0.5
    assert error(between.at(1.0), second) < 0.5
    assert (between.at(0.4) == Between(first, second).at(0.4)).all()


def test_small_pictures_have_a_way_too() -> None:
    first = texture(32, 24)[:16, :20]
    assert Between(first, first).at(0.5).shape == (16, 20, 3)


def test_a_clip_passes_from_picture_to_picture(tmp_path: Path) -> None:
    sides = (96, 64)
    inputs = {}
    for number in range(3):
        picture = np.roll(texture(*sides), 3 * number, axis=1)
        Image.fromarray(picture).save(tmp_path / f"{number}.png")
        inputs[f"picture_{number}"] = str(tmp_path / f"{number}.png")
    task = PassingTask(9, *sides, pictures=3)
    told = list(write_passing(tmp_path / "clip.mkv", task, inputs))
    assert told == [(n, 9) for n in range(1, 10)]
    reader = ClipReader(tmp_path / "clip.mkv", *sides)
    frames = [reader.frame(n).copy() for n in range(9)]
    reader.close()
    assert (frames[0] == texture(*sides)).all(), "it begins with the first"
    where = list(places(task))
    assert where == sorted(where)
    assert where[0] == 0
    assert where[-1] < 2, "the last is what the film shows next"
    for frame, place in zip(frames, where, strict=True):
        inner = frame[8:-8, 16:-16].astype(float)
        shifts = np.arange(0, 12)
        errors = [error(inner, np.roll(texture(*sides), n, axis=1)[8:-8, 16:-16]) for n in shifts]
        assert abs(int(np.argmin(errors)) - 3 * place) <= 1
