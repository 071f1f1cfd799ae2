"""Keys as the world's adapters have them: each in its layer, or refused by its name."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from lorakit.facts.adapters import AdapterError, existing_file
from lorakit.facts.adapters.adapter_facts import adapter_facts
from lorakit.facts.adapters.fit import misfits, other_base, sizes_of
from lorakit.facts.adapters.flat_names import dotted, flat
from lorakit.facts.adapters.layout import AdapterLayout, read_layout
from lorakit.facts.adapters.places import spot_of
from lorakit.facts.adapters.roles import split
from lorakit.facts.adapters.values import number
from lorakit.facts.files.digests import Digests, Unread
from lorakit.facts.files.weights_header import weights_header
from lorakit.facts.networks.unet_shapes import shapes_of
from lorakit.families import PUBLISHED

K = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_k"
Q = "text_model.encoder.layers.11.self_attn.q_proj"
KNOWN = {
    # sd-scripts, on SD 1.5 and SDXL; LCM-LoRA
    "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_k.lora_down.weight": ("unet", K, "down"),
    "lora_unet_down_blocks_0_downsamplers_0_conv.alpha": ("unet", "down_blocks.0.downsamplers.0.conv", "alpha"),
    "lora_unet_mid_block_resnets_1_time_emb_proj.lora_up.weight": ("unet", "mid_block.resnets.1.time_emb_proj", "up"),
    "lora_unet_up_blocks_3_resnets_2_conv_shortcut.lora_mid.weight": ("unet", "up_blocks.3.resnets.2.conv_shortcut", "mid"),
    "lora_unet_up_blocks_1_attentions_2_transformer_blocks_0_ff_net_0_proj.dora_scale": ("unet", "up_blocks.1.attentions.2.transformer_blocks.0.ff.net.0.proj", "dora_scale"),
    "lora_unet_up_blocks_1_attentions_2_transformer_blocks_0_ff_net_2.lora_up.weight": ("unet", "up_blocks.1.attentions.2.transformer_blocks.0.ff.net.2", "up"),
    "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_out_0.hada_w1_a": ("unet", "mid_block.attentions.0.transformer_blocks.0.attn2.to_out.0", "hada_w1_a"),
    "lora_te_text_model_encoder_layers_11_self_attn_q_proj.lokr_w2_b": ("text_encoder", Q, "lokr_w2_b"),
    "lora_te1_text_model_encoder_layers_11_self_attn_q_proj.alpha": ("text_encoder", Q, "alpha"),
    "lora_te2_text_model_encoder_layers_11_self_attn_q_proj.hada_t2": ("text_encoder_2", Q, "hada_t2"),
    "lora_te2_text_projection.diff": ("text_encoder_2", "text_projection", "diff"),
    "lora_te_text_model_final_layer_norm.w_norm": ("text_encoder", "text_model.final_layer_norm", "w_norm"),
    # SDXL by Stability's own names
    "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_k.lora_down.weight": ("unet", K, "down"),
    "lora_unet_input_blocks_3_0_op.lora_up.weight": ("unet", "down_blocks.0.downsamplers.0.conv", "up"),
    "lora_unet_input_blocks_1_0_in_layers_2.diff_b": ("unet", "down_blocks.0.resnets.0.conv1", "diff_b"),
    "lora_unet_input_blocks_4_0_skip_connection.lora_up.weight": ("unet", "down_blocks.1.resnets.0.conv_shortcut", "up"),
    "lora_unet_middle_block_1_transformer_blocks_9_ff_net_0_proj.alpha": ("unet", "mid_block.attentions.0.transformer_blocks.9.ff.net.0.proj", "alpha"),
    "lora_unet_middle_block_2_emb_layers_1.alpha": ("unet", "mid_block.resnets.1.time_emb_proj", "alpha"),
    "lora_unet_output_blocks_2_2_conv.lora_up.weight": ("unet", "up_blocks.0.upsamplers.0.conv", "up"),
    "lora_unet_output_blocks_8_0_out_layers_3.lora_up.weight": ("unet", "up_blocks.2.resnets.2.conv2", "up"),
    "lora_unet_input_blocks_0_0.lora_up.weight": ("unet", "conv_in", "up"),
    "lora_unet_out_2.lora_up.weight": ("unet", "conv_out", "up"),
    "lora_unet_time_embed_0.lora_up.weight": ("unet", "time_embedding.linear_1", "up"),
    "lora_unet_label_emb_0_2.lora_up.weight": ("unet", "add_embedding.linear_2", "up"),
    # diffusers, of every age
    f"unet.{K}.lora_A.weight": ("unet", K, "down"),
    f"unet.{K}.lora.up.weight": ("unet", K, "up"),
    f"unet.{K}.lora_up.weight": ("unet", K, "up"),
    f"unet.{K}.alpha": ("unet", K, "alpha"),
    f"unet.{K}.lora_magnitude_vector": ("unet", K, "magnitude"),
    "unet.mid_block.attentions.0.transformer_blocks.0.attn1.processor.to_out_lora.up.weight": ("unet", "mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0", "up"),
    "mid_block.attentions.0.transformer_blocks.0.attn1.processor.to_q_lora.down.weight": ("unet", "mid_block.attentions.0.transformer_blocks.0.attn1.to_q", "down"),
    f"text_encoder.{Q}.lora_linear_layer.down.weight": ("text_encoder", Q, "down"),
    "text_encoder.text_model.encoder.layers.11.self_attn.to_q_lora.down.weight": ("text_encoder", Q, "down"),
    f"text_encoder_2.{Q}.lora_B.weight": ("text_encoder_2", Q, "up"),
    "text_encoder.encoder.layers.11.self_attn.q_proj.lora_B.weight": ("text_encoder", Q, "up"),
    # PEFT
    f"base_model.model.{K}.lora_A.weight": ("unet", K, "down"),
    f"base_model.model.{K}.lora_magnitude_vector.weight": ("unet", K, "magnitude"),
    f"base_model.model.{K}.lora_B.bias": ("unet", K, "up_bias"),
    "base_model.model.text_model.embeddings.token_embedding.lora_embedding_A": ("text_encoder", "text_model.embeddings.token_embedding", "embedding_down"),
    # PEFT's own state, before it is saved
    f"base_model.model.{K}.lora_A.default.weight": ("unet", K, "down"),
    f"base_model.model.{K}.lora_B.my_style.bias": ("unet", K, "up_bias"),
    f"base_model.model.{K}.lora_magnitude_vector.default.weight": ("unet", K, "magnitude"),
    f"base_model.model.{K}.hada_w1_a.default": ("unet", K, "hada_w1_a"),
    f"base_model.model.{K}.lokr_w2.default": ("unet", K, "lokr_w2"),
    f"{K}.lora_B.default_0.weight": ("unet", K, "up"),
    # ComfyUI
    "diffusion_model.input_blocks.4.1.transformer_blocks.0.attn1.to_k.lora_up.weight": ("unet", K, "up"),
    f"text_encoders.clip_g.transformer.{Q}.diff": ("text_encoder_2", Q, "diff"),
}  # fmt: skip


@pytest.mark.parametrize("key", KNOWN)
def test_keys_as_tools_write_them_are_known(key: str) -> None:
    network, path, role = KNOWN[key]
    name, found = split(key) or ("", "")
    spot = spot_of(name)
    assert spot is not None
    assert (spot.network, spot.path, found) == (network, path, role)


def test_every_layer_of_the_published_models_comes_back_from_its_flat_name() -> None:
    for told in PUBLISHED.values():
        config = told.configs.get("unet", {})
        for name in shapes_of(config):
            assert dotted(flat(name.rpartition(".")[0])) == name.rpartition(".")[0]


def pair(stem: str, rank: int = 2, into: int = 8, out: int = 6, **more: torch.Tensor) -> dict[str, torch.Tensor]:  # fmt: skip
    found = {
        f"{stem}.lora_down.weight": torch.ones(rank, into),
        f"{stem}.lora_up.weight": torch.ones(out, rank),
    }
    return found | {f"{stem}.{name}": value for name, value in more.items()}


FLAT = "lora_unet_mid_block_attentions_0_proj_in"
REFUSED: dict[str, tuple[dict[str, torch.Tensor], str]] = {
    "IA3": ({f"{FLAT}.weight": torch.ones(6), f"{FLAT}.on_input": torch.tensor(True)}, "holds IA3.*on_input"),
    "PEFT's IA3": ({"base_model.model.mid_block.to_k.ia3_l": torch.ones(6, 1)}, "holds IA3"),
    "OFT": ({f"{FLAT}.oft_blocks": torch.ones(2, 3, 3)}, "holds OFT"),
    "GLoRA": ({f"{FLAT}.{n}.weight": torch.ones(2, 2) for n in ("a1", "a2", "b1", "b2")}, "holds GLoRA"),
    "fp8 scales": (pair(FLAT, scale_weight=torch.tensor(0.5)), r"scale_weight.*proj_in\.scale_weight"),
    "sparse biases": (pair(FLAT, bias_indices=torch.ones(2)), "sparse biases"),
    "an embedding inside": (pair(FLAT) | {"bundle_emb.fox.string_to_param.*": torch.ones(1, 8)}, "textual inversion.*bundle_emb"),
    "something beside": (pair(FLAT) | {"logit_scale": torch.ones(1)}, "not known what they do: logit_scale"),
    "another end": (pair(FLAT, lora_sideways=torch.ones(1)), r"not known what they do: .*proj_in\.lora_sideways"),
    "SD 3": (pair("lora_unet_joint_blocks_0_x_block_attn_proj"), "is an adapter of Stable Diffusion 3"),
    "SD3": (pair("lora_unet_joint_blocks_0_x_block_attn_proj"), "is an adapter of Stable Diffusion 3"),
    "T5": (pair(FLAT) | pair("lora_te3_encoder_block_0_layer_0_SelfAttention_k"), "adapter of Stable Diffusion 3 or Flux"),
    "no second matrix": ({f"{FLAT}.lora_down.weight": torch.ones(2, 8)}, r"not all that a layer is made of, or too much: .*lora_down\.weight"),
    "an alpha alone": (pair(FLAT) | {"lora_unet_conv_in.alpha": torch.tensor(1.0)}, "not all that a layer is made of, or too much: lora_unet_conv_in.alpha"),
    "half a Tucker": ({f"{FLAT}.hada_{n}": torch.ones(2, 2) for n in ("w1_a", "w1_b", "w2_a", "w2_b", "t1")}, "not all that a layer is made of"),
    "both of a LoKr's spellings": ({f"{FLAT}.lokr_{n}": torch.ones(2, 2) for n in ("w1", "w1_a", "w1_b", "w2")}, "or too much"),
    "ranks that differ": (pair(FLAT) | {f"{FLAT}.lora_up.weight": torch.ones(6, 3)}, "shapes that cannot be multiplied"),
    "a scalar for a matrix": (pair(FLAT) | {f"{FLAT}.lora_up.weight": torch.tensor(1.0)}, "shapes that cannot be multiplied"),
    "a rank of 0": (pair(FLAT, rank=0), "shapes that cannot be multiplied"),
    "integers": (pair(FLAT) | {f"{FLAT}.lora_up.weight": torch.ones(6, 2, dtype=torch.int8)}, r"I8 is no type.*lora_up\.weight"),
    "an alpha of two": (pair(FLAT, alpha=torch.ones(2)), r"an alpha is one number.*proj_in\.alpha"),
    "an alpha of 0": (pair(FLAT, alpha=torch.tensor(0.0)), r"an alpha is one number.*proj_in\.alpha"),
    "an alpha of nothing": (pair(FLAT, alpha=torch.tensor(math.nan)), r"an alpha is one number.*proj_in\.alpha"),
    "two formats": (pair(FLAT) | {f"unet.{K}.lora_{m}.weight": torch.ones(2, 2) for m in "AB"}, "mixes the names of diffusers and kohya"),
    "one layer twice": (pair("lora_unet_input_blocks_4_1_proj_in") | pair("lora_unet_down_blocks_1_attentions_0_proj_in"), "two tensors for one part"),
    "one matrix twice": ({f"unet.{K}.{n}.weight": torch.ones(2, 2) for n in ("lora_A", "lora_B", "lora.down")}, "two tensors for one part"),
    "nothing": ({}, "has no tensors"),
    "a whole model": ({"mid_block.resnets.0.conv1.weight": torch.ones(2, 2)}, "none of its tensors is of a LoRA"),
    "a text classifier": ({f"base_model.model.bert.encoder.layer.0.query.lora_{m}.weight": torch.ones(2, 2) for m in "AB"}, "adapter of bert.encoder.layer.0.query, which is no layer of a UNet"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_applied_exactly_is_refused_by_name(tmp_path: Path, what: str) -> None:
    tensors, says = REFUSED[what]
    save_file(tensors, tmp_path / "ink.safetensors")
    with pytest.raises(AdapterError, match=says) as found:
        read_layout(tmp_path / "ink.safetensors")
    assert "ink.safetensors" in str(found.value)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    tensors = pair(FLAT, alpha=torch.zeros(1)) | pair("lora_unet_conv_in", rank=0)
    save_file(tensors, tmp_path / "ink.safetensors")
    with pytest.raises(AdapterError) as found:
        read_layout(tmp_path / "ink.safetensors")
    assert len(found.value.problems) == 2


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64", "float8_e4m3fn", "float8_e5m2", "int64", "int32", "uint8"])  # fmt: skip
@pytest.mark.parametrize("value", [1.0, 4.0, 0.4375, 12.0, 0.0, 0.015625])
def test_an_alpha_of_any_kind_is_read_exactly(tmp_path: Path, dtype: str, value: float) -> None:
    tensor = torch.tensor(value).to(getattr(torch, dtype))
    save_file({"a": tensor, "b": tensor.reshape(1).clone()}, tmp_path / "x.safetensors")
    header = weights_header(tmp_path / "x.safetensors")
    for name in ("a", "b"):
        assert number(tmp_path / "x.safetensors", header.tensors[name]) == float(tensor.float())


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        *((d, v) for d in ("float32", "float16", "bfloat16", "float64", "float8_e5m2") for v in (math.nan, math.inf, -math.inf)),
        ("float8_e4m3fn", math.nan),  # which has no infinity
    ],
)  # fmt: skip
def test_values_that_are_not_finite_are_refused_by_their_tensors(tmp_path: Path, dtype: str, value: float) -> None:  # fmt: skip
    tensors = {name: value.to(getattr(torch, dtype)) for name, value in pair(FLAT).items()}
    save_file(tensors, tmp_path / "ink.safetensors")
    adapter_facts(tmp_path / "ink.safetensors", Digests(None))
    up = torch.ones(6, 2)
    up[5, 1] = value
    tensors[f"{FLAT}.lora_up.weight"] = up.to(getattr(torch, dtype))
    save_file(tensors, tmp_path / "ink.safetensors")
    with pytest.raises(AdapterError, match=r"not finite: .*proj_in\.lora_up\.weight$"):
        adapter_facts(tmp_path / "ink.safetensors", Digests(None))
    adapter_facts(tmp_path / "ink.safetensors", Unread())  # `validate` reads no weights


def peft(
    folder: Path, settings: Any, tensors: dict[str, torch.Tensor] | None = None
) -> AdapterLayout:
    default = {f"base_model.model.{K}.lora_A.weight": torch.ones(2, 8), f"base_model.model.{K}.lora_B.weight": torch.ones(6, 2)}  # fmt: skip
    save_file(default if tensors is None else tensors, folder / "adapter_model.safetensors")
    text = settings if isinstance(settings, str) else json.dumps(settings)
    (folder / "adapter_config.json").write_text(text)
    return read_layout(folder / "adapter_model.safetensors")


GOOD = {"peft_type": "LORA", "r": 2, "lora_alpha": 5, "bias": "none", "target_modules": ["to_k"]}
SETTINGS: dict[str, tuple[Any, str]] = {
    "bias": ({**GOOD, "bias": "all"}, 'bias: "all"'),
    "modules_to_save": ({**GOOD, "modules_to_save": ["conv_out"]}, r"modules_to_save: \[.conv_out.\]"),
    "another type": ({**GOOD, "peft_type": "IA3"}, "is of IA3"),
    "pissa": ({**GOOD, "init_lora_weights": "pissa"}, "init_lora_weights"),
    "replication": ({**GOOD, "layer_replication": [[0, 4]]}, "layer_replication"),
    "tokens": ({**GOOD, "trainable_token_indices": [3]}, "trainable_token_indices"),
    "a list": ([GOOD], "says of its settings"),
    "no JSON": ("{", "no JSON"),
    "deep JSON": ("[" * 100_000, "no JSON"),
    "a text for a rank": ({**GOOD, "r": "2"}, "says of r"),
    "no rank": ({**GOOD, "r": None}, "says of r"),
    "a list of alphas": ({**GOOD, "alpha_pattern": [1]}, "says of alpha_pattern"),
    "a text for an alpha": ({**GOOD, "alpha_pattern": {"to_k": "1"}}, "says of alpha_pattern.to_k"),
    "another rank": ({**GOOD, "r": 4}, "its settings say rank 4, and this is of rank 2"),
    "a rank by name": ({**GOOD, "rank_pattern": {"to_k": 3}}, "its settings say rank 3, and this is of rank 2"),
    "a DoRA without": ({**GOOD, "use_dora": True}, "say DoRA, and there is no magnitude"),
    "an expression with no end": ({**GOOD, "alpha_pattern": {"(to_k" + "a" * 2000 + ")": 1}}, "alpha_pattern that is not read"),
    "an expression that is none": ({**GOOD, "alpha_pattern": {"(to_k": 1}}, "alpha_pattern that is not read"),
}  # fmt: skip


@pytest.mark.parametrize("what", SETTINGS)
def test_peft_s_settings_are_followed_or_refused(tmp_path: Path, what: str) -> None:
    settings, says = SETTINGS[what]
    with pytest.raises(AdapterError, match=says) as found:
        peft(tmp_path, settings)
    assert "adapter_" in str(found.value)


def test_peft_s_tensors_beside_its_matrices_are_refused_by_name(tmp_path: Path) -> None:
    for name in (f"{K}.bias", f"{K}.base_layer.bias", "conv_out.weight"):
        tensors = {f"base_model.model.{K}.lora_A.weight": torch.ones(2, 8), f"base_model.model.{K}.lora_B.weight": torch.ones(6, 2), f"base_model.model.{name}": torch.ones(6)}  # fmt: skip
        with pytest.raises(AdapterError, match=name):
            peft(tmp_path, GOOD, tensors)


@pytest.mark.parametrize(
    ("more", "alpha"),
    [
        ({}, 5),
        ({"alpha_pattern": {"to_k": 3}}, 3),
        ({"alpha_pattern": {"attn1.to_k": 3, "to_k": 4}}, 3),
        ({"alpha_pattern": {"to_q": 3}}, 5),
        ({"alpha_pattern": {r".*attn1\.to_(k|v)": 3}}, 3),
        ({"alpha_pattern": {f"^{K}": 3}}, 3),
        ({"alpha_pattern": {"^to_k": 3}}, 5),
        ({"alpha_pattern": {r"down_blocks\.\d\..*": 7}}, 7),
        ({"alpha_pattern": {r"(([a-z_0-9.]+)+)+x": 3}}, 5),
        ({"alpha_pattern": {".*.*.*.*.*.*.*.*x": 3}}, 5),
        ({"use_rslora": True}, 5 * math.sqrt(2)),
        ({"target_modules": r".*to_k", "layers_to_transform": [0], "fan_in_fan_out": True, "init_lora_weights": "gaussian"}, 5),
        ({"peft_version": "0.99", "a_new_word": {"x": 1}}, 5),
    ],
)  # fmt: skip
def test_peft_s_words_for_alpha_are_read_as_peft_reads_them(tmp_path: Path, more: dict[str, Any], alpha: float) -> None:  # fmt: skip
    (layer,) = peft(tmp_path, {**GOOD, **more}).layers
    assert (layer.alpha, layer.rank) == (alpha, 2)


def test_an_alpha_for_each_of_a_thousand_layers_is_looked_up_and_not_tried(tmp_path: Path) -> None:
    """As our own exports have them; of true expressions, which are tried on each layer, there are few."""
    names = [f"down_blocks.{n}.attentions.0.transformer_blocks.{m}.attn1.to_k" for n in range(40) for m in range(40)]  # fmt: skip
    tensors = {}
    for name in names:
        tensors |= {f"base_model.model.{name}.lora_A.weight": torch.ones(2, 1), f"base_model.model.{name}.lora_B.weight": torch.ones(1, 2)}  # fmt: skip
    alphas = {name: number / 8 + 1 for number, name in enumerate(names)}
    layout = peft(tmp_path, {**GOOD, "alpha_pattern": alphas}, tensors)
    assert {layer.name: layer.alpha for layer in layout.layers} == alphas
    with pytest.raises(AdapterError, match="more than 64"):
        peft(tmp_path, {**GOOD, "alpha_pattern": {f"{name}$": 1 for name in names}}, tensors)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_stability_s_names_are_placed_by_the_file_as_a_whole(tmp_path: Path, layers: int) -> None:
    inner = "transformer_blocks.0.attn1.to_k".replace(".", "_")
    names = [f"lora_unet_input_blocks_{layers + 2 + n}_1_{inner}" for n in range(layers)]
    names.append(f"lora_unet_input_blocks_{layers + 1}_0_op")
    save_file({k: v for name in names for k, v in pair(name).items()}, tmp_path / "ink.safetensors")
    found = {layer.name for layer in read_layout(tmp_path / "ink.safetensors").layers}
    own = "down_blocks.1.attentions.{}.transformer_blocks.0.attn1.to_k"
    assert found == {*(own.format(n) for n in range(layers)), "down_blocks.0.downsamplers.0.conv"}


def sizes_like(repository: str) -> dict[Any, Any]:
    return {
        "unet": sizes_of("unet", shapes_of(PUBLISHED[repository].configs["unet"])),
        "text_encoder_2": {},
    }


@pytest.mark.parametrize(
    ("stem", "into", "out", "family"),
    [
        ("lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k", 2048, 1280, "SDXL"),
        ("lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k", 1024, 1280, "Stable Diffusion 2.x"),
        ("lora_unet_input_blocks_7_1_transformer_blocks_7_attn2_to_v", 2048, 1280, "SDXL"),
        ("lora_te2_text_model_encoder_layers_31_mlp_fc1", 1280, 5120, "SDXL"),
    ],
)  # fmt: skip
def test_another_family_s_adapter_is_told_from_the_header(
    tmp_path: Path, stem: str, into: int, out: int, family: str
) -> None:
    save_file(pair(stem, 4, into, out), tmp_path / "ink.safetensors")
    layout = read_layout(tmp_path / "ink.safetensors")
    unet = PUBLISHED["CompVis/stable-diffusion-v1-4"].configs["unet"]
    (told,) = misfits(layout, sizes_like("CompVis/stable-diffusion-v1-4"), unet)
    assert f"an adapter of {family}" in told
    assert stem in told


@pytest.mark.parametrize(
    ("base", "repository", "other"),
    [
        ("sd_v1", "CompVis/stable-diffusion-v1-4", False),
        ("sd_v2_v", "CompVis/stable-diffusion-v1-4", True),
        ("sd_v1", "stabilityai/stable-diffusion-2-1", True),
        ("sdxl_base_v1-0", "stabilityai/stable-diffusion-xl-base-1.0", False),
        ("", "CompVis/stable-diffusion-v1-4", False),
        ("something new", "CompVis/stable-diffusion-v1-4", False),
    ],
)
def test_an_adapter_that_fits_and_says_another_base_is_told_of(
    tmp_path: Path, base: str, repository: str, other: bool
) -> None:
    metadata = {"ss_base_model_version": base} if base else None
    save_file(pair(FLAT), tmp_path / "ink.safetensors", metadata)
    layout = read_layout(tmp_path / "ink.safetensors")
    assert other_base(layout, PUBLISHED[repository].configs["unet"]) == (base if other else "")


def test_a_file_cut_short_or_padded_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "ink.safetensors"
    save_file(pair(FLAT), file)
    whole = file.read_bytes()
    for damaged in (
        whole[:-1],
        whole + b"\0",
        whole[:30],
        b"",
        struct.pack("<Q", 2**40) + whole[8:],
    ):
        file.write_bytes(damaged)
        with pytest.raises(AdapterError, match=r"ink\.safetensors is"):
            read_layout(file)


def _peft_model(kind: str) -> Any:
    import peft

    root = torch.nn.ModuleDict({"mid_block": torch.nn.ModuleDict({"to_q": torch.nn.Linear(8, 8)})})
    config: Any = {
        "lora": peft.LoraConfig(r=2, lora_alpha=3, target_modules=["to_q"]),
        "dora": peft.LoraConfig(r=2, lora_alpha=3, target_modules=["to_q"], use_dora=True),
        "loha": peft.LoHaConfig(r=2, alpha=3, target_modules=["to_q"]),
        "lokr": peft.LoKrConfig(r=2, alpha=3, target_modules=["to_q"]),
    }[kind]
    return peft.get_peft_model(root, config)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["lora", "dora", "loha", "lokr"])
def test_a_raw_state_of_peft_is_what_it_saves(tmp_path: Path, kind: str) -> None:
    """`lora_A.default.weight` was refused: torch.save and accelerate keep an adapter's name in its keys."""
    model = _peft_model(kind)
    model.save_pretrained(tmp_path / "saved")
    raw = {key: value for key, value in model.state_dict().items() if "base_layer" not in key}
    (tmp_path / "raw").mkdir()
    save_file(raw, tmp_path / "raw" / "adapter_model.safetensors")
    settings = (tmp_path / "saved" / "adapter_config.json").read_text()
    (tmp_path / "raw" / "adapter_config.json").write_text(settings)
    saved, found = (
        read_layout(tmp_path / name / "adapter_model.safetensors") for name in ("saved", "raw")
    )
    assert "default" in next(iter(found.header.tensors))
    assert [
        (x.network, x.name, x.method, x.alpha, x.rank, set(x.tensors)) for x in found.layers
    ] == [(x.network, x.name, x.method, x.alpha, x.rank, set(x.tensors)) for x in saved.layers]


def _part(folder: Path, layer: str) -> None:
    folder.mkdir(parents=True)
    tensors = {f"base_model.model.{layer}.lora_{one}.weight": torch.ones(2, 2) for one in "AB"}
    save_file(tensors, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text('{"peft_type": "LORA", "r": 2, "lora_alpha": 2}')


def test_folders_of_peft_s_scripts_are_read_part_by_part(tmp_path: Path) -> None:
    """`unet/` and `text_encoder/` with an adapter each, as PEFT's DreamBooth example leaves them."""
    _part(tmp_path / "unet", K)
    assert [layer.network for layer in read_layout(existing_file(tmp_path)).layers] == ["unet"]
    _part(tmp_path / "text_encoder", Q)
    _part(tmp_path / "text_encoder_2", Q)
    whole = read_layout(existing_file(tmp_path))
    parts = ["unet", "text_encoder", "text_encoder_2"]
    assert [layer.network for layer in whole.layers] == parts
    assert whole.files == sorted(tmp_path / part / "adapter_model.safetensors" for part in parts)
    for part in ("unet", "text_encoder", "text_encoder_2"):
        (layer,) = read_layout(existing_file(tmp_path / part)).layers
        assert layer.network == part
