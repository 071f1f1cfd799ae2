"""The engine as its worker has it: half precision, and one model in memory at a time."""

from __future__ import annotations

import io
import json
import shutil
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from lorakit.execute.worker import Worker
from lorakit.rendering import engine as render
from lorakit.rendering.engine import RenderEngine
from tests.support.drawing import draw, spec


@pytest.mark.slow
@pytest.mark.parametrize("family", ["sd", "sd2", "sdxl"])
def test_fp16_draws_what_fp32_draws(
    family: str, tiny_sd: Path, tiny_sd2: Path, tiny_sdxl: Path, tmp_path: Path
) -> None:
    """With an autoencoder whose values on the way are beyond fp16's, as many published ones are."""
    folder = tmp_path / "model"
    shutil.copytree({"sd": tiny_sd, "sd2": tiny_sd2, "sdxl": tiny_sdxl}[family], folder)
    file = folder / "vae" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(file)
    # a normalisation takes the factor out again
    tensors["decoder.conv_in.weight"] *= 1e6
    tensors["decoder.conv_in.bias"] *= 1e6
    save_file(tensors, file, {"format": "pt"})
    kind = "sdxl" if family == "sdxl" else "sd"
    pictures = {}
    for precision in ("fp32", "fp16"):
        engine = RenderEngine(spec(folder, precision=precision, family=kind), lambda *_: None)
        done = draw(engine, tmp_path / precision)
        assert "error" not in done, done
        with Image.open(done["outputs"]["picture"]) as picture:
            pictures[precision] = np.asarray(picture.convert("RGB"), dtype=float)
    assert pictures["fp16"].std() > 1
    assert np.abs(pictures["fp16"] - pictures["fp32"]).mean() < 4


def test_story_complaint_14_a_picture_that_is_not_finite_is_an_error_and_no_black_frame(
    tiny_sd: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_sd, folder)
    file = folder / "vae" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(file)
    tensors["decoder.conv_out.bias"][:] = float("nan")
    save_file(tensors, file, {"format": "pt"})
    done = draw(RenderEngine(spec(folder), lambda *_: None), tmp_path / "out")
    assert "not finite" in done["error"]
    assert not list((tmp_path / "out").iterdir())


def test_one_model_is_in_memory_at_a_time(
    tiny_sd: Path, tiny_sd2: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hooks and wrapped layers tie a network to itself: it must be gone before the next one is loaded."""
    loaded: list[weakref.ref[Any]] = []
    alive: list[int] = []
    load = render.drawing_pipeline

    def counting(*given: Any, **more: Any) -> Any:
        alive.append(sum(network() is not None for network in loaded))
        pipeline = load(*given, **more)
        loaded.append(weakref.ref(pipeline.unet))
        return pipeline

    monkeypatch.setattr(render, "drawing_pipeline", counting)
    out = io.StringIO()
    worker = Worker("render", out)
    for number, folder in enumerate((tiny_sd, tiny_sd2, tiny_sd)):
        worker._handle({"do": "open", "engine": f"{number}", "spec": spec(folder).to_json()})
    told = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [m["state"] for m in told if m["event"] == "state"].count("ready") == 3, told
    assert alive == [0, 0, 0]
    assert torch.get_num_threads() >= 1
