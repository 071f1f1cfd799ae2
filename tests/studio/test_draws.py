"""What the studio model draws, by the judge: sentences of its world that nobody chose."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image

from lorakit import resources
from lorakit.rendering.judge import load_judge

STUDIO = Path(__file__).resolve().parents[2] / "studio"
sys.path.insert(0, str(STUDIO))
from figures import marks, scene_and_sentence  # noqa: E402

sys.path.remove(str(STUDIO))

SEED, COUNT, BATCH = 70, 32, 8


def draw(sentences: list[str]) -> list[Image.Image]:
    folder = resources.path("studio")
    card = json.loads((folder / "studio.json").read_text(encoding="utf-8"))
    pipeline = StableDiffusionPipeline.from_pretrained(folder, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    made: list[Image.Image] = []
    for start in range(0, len(sentences), BATCH):
        part = sentences[start : start + BATCH]
        made += pipeline(
            part,
            num_inference_steps=card["default_num_inference_steps"],
            guidance_scale=card["default_guidance_scale"],
            generator=[torch.Generator().manual_seed(start + n) for n in range(len(part))],
        ).images
    return made


@pytest.fixture(scope="module")
def shares() -> dict[str, float]:
    """How often each part of a sentence is right."""
    asked = [scene_and_sentence(SEED, number) for number in range(COUNT)]
    seen = load_judge().see(draw([sentence for _, sentence in asked]))
    found: dict[str, list[bool]] = {}
    for row, (scene, sentence) in enumerate(asked):
        for part, right in marks(scene, sentence, seen, row).items():
            found.setdefault(part, []).append(right)
    return {part: sum(right) / len(right) for part, right in found.items()}


@pytest.mark.parametrize(
    ("part", "least"),
    [("main character", 0.5), ("setting", 0.85), ("relation", 0.4)],
)
def test_the_model_draws_what_the_sentence_says(shares, part, least):
    assert shares[part] >= least, shares
