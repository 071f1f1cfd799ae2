"""How well a UNet knows each sprite: errors inside what is seen of it, over what is there."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
import torch


@pytest.fixture(scope="module")
def rate_codes(studio):
    return importlib.import_module("rate_codes")


@pytest.fixture(scope="module")
def crowds(studio):
    compose = importlib.import_module("compose")
    return [compose.scene_number(5, compose.UNET_HELD_OUT + n, 1.0) for n in range(6)]


def test_what_is_seen_of_sprites_is_the_picture_without_its_backdrop(rate_codes, crowds, small_art):
    painting, looks = (importlib.import_module(name) for name in ("painting", "looks"))
    for crowd in crowds:
        places = rate_codes.seen_places(crowd, small_art, looks.GRID)
        stage = painting.set_stage(crowd, small_art, look=looks.GRID)
        assert [code for code, _ in places] == [figure.code for figure in stage.figures]
        together = sum(share for _, share in places)
        assert together.shape == (16, 16)
        assert together.max() <= 1 + 1e-6  # no place is two's
        covered = np.asarray(stage.marks.point(lambda mark: 255 * (mark >= 48))) / 255
        of_places = covered.reshape(16, 8, 16, 8).mean((1, 3))
        apart = np.abs(together.numpy() - of_places)  # but for soft edges
        assert apart.max() < 0.25
        assert apart.mean() < 0.02


@pytest.mark.parametrize(("part", "error"), [(1.0, 0.0), (0.0, 1.0), (0.5, 0.25)])
def test_an_error_is_of_what_is_there(part, error, rate_codes, crowds, small_art, monkeypatch):
    looks = importlib.import_module("looks")
    latents = torch.randn(len(crowds), 16, 16, 16, generator=torch.Generator().manual_seed(1))
    monkeypatch.setattr(rate_codes, "guess", lambda _, true, __: torch.stack([true * part] * 3))
    found = rate_codes.rate(None, latents, crowds, small_art, looks.GRID)
    named = {code for crowd in crowds for code in crowd.codes}
    assert set(found) <= named
    assert len(found) > len(named) * 0.8  # one may be hidden whole
    assert set(found.values()) == {error}


@pytest.mark.slow
def test_the_studio_knows_more_from_less_noise(rate_codes, crowds, studio, monkeypatch):
    from diffusers import StableDiffusionPipeline

    importlib.import_module("drawing").quiet_libraries()
    pipeline = StableDiffusionPipeline.from_pretrained(studio / "model", local_files_only=True)
    monkeypatch.setattr(rate_codes, "NOISY", (20, 500, 990))
    latents = torch.randn(2, 16, 16, 16, generator=torch.Generator().manual_seed(1))
    guessed = rate_codes.guess(pipeline, latents, ["a fox on mars", "an owl at night"])
    assert guessed.shape == (3, 2, 16, 16, 16)
    errors = (guessed - latents).pow(2).mean((1, 2, 3, 4))
    assert errors[0] < 0.2 < errors[1] < errors[2]
