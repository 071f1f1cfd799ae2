"""Scores by models of transformers, held against these called by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from lorakit.diagnostics import LorakitError
from lorakit.plan.specs_beside import ModelJudgeSpec
from lorakit.plan.tasks.frame import ReferenceFile
from lorakit.plan.tasks.gate import ScoreTask
from lorakit.plan.tasks.job import Job
from lorakit.rendering.model_judge_engine import ModelJudgeEngine
from tests.support.tiny_controls import draw_shape, save_clip, save_dino

PROMPT = "a white bunny finds a golden key in a green meadow"


def scored(engine: ModelJudgeEngine, out: Path, task: ScoreTask, **inputs: Path) -> dict[str, Any]:
    job = Job("a", "k", task, {role: str(file) for role, file in inputs.items()}, out)
    engine.submit(job)
    (ended,) = engine.step()
    assert "outputs" in ended, ended
    told: dict[str, Any] = json.loads(Path(ended["outputs"]["score"]).read_text())  # type: ignore[index]
    return told


def opened(file: Path) -> Image.Image:
    return Image.open(file).convert("RGB")


def test_scores_are_the_cosines_that_transformers_gives_by_hand(tmp_path: Path) -> None:
    from transformers import (
        BitImageProcessorPil,
        CLIPImageProcessorPil,
        CLIPModel,
        CLIPTokenizer,
        Dinov2Model,
    )

    dino, clip = save_dino(tmp_path / "dino"), save_clip(tmp_path / "clip")
    picture, other, far = (draw_shape(tmp_path / f"{at}.png", at=at) for at in (8, 20, 44))
    engine = ModelJudgeEngine(ModelJudgeSpec(character=str(dino), sentence=str(clip)), print)
    task = ScoreTask(PROMPT, None, "d", "c", (ReferenceFile("digest", str(other)),))
    told = scored(engine, tmp_path / "out", task, picture=picture, reference_1=far)

    model = Dinov2Model.from_pretrained(dino).eval()
    look = BitImageProcessorPil.from_pretrained(dino)

    def seen(file: Path) -> torch.Tensor:
        with torch.inference_mode():
            return model(**look(opened(file), return_tensors="pt")).pooler_output

    near = [torch.cosine_similarity(seen(picture), seen(one)).item() for one in (other, far)]
    assert near[0] != pytest.approx(near[1])
    assert told["character"] == pytest.approx(min(near), abs=2e-6)

    both = CLIPModel.from_pretrained(clip).eval()
    words = CLIPTokenizer.from_pretrained(clip)(PROMPT, return_tensors="pt")
    pixels = CLIPImageProcessorPil.from_pretrained(clip)(opened(picture), return_tensors="pt")
    with torch.inference_mode():
        out = both(**words, pixel_values=pixels.pixel_values)
    assert told["sentence"] == pytest.approx(
        (out.image_embeds @ out.text_embeds.T).item(), abs=2e-6
    )
    assert told["drift"] is None
    again = scored(engine, tmp_path / "out", ScoreTask("a fox", None, "d", "c"), picture=picture)
    assert again["character"] is None  # nothing shows who is in it
    assert again["sentence"] != told["sentence"]
    assert engine.calls["judge"] == 2


def test_clip_judges_characters_too_and_cuts_what_it_cannot_read(tmp_path: Path) -> None:
    clip = save_clip(tmp_path / "clip")
    picture = draw_shape(tmp_path / "a.png")
    engine = ModelJudgeEngine(ModelJudgeSpec(character=str(clip), sentence=str(clip)), print)
    told = scored(
        engine,
        tmp_path / "out",
        ScoreTask(PROMPT * 20, None, "c", "c"),
        picture=picture,
        reference_1=picture,
    )
    assert told["character"] == pytest.approx(1)
    assert -1 <= told["sentence"] <= 1


def test_what_is_no_model_is_told(tmp_path: Path) -> None:
    folder = save_dino(tmp_path / "dino")
    (folder / "model.safetensors").write_bytes(b"\0" * 64)
    with pytest.raises(LorakitError, match="cannot be loaded"):
        ModelJudgeEngine(ModelJudgeSpec(character=str(folder)), print)
