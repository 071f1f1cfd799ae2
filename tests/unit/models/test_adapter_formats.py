"""Adapters read from and written to all three formats, held against diffusers' own loader."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

from lorakit.diagnostics import LorakitError
from lorakit.models import adapter_formats
from lorakit.models.adapter_formats import Adapter, Layer, lora_layer
from lorakit.training import adapter_files

pytestmark = pytest.mark.filterwarnings("ignore")


def pipeline(model: Path) -> Any:
    from diffusers import StableDiffusionPipeline

    return StableDiffusionPipeline.from_pretrained(model, safety_checker=None)


def adapter_for(model: Path, alpha: float, *, text: bool = False) -> Adapter:
    pipe, rng = pipeline(model), torch.Generator().manual_seed(3)
    found: dict[str, Layer] = {}
    for part in ("unet", "text_encoder") if text else ("unet",):
        for name, module in getattr(pipe, part).named_modules():
            if name.endswith(("attn2.to_k", "attn2.to_out.0", "q_proj", "out_proj")):
                down = torch.randn(4, module.in_features, generator=rng)
                up = torch.randn(module.out_features, 4, generator=rng) * 0.3
                path = (
                    name
                    if part == "unet" or name.startswith("text_model")
                    else f"text_model.{name}"
                )
                found[f"{part}.{path}"] = lora_layer(down, up, alpha)
    return found


def outputs(model: Path, file: Path | None) -> torch.Tensor:
    pipe = pipeline(model)
    if file is not None:
        pipe.load_lora_weights(str(file.parent), weight_name=file.name, adapter_name="a")
    embeds = pipe.encode_prompt("a fox on mars", "cpu", 1, False)[0]
    rng = torch.Generator().manual_seed(1)
    with torch.inference_mode():
        latents = torch.randn(1, 4, 8, 8, generator=rng)
        return pipe.unet(latents, torch.tensor([500]), encoder_hidden_states=embeds).sample


@pytest.mark.slow
@pytest.mark.parametrize("text", [False, True], ids=["unet", "text-encoder-too"])
def test_adapter_keys_load_elsewhere_and_alpha_is_kept(
    tiny_sd: Path, tmp_path: Path, text: bool
) -> None:
    adapter = adapter_for(tiny_sd, alpha=10.0, text=text)
    ours, theirs = tmp_path / "pytorch_lora_weights.safetensors", tmp_path / "kohya.safetensors"
    adapter_files.write(adapter, ours)
    adapter_files.write(adapter, theirs, "kohya")
    bare, one, other = outputs(tiny_sd, None), outputs(tiny_sd, ours), outputs(tiny_sd, theirs)
    assert (one - bare).abs().max() > 1e-2
    assert torch.allclose(one, other, atol=1e-5), (one - other).abs().max()
    weaker = {
        name: lora_layer(x.tensors["down"], x.tensors["up"], 4.0) for name, x in adapter.items()
    }
    adapter_files.write(weaker, tmp_path / "weaker" / ours.name)
    assert not torch.allclose(one, outputs(tiny_sd, tmp_path / "weaker" / ours.name), atol=1e-4)


@pytest.mark.parametrize("style", adapter_files.FORMATS)
def test_what_is_written_reads_back_the_same(tiny_sd: Path, tmp_path: Path, style: str) -> None:
    adapter = adapter_for(tiny_sd, alpha=7.0, text=style != "peft")
    file = tmp_path / "a.safetensors"
    adapter_files.write(adapter, file, style)
    again = adapter_formats.read(file)
    assert set(again) == set(adapter)
    for name, layer in adapter.items():
        assert again[name].alpha == 7.0
        assert torch.equal(again[name].tensors["down"], layer.tensors["down"])
        assert torch.equal(again[name].tensors["up"], layer.tensors["up"])


def test_both_of_diffusers_spellings_are_read(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    for number, (down, up) in enumerate([("lora_A", "lora_B"), ("lora.down", "lora.up")]):
        file = tmp_path / f"{number}.safetensors"
        tensors = {
            f"unet.mid_block.to_k.{down}.weight": torch.ones(2, 3),
            f"unet.mid_block.to_k.{up}.weight": torch.ones(5, 2),
        }
        save_file(tensors, file)
        assert adapter_formats.read(file)["unet.mid_block.to_k"].rank == 2


def test_kohya_names_and_header(tiny_sd: Path, tmp_path: Path) -> None:
    file = tmp_path / "ink.safetensors"
    adapter_files.write(adapter_for(tiny_sd, alpha=2.0, text=True), file, "kohya")
    with safe_open(str(file), framework="pt") as opened:
        keys, header = set(opened.keys()), opened.metadata()
        assert (
            float(opened.get_tensor("lora_te_text_model_encoder_layers_0_self_attn_q_proj.alpha"))
            == 2.0
        )
    assert (
        "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_out_0.lora_up.weight"
        in keys
    )
    assert (header["ss_network_dim"], header["ss_network_alpha"]) == ("4", "2")
    assert (header["ss_output_name"], header["ss_base_model_version"]) == ("ink", "sd_v1")
    data = file.read_bytes()
    tensors = data[8 + int.from_bytes(data[:8], "little") :]
    assert header["sshs_model_hash"] == hashlib.sha256(tensors).hexdigest()


def test_what_is_no_adapter_is_said(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"x": torch.ones(1)}, tmp_path / "x.safetensors")
    with warnings.catch_warnings(), pytest.raises(LorakitError, match="holds no adapter"):
        adapter_formats.read(tmp_path / "x.safetensors")
