"""Melted pictures: what the model believes in mid-noise, from which judges learn to say nothing."""

from __future__ import annotations

import importlib
import json

import numpy as np
import pytest


@pytest.fixture
def pool(tmp_path, studio, small_art):
    """A few composed scenes."""
    compose, painting = (importlib.import_module(name) for name in ("compose", "painting"))
    scenes = [compose.scene_number(9, n) for n in range(6)]
    pictures = np.stack([np.asarray(painting.paint(one, small_art)) for one in scenes])
    np.save(tmp_path / "pictures.npy", pictures)
    lines = [json.dumps(one.to_json()) + "\n" for one in scenes]
    (tmp_path / "scenes.jsonl").write_text("".join(lines), encoding="utf-8")
    return tmp_path


@pytest.mark.slow
def test_melted_pictures_are_soft_and_stand_row_for_row(pool, studio):
    from diffusers import StableDiffusionPipeline

    make_melted = importlib.import_module("make_melted")
    importlib.import_module("drawing").quiet_libraries()
    pipeline = StableDiffusionPipeline.from_pretrained(studio / "model", local_files_only=True)
    make_melted.melt_pool(pipeline, pool, 4)
    melted, plain = np.load(pool / "melted.npy"), np.load(pool / "pictures.npy")
    assert melted.shape == (4, 128, 128, 3)
    assert melted.dtype == np.uint8

    def edges(rows: np.ndarray) -> float:
        return float(np.square(np.diff(rows.astype(float), axis=2)).mean())

    assert edges(melted) < 0.3 * edges(plain[:4])
    make_melted.melt_pool(pipeline, pool, 4)
    assert np.array_equal(np.load(pool / "melted.npy"), melted)  # the same again
