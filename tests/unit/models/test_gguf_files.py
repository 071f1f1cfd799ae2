"""Transformers in GGUF files: planned from their headers, drawn with as diffusers does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch

from lorakit.facts.models.model_configs import ModelError
from lorakit.models.loading import load_pipeline
from tests.support.one_file import facts, picture, whole, without_weights
from tests.support.original_layouts import flux_tensors, narrow, save_gguf, sd3_tensors

pytestmark = pytest.mark.filterwarnings("ignore")


def sd3_wide(folder: Path) -> Any:
    """A transformer whose rows are whole blocks of GGUF's kinds, in a tiny pipeline."""
    torch.manual_seed(2)
    pipeline = whole(folder)
    told = {**pipeline.transformer.config, "num_attention_heads": 4, "caption_projection_dim": 32}
    pipeline.transformer = diffusers.SD3Transformer2DModel.from_config(told)
    return pipeline


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["F16", "Q8_0", "Q4_0"])
def test_a_gguf_transformer_is_drawn_as_diffusers_does(
    kind: str, tiny_transformer: Callable[[str], Path], tmp_path: Path
) -> None:
    pytest.importorskip("gguf")
    folder = tiny_transformer("sd3")
    pipeline = sd3_wide(folder)
    file = save_gguf(tmp_path / "sd3.gguf", sd3_tensors(pipeline.transformer), kind, "sd3")
    parts = without_weights(folder, tmp_path / "parts")
    found = facts(file, parts)
    assert found.parameters["transformer"] == pipeline.transformer.num_parameters()
    assert 0 < found.quantised_bytes < file.stat().st_size
    if kind == "Q4_0":
        assert found.quantised_bytes < 2 * pipeline.transformer.num_parameters()
    ours = load_pipeline(file, "sd3", "fp32", "cpu", parts=str(parts))
    # by hand
    (parts / "wide").mkdir()
    pipeline.transformer.save_config(parts / "wide")
    theirs = diffusers.SD3Transformer2DModel.from_single_file(
        str(file),
        config=str(parts / "wide"),
        quantization_config=diffusers.GGUFQuantizationConfig(compute_dtype=torch.float32),
        dtype=torch.float32,
    )
    exact = picture(pipeline)
    pipeline.transformer = theirs
    drawn = picture(ours)
    assert (drawn == picture(pipeline)).all()
    assert ((drawn == exact).all()) == (kind == "F32")


def test_a_gguf_transformer_of_flux_is_read(
    tiny_transformer: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As city96's flux1-schnell-Q8_0.gguf: black-forest-labs' names."""
    pytest.importorskip("gguf")
    folder = tiny_transformer("flux-schnell")
    torch.manual_seed(2)
    told = {**whole(folder).transformer.config, "num_attention_heads": 4}
    transformer = diffusers.FluxTransformer2DModel.from_config(told)
    narrow(monkeypatch, 32)
    file = save_gguf(tmp_path / "flux.gguf", flux_tensors(transformer), "Q8_0", "flux")
    parts = without_weights(folder, tmp_path / "parts")
    assert facts(file, parts).guidance_scale == 0.0
    assert picture(load_pipeline(file, "flux", "fp32", "cpu", parts=str(parts))).std() > 0


@pytest.mark.slow
def test_an_adapter_is_worn_by_a_gguf_transformer(
    tiny_transformer: Callable[[str], Path], tmp_path: Path
) -> None:
    pytest.importorskip("gguf")
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    folder = tiny_transformer("sd3")
    pipeline = sd3_wide(folder)
    file = save_gguf(tmp_path / "sd3.gguf", sd3_tensors(pipeline.transformer), "Q8_0", "sd3")
    pipeline.transformer.add_adapter(LoraConfig(r=2, target_modules=["to_q", "to_out.0"]))
    for name, parameter in pipeline.transformer.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=3.0)
    layers = get_peft_model_state_dict(pipeline.transformer)
    type(pipeline).save_lora_weights(tmp_path / "lora", transformer_lora_layers=layers)
    adapter = tmp_path / "lora" / "pytorch_lora_weights.safetensors"

    def loaded(*worn: tuple[Path, float]) -> Any:
        return load_pipeline(file, "sd3", "fp32", "cpu", worn, parts=str(folder))

    bare, worn, theirs = loaded(), loaded((adapter, 0.5)), loaded()
    theirs.load_lora_weights(adapter.parent, adapter_name="a")
    theirs.set_adapters(["a"], [0.5])
    expected = picture(theirs)
    assert abs(picture(worn) - expected).max() < 0.01
    assert abs(picture(bare) - expected).max() > 0.02


BROKEN: dict[str, tuple[Any, str]] = {
    "cut short": (lambda d: d[:-64], "bytes of .* are missing"),
    "another format": (lambda d: b"GGML" + d[4:], "does not begin with GGUF"),
    "version 1": (lambda d: d[:4] + b"\1" + d[5:], "its version is 1"),
    "endless keys": (lambda d: d[:16] + b"\xff" * 8 + d[24:], "it has 18,446,744,073,709,551,615 keys"),
    "endless tensors": (lambda d: d[:8] + b"\xff" * 8 + d[16:], "tensors"),
    "an endless text": (lambda d: d[:24] + b"\xff" * 8 + d[32:], "its header has no end"),
    "nothing": (lambda _: b"", "its header has no end"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_gguf_file_is_said_to_be_broken(name: str, tmp_path: Path) -> None:
    pytest.importorskip("gguf")
    change, says = BROKEN[name]
    file = save_gguf(tmp_path / "a.gguf", {"a": torch.ones(32, 32)}, "Q8_0", "flux")
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(ModelError, match=says):
        facts(file)


def test_kinds_of_gguf_are_those_of_its_library() -> None:
    gguf = pytest.importorskip("gguf")
    from lorakit.facts.files.gguf_header import KINDS as OURS

    theirs = {int(k): (k.name, *sizes) for k, sizes in gguf.GGML_QUANT_SIZES.items()}
    assert {k: told for k, told in theirs.items() if k in OURS} == OURS
    from diffusers.quantizers.gguf.utils import SUPPORTED_GGUF_QUANT_TYPES

    from lorakit.facts.models.original_transformers import READ

    assert {kind.name for kind in SUPPORTED_GGUF_QUANT_TYPES} | {"F32", "F16"} == READ
