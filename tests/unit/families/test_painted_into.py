"""Frames that are painted into where a mask is white, by every family that says it can."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from PIL import Image

from lorakit.families import FAMILIES
from lorakit.plan.tasks.frame_edit import FrameEdit
from lorakit.rendering.drawing import drawing_engine
from tests.unit.families.test_drawn import by_hand, draw, loaded, quiet, spec, task

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
TINY = {
    "flux": "flux-dev",
    "sd3": "sd3",
    "qwen-image": "qwen-image",
    "z-image": "z-image",
}
CALLED = [name for name, family in FAMILIES.items() if family.engine == "calls"]
PAINTS = [name for name in CALLED if "inpaint" in FAMILIES[name].pipelines]


@pytest.mark.parametrize("name", PAINTS)
def test_a_frame_is_painted_into_as_diffusers_does(
    name: str, tiny_transformer: Callable[[str], Path], tmp_path: Path
) -> None:
    kind, family = TINY[name], FAMILIES[name]
    folder = tiny_transformer(kind)
    engine = drawing_engine(spec(family, folder), quiet())
    first, files = draw(engine, tmp_path / "first", task(kind))
    before = Image.open(files["picture"]).convert("RGB")
    mask = Image.new("L", before.size, 0)
    mask.paste(255, (16, 16, 64, 64))
    mask.save(tmp_path / "mask.png")
    edit = FrameEdit("digest", False, str(tmp_path / "mask.png"))
    told: dict[str, Any] = {"noise": 9, "strength": 0.8, "num_inference_steps": 4}
    painted = task(kind, edit=edit, **told)
    found, _ = draw(engine, tmp_path / "edited", painted, edited=files["picture"])
    pipeline = getattr(diffusers, family.pipelines["inpaint"]).from_pipe(loaded(folder))
    given = {
        "image": before,
        "mask_image": mask,
        "strength": 0.8,
        "num_inference_steps": 4,
        "generator": torch.Generator().manual_seed(9),
    }
    whole = Image.frombytes("RGB", before.size, by_hand(pipeline, kind, **given))
    assert found == Image.composite(whole, before, mask).tobytes()
    assert found != first


def test_what_diffusers_cannot_paint_into_is_not_said_to_be(
    tiny_transformer: Callable[[str], Path],
) -> None:
    """ChromaInpaintPipeline asks its transformer for a key that no Chroma has (diffusers 0.42)."""
    assert "chroma" not in PAINTS
    pipeline = diffusers.ChromaInpaintPipeline.from_pipe(loaded(tiny_transformer("chroma")))
    picture = Image.new("RGB", (64, 80))
    given = {"image": picture, "mask_image": picture.convert("L"), "num_inference_steps": 2}
    with pytest.raises(AttributeError, match="guidance_embeds"):
        by_hand(pipeline, "chroma", **given)
