"""What the studio model draws, by the judge: sentences of its world that nobody chose."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lorakit import resources
from lorakit.rendering.judge import load_judge

STUDIO = Path(__file__).resolve().parents[2] / "studio"
sys.path.insert(0, str(STUDIO))
from drawing import Painter  # noqa: E402
from figures import marks, scene_and_sentence  # noqa: E402

sys.path.remove(str(STUDIO))

SEED, COUNT = 70, 32
# drawing takes a quarter of a minute
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shares() -> dict[str, float]:
    """How often each part of a sentence is right."""
    asked = [scene_and_sentence(SEED, number) for number in range(COUNT)]
    painter = Painter(resources.path("studio"))
    seen = load_judge().see(painter.draw([sentence for _, sentence in asked], range(COUNT)))
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
