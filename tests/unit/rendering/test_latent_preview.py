"""What a frame looks like on its way: learnt from frames that were drawn, never from a table of ours."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import EulerDiscreteScheduler
from PIL import Image

from lorakit.plan.engine_specs import DrawingSpec
from lorakit.rendering.latent_preview import FILE, LatentPreview
from lorakit.store import sealed

MAP = torch.tensor([[60.0, 10, -20], [0, 50, 30], [-30, 5, 40], [10, -40, 5]])


def spec(tmp_path: Path, digest: str = "ab" * 32) -> DrawingSpec:
    return DrawingSpec(
        name="a model",
        path="",
        digest=digest,
        family="sd",
        vae_factor=8,
        precision="fp32",
        device="cpu",
        batch_size=8,
        batch_sizes=str(tmp_path / "widths.json"),
    )


def scene(seed: int = 1) -> tuple[torch.Tensor, Image.Image]:
    """Latents with a shape in them, and the picture of an autoencoder that is linear."""
    torch.manual_seed(seed)
    latents = torch.randn(1, 4, 4, 6).repeat_interleave(4, 2).repeat_interleave(4, 3)
    colors = (latents[0].permute(1, 2, 0) @ MAP + 128).clip(0, 255).round().to(torch.uint8)
    return latents, Image.fromarray(colors.numpy()).resize((192, 128), Image.Resampling.NEAREST)


def opened(data: bytes | None) -> Image.Image:
    assert data is not None
    return Image.open(io.BytesIO(data)).convert("RGB")


def apart(one: Image.Image, other: Image.Image) -> float:
    small = [np.asarray(p.resize((24, 16), Image.Resampling.BOX), float) for p in (one, other)]
    return float(np.abs(small[0] - small[1]).mean())


def test_latents_are_shown_in_the_colours_that_the_model_gives_them(tmp_path: Path) -> None:
    preview = LatentPreview(spec(tmp_path))
    assert preview.picture(scene()[0]) is None  # nothing was drawn yet
    preview.learn(*scene(1))
    latents, picture = scene(2)
    shown = opened(preview.picture(latents))
    assert max(shown.size) <= 256
    assert apart(shown, picture) < 12
    assert apart(shown, scene(3)[1]) > 30


def test_latents_of_any_step_are_shown_whatever_their_scale(tmp_path: Path) -> None:
    """Euler's first latents spread 14 times as wide as a picture's."""
    preview = LatentPreview(spec(tmp_path))
    preview.learn(*scene(1))
    scheduler = EulerDiscreteScheduler()
    scheduler.set_timesteps(10)
    latents, picture = scene(2)
    noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(3))
    distances = []
    for step in (0, 5, 9):
        noisy = scheduler.add_noise(latents, noise, scheduler.timesteps[step : step + 1])
        values = np.asarray(opened(preview.picture(noisy)))
        assert 20 < values.std() < 100  # neither grey nor black and white
        distances.append(apart(Image.fromarray(values), picture))
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 15


def test_what_was_learnt_is_there_for_the_next_run(tmp_path: Path) -> None:
    preview = LatentPreview(spec(tmp_path))
    preview.learn(*scene(1))
    latents, _ = scene(2)
    assert LatentPreview(spec(tmp_path)).picture(latents) == preview.picture(latents)
    assert LatentPreview(spec(tmp_path, "cd" * 32)).picture(latents) is None
    # other latents, as of a model that was changed in its place
    assert preview.picture(torch.randn(1, 16, 8, 8)) is None


@pytest.mark.parametrize("kept", [3, "a", [[1]], [["a", 1, 1]], [[float(1), 2]], None])
def test_a_file_that_says_something_else_is_passed_over(tmp_path: Path, kept: object) -> None:
    preview = LatentPreview(spec(tmp_path))
    preview.learn(*scene(1))
    known = sealed.read(tmp_path / FILE)
    assert isinstance(known, dict)
    sealed.write(tmp_path / FILE, dict.fromkeys(known, kept))
    assert LatentPreview(spec(tmp_path)).picture(scene(2)[0]) is None


def test_latents_that_are_no_numbers_show_nothing(tmp_path: Path) -> None:
    preview = LatentPreview(spec(tmp_path))
    preview.learn(*scene(1))
    assert preview.picture(torch.full((1, 4, 8, 8), torch.nan)) is None
