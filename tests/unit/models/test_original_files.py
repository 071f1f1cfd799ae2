"""Flux.1 and Stable Diffusion 3 in one file, under their authors' names, held against diffusers' loaders."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch

from lorakit.facts.models.model_configs import ModelError
from lorakit.models.loading import load_pipeline
from tests.support.one_file import facts, picture, same, whole, without_weights
from tests.support.original_layouts import (
    PREFIX,
    autoencoder_tensors,
    flux_tensors,
    narrow,
    save_original,
    sd3_tensors,
    texts_tensors,
)

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["flux-dev", "flux-schnell", "flux-kontext", "sd3"])
@pytest.mark.parametrize("prefix", ["", PREFIX])
def test_a_transformer_alone_takes_the_rest_from_a_folder(
    kind: str,
    prefix: str,
    tiny_transformer: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tiny_transformer(kind)
    pipeline = whole(folder)
    tensors = (sd3_tensors if kind == "sd3" else flux_tensors)(pipeline.transformer)
    if kind != "sd3":
        narrow(monkeypatch, 16)
    file = save_original(tmp_path / "mine.safetensors", tensors, prefix)
    parts = without_weights(folder, tmp_path / "parts")
    found = facts(file, parts)
    assert found.family == kind.removesuffix("-dev").removesuffix("-schnell")
    assert found.parameters["transformer"] == pipeline.transformer.num_parameters()
    assert found.parameters["vae"] == pipeline.vae.num_parameters()
    assert dict(found.denoiser_shapes) == {
        name: tuple(p.shape) for name, p in pipeline.transformer.named_parameters()
    }
    ours = load_pipeline(file, found.family, "fp32", "cpu", parts=str(parts))
    same(ours.transformer, pipeline.transformer)
    same(ours.vae, pipeline.vae)
    same(ours.text_encoder_2, pipeline.text_encoder_2)
    if kind != "flux-kontext":
        # where weights lie in memory decides by which of a CPU's kernels they are multiplied, on some CPUs
        np.testing.assert_allclose(picture(ours), picture(pipeline), atol=1e-5)


@pytest.mark.parametrize("kind", ["flux-dev", "sd3"])
@pytest.mark.parametrize("vae", ["vae.", "first_stage_model."])
def test_a_whole_checkpoint_holds_its_autoencoder_and_text_encoders(
    kind: str,
    vae: str,
    tiny_transformer: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tiny_transformer(kind)
    pipeline = whole(folder)
    named = {"clip_l": "text_encoder", "t5xxl": "text_encoder_2"}
    if kind == "sd3":
        # which of two CLIPs of one width a tensor is of diffusers cannot tell: published ones differ
        named = {"clip_l": "text_encoder", "t5xxl": "text_encoder_3"}
    else:
        narrow(monkeypatch, 16)
    tensors = (sd3_tensors if kind == "sd3" else flux_tensors)(pipeline.transformer)
    file = save_original(
        tmp_path / "flux1-dev-comfy.safetensors",
        tensors,
        PREFIX,
        vae=autoencoder_tensors(pipeline.vae, vae),
        texts=texts_tensors(pipeline, named),
    )
    # words and configurations are all that is left to take
    parts = tmp_path / "parts"
    shutil.copytree(folder, parts)
    for part in ("transformer", "vae", *named.values()):
        for weights in (parts / part).glob("*.safetensors*"):
            weights.unlink()
    found = facts(file, parts)
    ours = load_pipeline(file, found.family, "fp32", "cpu", parts=str(parts))
    for part in ("transformer", "vae", *named.values()):
        if part == "text_encoder" and kind == "sd3":
            continue  # diffusers reads CLIP's projection as none there
        same(getattr(ours, part), getattr(pipeline, part))
    assert picture(ours).std() > 0


@pytest.mark.slow
def test_stable_diffusion_3_in_one_file_needs_nothing_beside(tmp_path: Path) -> None:
    """As sd3_medium_incl_clips.safetensors: configurations and CLIP's words ship."""
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection

    from tests.support.single_file import shipped

    torch.manual_seed(0)
    transformer = diffusers.SD3Transformer2DModel(
        sample_size=8,
        num_layers=2,
        attention_head_dim=64,
        num_attention_heads=1,
        joint_attention_dim=128,
        caption_projection_dim=64,
        pooled_projection_dim=192,
        out_channels=16,
        pos_embed_max_size=16,
    )

    def clip(part: str, width: int) -> Any:
        told = shipped("sd3", part)
        told |= {"hidden_size": width, "intermediate_size": 64, "num_hidden_layers": 2}
        told |= {"num_attention_heads": width // 64, "projection_dim": width}
        return CLIPTextModelWithProjection(CLIPTextConfig(**told))

    autoencoder = diffusers.AutoencoderKL.from_config(
        {**shipped("sd3", "vae"), "block_out_channels": (32,) * 4}
    )
    encoders = {
        "text_encoder": clip("text_encoder", 64),
        "text_encoder_2": clip("text_encoder_2", 128),
    }
    pipeline = diffusers.StableDiffusion3Pipeline(
        transformer, None, autoencoder, encoders["text_encoder"], None, encoders["text_encoder_2"],
        None, None, None,
    )  # fmt: skip
    file = save_original(
        tmp_path / "sd3_medium_incl_clips.safetensors",
        sd3_tensors(transformer),
        PREFIX,
        vae=autoencoder_tensors(autoencoder, "first_stage_model."),
        texts=texts_tensors(pipeline, {"clip_l": "text_encoder", "clip_g": "text_encoder_2"}),
    )
    found = facts(file)
    assert (found.family, found.guidance_scale, found.num_inference_steps) == ("sd3", 7.0, 28)
    assert found.native == (1024, 1024)
    assert any("drawn without text_encoder_3 (T5EncoderModel)" in told for told in found.remarks)
    ours = load_pipeline(file, "sd3", "fp32", "cpu")
    same(ours.transformer, transformer)
    same(ours.vae, autoencoder)
    same(ours.text_encoder_2, encoders["text_encoder_2"])
    assert ours.text_encoder_3 is None
    assert picture(ours).std() > 0
    assert ours.tokenizer_2.pad_token == "!"


KINDS = ["sd-v1", "sd-v2", "sdxl"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lost", ["text_encoder", "vae"])
def test_what_a_checkpoint_of_a_unet_lacks_is_taken_too(
    kind: str, lost: str, tmp_path: Path
) -> None:
    """As what is merged of UNets alone is passed on."""
    from safetensors.torch import load_file, save_file

    from lorakit import resources
    from tests.support.single_file import save_single, small

    pipeline = small(kind)
    file = save_single(tmp_path / "mine.safetensors", pipeline, kind)
    names = ("first_stage",) if lost == "vae" else ("cond_stage_model.", "conditioner.")
    save_file({k: v for k, v in load_file(file).items() if not k.startswith(names)}, file)
    with pytest.raises(ModelError, match=f"lacks {lost}") as raised:
        facts(file)
    assert "hf download" in " ".join(raised.value.hints)
    parts = tmp_path / "parts"
    shutil.copytree(resources.path("data") / "base-models" / kind, parts)
    for part in ("vae", "text_encoder", "text_encoder_2"):
        if getattr(pipeline, part, None) is not None:
            getattr(pipeline, part).save_pretrained(parts / part)
    merges = resources.path("data") / "clip" / "merges.txt"
    from lorakit.facts.models.tokens import clip_vocabulary, read_merges

    for words in parts.glob("tokenizer*"):
        shutil.copy(merges, words / "merges.txt")
        (words / "vocab.json").write_text(json.dumps(clip_vocabulary(read_merges(merges))))
    found = facts(file, parts)
    assert found.family == ("sdxl" if kind == "sdxl" else "sd")
    assert found.parameters["vae"] == pipeline.vae.num_parameters()
    ours = load_pipeline(file, found.family, "fp32", "cpu", parts=str(parts))
    same(ours.unet, pipeline.unet)
    same(ours.vae, pipeline.vae)
    same(ours.text_encoder, pipeline.text_encoder)
    if kind == "sdxl":
        same(ours.text_encoder_2, pipeline.text_encoder_2)
    assert ours.tokenizer("a fox").input_ids[0] == 49406


def test_what_a_file_lacks_is_told_with_the_way_to_have_it(
    tiny_transformer: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = tiny_transformer("flux-dev")
    tensors = flux_tensors(whole(folder).transformer)
    file = save_original(tmp_path / "flux1-dev.safetensors", tensors)
    with pytest.raises(ModelError, match="lacks vae, text_encoder, text_encoder_2") as raised:
        facts(file)
    told = "; ".join(raised.value.hints)
    assert "under parts:" in told
    assert 'hf download black-forest-labs/FLUX.1-dev --exclude "transformer/*.safetensors"' in told
    with pytest.raises(ModelError, match=r"has no model_index\.json"):
        facts(file, tmp_path)
    parts = without_weights(folder, tmp_path / "parts")
    shutil.rmtree(parts / "vae")
    with pytest.raises(ModelError, match=r"lacks vae, and so does .*parts"):
        facts(file, parts)
    with pytest.raises(ModelError, match=r"text_encoder of .* is a CLIPText"):
        facts(file, tiny_transformer("sd3"))
    scaled = save_original(
        tmp_path / "scaled.safetensors", {**tensors, "scaled_fp8": torch.zeros(2)}
    )
    with pytest.raises(ModelError, match="quantised in a way that diffusers does not read"):
        facts(scaled, folder)
    del tensors["single_blocks.0.linear2.bias"]
    less = save_original(tmp_path / "less.safetensors", tensors)
    with pytest.raises(ModelError, match=r"is of another build than Flux\.1"):
        facts(less, folder)


def test_numbers_in_eight_bits_are_read_as_diffusers_does(
    tiny_transformer: Callable[[str], Path], tmp_path: Path
) -> None:
    """As ComfyUI's sd3_medium_incl_clips_t5xxlfp8.safetensors: fp8 without scales."""
    folder = tiny_transformer("sd3")
    pipeline = whole(folder)
    tensors = {n: t.to(torch.float8_e4m3fn) for n, t in sd3_tensors(pipeline.transformer).items()}
    file = save_original(tmp_path / "fp8.safetensors", tensors, PREFIX)
    ours = load_pipeline(file, facts(file, folder).family, "bf16", "cpu", parts=str(folder))
    wanted = pipeline.transformer.proj_out.weight.to(torch.float8_e4m3fn).to(torch.bfloat16)
    assert torch.equal(ours.transformer.proj_out.weight, wanted)
