"""Encoding with text encoders that wait beside the device, and in bf16: what it comes to, to the byte."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from lorakit.models.loading import load_pipeline
from lorakit.models.prompt_embeds import prompt_embeds
from lorakit.plan.specs_beside import EncodingSpec
from lorakit.plan.tasks.encode import EmbedsTask, LatentsTask
from lorakit.plan.tasks.job import Job
from lorakit.training.encode_engine import EncodeEngine
from tests.support.image_training import paint

pytestmark = pytest.mark.filterwarnings("ignore")
KINDS = {"flux-dev": "flux", "qwen-image": "qwen-image", "flux2-klein": "flux2-klein"}
TEXTS = ("a fox at dawn", "a lantern", "")
LIMIT = 32


def encoded(folder: Path, kind: str, out: Path, **more: Any) -> tuple[dict[str, bytes], Any]:
    """The files of a picture and of captions, and the pipeline that made them."""
    spec = {"device": "cpu", **more}
    engine = EncodeEngine(
        EncodingSpec(path=str(folder), family=KINDS[kind], **spec), lambda *_: None
    )
    picture = paint(out / "seen", [(64, 64)]) / "0.png"
    tasks: list[Any] = [EmbedsTask("t", text, False, "cpu", LIMIT, 0) for text in TEXTS]
    tasks.insert(1, LatentsTask("v", "p", 64, 64, ((0, 0.5, 0.5),), "cpu", file=str(picture)))
    found = {}
    for number, task in enumerate(tasks):
        engine.submit(Job(f"{number}", f"{number}", task, {}, out, out / "keep", out / "logs"))
        (done,) = engine.step()
        assert "error" not in done, done
        ((_, file),) = done["outputs"].items()
        found[f"{task.kind} {number}"] = Path(file).read_bytes()
    return found, engine._pipeline


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_encodings_are_the_same_where_text_encoders_wait(
    kind: str, tiny_transformer: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = tiny_transformer(kind)
    whole, _ = encoded(folder, kind, tmp_path / "whole", precision="bf16")
    beside, pipeline = encoded(folder, kind, tmp_path / "beside", precision="bf16", offload="group")
    assert beside == whole
    encoder = getattr(pipeline, "text_encoder_2", None) or pipeline.text_encoder
    hooks = [m._diffusers_hook for m in encoder.modules() if hasattr(m, "_diffusers_hook")]
    assert any(hook.get_hook("group_offloading") for hook in hooks)


def test_words_are_read_in_bf16_and_pictures_in_fp32(
    tiny_transformer: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = tiny_transformer("flux-dev")
    wide, _ = encoded(folder, "flux-dev", tmp_path / "wide")
    low, pipeline = encoded(folder, "flux-dev", tmp_path / "low", precision="bf16")
    assert pipeline.vae.dtype == torch.float32
    assert pipeline.text_encoder_2.dtype == torch.bfloat16
    assert {name: low[name] == wide[name] for name in low} == {
        name: name.startswith("latents") for name in low
    }
    # it is what drawing tells the transformer
    drawn = load_pipeline(folder, "flux", "bf16", "cpu")
    with torch.inference_mode():
        embeds, pooled = prompt_embeds(drawn, "flux", [TEXTS[0]], "cpu", limit=LIMIT)
    kept = load_file(tmp_path / "low" / "0.safetensors")
    assert torch.equal(kept["embeds"], embeds.float())
    assert pooled is not None
    assert torch.equal(kept["pooled"], pooled.float())
