"""Weights with adapters in them: worked out by hand, and as PEFT, diffusers and LyCORIS have them."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from lorakit.diagnostics import LorakitError
from lorakit.facts.adapters.layers import NETWORKS
from lorakit.models.loading import load_pipeline
from lorakit.models.wearing import wear
from tests.support.adapters import METHODS, by_hand, make

pytestmark = pytest.mark.filterwarnings("ignore")

# of each network: a layer of every sort, by its path in the pipeline and by kohya's name
ATTENTION = "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k"
LAYERS = {
    "linear": ("unet", ATTENTION, f"lora_unet_{ATTENTION.replace('.', '_')}"),
    "conv1x1": ("unet", "mid_block.attentions.0.proj_in", "lora_unet_mid_block_attentions_0_proj_in"),
    "conv3x3": ("unet", "up_blocks.1.resnets.0.conv1", "lora_unet_up_blocks_1_resnets_0_conv1"),
    "text": (
        "text_encoder",
        "text_model.encoder.layers.1.self_attn.q_proj",
        "lora_te_text_model_encoder_layers_1_self_attn_q_proj",
    ),
}  # fmt: skip


def module_of(pipeline: Any, network: str, path: str) -> Any:
    part = getattr(pipeline, network)
    if not hasattr(part, "text_model"):
        path = path.removeprefix("text_model.")
    return part.get_submodule(path)


def weight_of(pipeline: Any, network: str, path: str) -> np.ndarray:
    return module_of(pipeline, network, path).weight.detach().float().numpy().astype(np.float64)


@cache
def bare_pipeline(model: Path, precision: str, family: str) -> Any:
    return load_pipeline(model, family, precision, "cpu")


def loaded(
    model: Path, *adapters: tuple[Path, float], precision: str = "fp32", family: str = "sd"
) -> Any:
    """The networks of a pipeline that wears adapters; loading one anew each time would take minutes."""
    bare = bare_pipeline(model, precision, family)
    pipeline = SimpleNamespace(
        **{name: copy.deepcopy(getattr(bare, name, None)) for name in NETWORKS}
    )
    wear(pipeline, adapters)
    return pipeline


def torched(
    stem: str, arrays: dict[str, np.ndarray], alpha: float | None
) -> dict[str, torch.Tensor]:
    found = {f"{stem}.{name}": torch.from_numpy(value) for name, value in arrays.items()}
    return found if alpha is None else {**found, f"{stem}.alpha": torch.tensor(alpha)}


@pytest.mark.parametrize(
    ("where", "method"),
    # Tucker's form is of convolutions
    [(w, m) for w in LAYERS for m in METHODS if "tucker" not in m or w.startswith("conv")],
)
def test_each_delta_is_what_is_worked_out_by_hand(
    tiny_sd: Path, tmp_path: Path, where: str, method: str
) -> None:
    network, path, stem = LAYERS[where]
    bare = loaded(tiny_sd)
    before = weight_of(bare, network, path)
    arrays = make(method, before.shape, np.random.default_rng(1))
    if method == "diff" and module_of(bare, network, path).bias is None:
        arrays.pop("diff_b")
    file = tmp_path / "ink.safetensors"
    alpha = None if method == "diff" else 1.75
    save_file(torched(stem, arrays, alpha), file)
    after = loaded(tiny_sd, (file, 0.8))
    delta = by_hand(arrays, before.shape, alpha)
    assert np.abs(delta).max() > 1e-3
    np.testing.assert_allclose(weight_of(after, network, path), before + 0.8 * delta, atol=2e-6)
    if "diff_b" in arrays:
        bias = module_of(bare, network, path).bias.detach().numpy() + 0.8 * arrays["diff_b"]
        np.testing.assert_allclose(module_of(after, network, path).bias.detach().numpy(), bias, atol=1e-6)  # fmt: skip
    # and nothing else of the network is touched
    for name, weight in getattr(after, network).state_dict().items():
        if not name.startswith(path.removeprefix("text_model.")):
            assert torch.equal(weight, getattr(bare, network).state_dict()[name]), name


def test_complaint_kohya_files_whose_alphas_differ_by_layer_are_worn_layer_by_layer(
    tiny_sd: Path, tmp_path: Path
) -> None:
    """Half of the layers with an alpha of their own, some of another rank, the text encoder too."""
    bare, rng = loaded(tiny_sd), np.random.default_rng(2)
    tensors: dict[str, torch.Tensor] = {}
    expected = {}
    for network, first in (("unet", "lora_unet"), ("text_encoder", "lora_te")):
        for number, (name, module) in enumerate(getattr(bare, network).named_modules()):
            if not name.endswith(
                ("to_q", "to_k", "to_v", "to_out.0", "q_proj", "v_proj", "fc1", "conv1")
            ):
                continue
            path = (
                name if network == "unet" or name.startswith("text_model") else f"text_model.{name}"
            )
            rank = 2 + number % 3
            arrays = make("lora", tuple(module.weight.shape), rng, rank)
            alpha = [None, 1.0, 0.3, 12.0][number % 4]
            tensors |= torched(f"{first}_{path.replace('.', '_')}", arrays, alpha)
            delta = by_hand(arrays, tuple(module.weight.shape), alpha, rank)
            expected[network, path] = weight_of(bare, network, path) + delta
    file = tmp_path / "ink.safetensors"
    save_file(tensors, file)
    after = loaded(tiny_sd, (file, 1.0))
    assert len(expected) > 20
    for (network, path), weight in expected.items():
        np.testing.assert_allclose(weight_of(after, network, path), weight, atol=2e-6, err_msg=path)


@pytest.mark.parametrize("method", ["lora", "loha", "lokr"])
@pytest.mark.parametrize("of", ["outputs", "inputs"])
@pytest.mark.parametrize("where", LAYERS)
def test_lycoris_dora_is_worked_out_by_hand(
    tiny_sd: Path, tmp_path: Path, where: str, of: str, method: str
) -> None:
    network, path, stem = LAYERS[where]
    before, rng = weight_of(loaded(tiny_sd), network, path), np.random.default_rng(3)
    arrays = make(method, before.shape, rng)
    kept = 0 if of == "outputs" else 1
    shape = [size if axis == kept else 1 for axis, size in enumerate(before.shape)]
    arrays["dora_scale"] = rng.uniform(0.5, 2.0, shape).astype(np.float32)
    file = tmp_path / "ink.safetensors"
    save_file(torched(stem, arrays, 2.0), file)
    whole = before + by_hand(arrays, before.shape, 2.0)
    axes = tuple(axis for axis in range(before.ndim) if axis != kept)
    whole = whole / np.sqrt((whole**2).sum(axes, keepdims=True)) * arrays["dora_scale"]
    for strength in (1.0, 0.6, 0.0):
        after = weight_of(loaded(tiny_sd, (file, strength)), network, path)
        np.testing.assert_allclose(after, before + strength * (whole - before), atol=5e-6)


def test_changed_norms_and_biases_are_worn(tiny_sd: Path, tmp_path: Path) -> None:
    bare, stem = loaded(tiny_sd), "lora_unet_mid_block_resnets_0_norm1"
    norm = bare.unet.mid_block.resnets[0].norm1
    change = torch.linspace(-1, 1, norm.weight.numel())
    file = tmp_path / "ink.safetensors"
    save_file({f"{stem}.w_norm": change, f"{stem}.b_norm": change * 2}, file)
    after = loaded(tiny_sd, (file, 0.5)).unet.mid_block.resnets[0].norm1
    assert torch.allclose(after.weight, norm.weight + 0.5 * change, atol=1e-7)
    assert torch.allclose(after.bias, norm.bias + change, atol=1e-7)


@pytest.mark.parametrize(
    "dtype", ["float16", "bfloat16", "float8_e4m3fn", "float8_e5m2", "float64"]
)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_adapters_of_any_precision_are_computed_in_fp32_and_rounded_once(
    tiny_sd: Path, tmp_path: Path, dtype: str, precision: str
) -> None:
    network, path, stem = LAYERS["linear"]
    before = weight_of(loaded(tiny_sd, precision=precision), network, path)
    arrays = make("lora", before.shape, np.random.default_rng(4))
    tensors = {
        name: value if name.endswith("alpha") else value.to(getattr(torch, dtype))
        for name, value in torched(stem, arrays, 1.5).items()
    }
    tensors[f"{stem}.lora_up.weight"] = tensors[f"{stem}.lora_up.weight"].half()  # dtypes mixed
    file = tmp_path / "ink.safetensors"
    save_file(tensors, file)
    up, down = (tensors[f"{stem}.lora_{side}.weight"].double().numpy() for side in ("up", "down"))
    expected = before + 0.5 * (up @ down)
    after = weight_of(loaded(tiny_sd, (file, 1.0), precision=precision), network, path)
    rounded = torch.from_numpy(expected).to(torch.bfloat16).double().numpy()
    if precision == "bf16":  # a value that lies between two may go either way
        assert (after == rounded).mean() > 0.99
    else:
        np.testing.assert_allclose(after, expected, atol=1e-6)


def test_several_adapters_add_up_in_the_recipe_s_order_and_leave_no_trace(
    tiny_sd: Path, tmp_path: Path
) -> None:
    network, path, stem = LAYERS["linear"]
    bare = loaded(tiny_sd)
    before, rng = weight_of(bare, network, path), np.random.default_rng(5)
    expected = before
    worn = []
    for number, (method, strength) in enumerate([("lora", 0.7), ("lokr", -0.3), ("loha", 1.4)]):
        arrays = make(method, before.shape, rng)
        file = tmp_path / f"{number}.safetensors"
        save_file(torched(stem, arrays, 2.0), file)
        worn.append((file, strength))
        expected = expected + strength * by_hand(arrays, before.shape, 2.0)
    np.testing.assert_allclose(
        weight_of(loaded(tiny_sd, *worn), network, path), expected, atol=2e-6
    )
    again = load_pipeline(
        tiny_sd, "sd", "fp32", "cpu"
    )  # the next engine without them: the bits of before
    worn_again = load_pipeline(tiny_sd, "sd", "fp32", "cpu", worn)
    np.testing.assert_allclose(weight_of(worn_again, network, path), expected, atol=2e-6)
    assert all(torch.equal(a, b) for a, b in zip(bare.unet.state_dict().values(), again.unet.state_dict().values(), strict=True))  # fmt: skip


PEFT_WAYS = {
    "lora": {"r": 3, "lora_alpha": 5},
    "rslora": {"r": 4, "lora_alpha": 5, "use_rslora": True},
    "dora": {"r": 3, "lora_alpha": 5, "use_dora": True},
    "bias": {"r": 3, "lora_alpha": 5, "lora_bias": True, "exclude_modules": ["to_k", "to_v"]},
    "fan": {"r": 3, "lora_alpha": 5, "fan_in_fan_out": True},
    "patterns": {
        "r": 4,
        "lora_alpha": 6,
        "rank_pattern": {"attn2.to_k": 2, r"down_blocks\..*\.to_v": 3},
        "alpha_pattern": {r".*attn1\.to_(k|v)": 9, "to_k": 1, "^mid_block.attentions.0.proj_in": 2},
    },
}
LYCORIS_WAYS = {
    "loha": ("LoHaConfig", {"r": 3, "alpha": 5, "rank_pattern": {"to_k": 2}}),
    "loha-tucker": ("LoHaConfig", {"r": 3, "alpha": 5, "use_effective_conv2d": True}),
    "lokr": ("LoKrConfig", {"r": 3, "alpha": 5, "alpha_pattern": {"to_k": 2}}),
    "lokr-whole": ("LoKrConfig", {"r": 64, "alpha": 7}),
    "lokr-both": (
        "LoKrConfig",
        {"r": 2, "alpha": 5, "decompose_both": True, "decompose_factor": 8},
    ),
    "lokr-tucker": ("LoKrConfig", {"r": 2, "alpha": 5, "use_effective_conv2d": True}),
}
TARGETS = r".*(to_k|to_v|proj_in|conv1)"


def peft_folder(model: Path, folder: Path, kind: str, settings: dict[str, Any]) -> Any:
    """A folder as PEFT itself leaves it, with weights that show; the UNet with all of it merged by PEFT."""
    import peft

    torch.manual_seed(7)
    wrapped = peft.PeftModel(
        loaded(model).unet, getattr(peft, kind)(target_modules=TARGETS, **settings)
    )
    with torch.no_grad():
        for name, parameter in wrapped.named_parameters():
            if any(mark in name for mark in ("lora_", "hada_", "lokr_")):
                parameter.add_(torch.randn(parameter.shape) * 0.2)
    wrapped.save_pretrained(str(folder))
    return wrapped


def equal_weights(one: Any, other: Any) -> None:
    theirs = dict(other.named_parameters())
    for name, weight in one.named_parameters():
        assert torch.allclose(weight, theirs[name], atol=5e-6), (
            name,
            (weight - theirs[name]).abs().max(),
        )


@pytest.mark.parametrize("model", ["tiny_sd", "tiny_sd2"])
@pytest.mark.parametrize("way", [*PEFT_WAYS, *LYCORIS_WAYS])
def test_peft_s_folders_are_worn_as_peft_wears_them(
    request: pytest.FixtureRequest, tmp_path: Path, way: str, model: str
) -> None:
    base = request.getfixturevalue(model)
    kind, settings = LYCORIS_WAYS.get(way) or ("LoraConfig", PEFT_WAYS[way])
    wrapped = peft_folder(base, tmp_path, kind, settings)
    for module in wrapped.modules():
        if hasattr(module, "set_scale"):
            module.set_scale("default", 0.7)
    if way == "dora":  # of DoRA PEFT merges what its forward pass has as well
        assert json.loads((tmp_path / "adapter_config.json").read_text())["use_dora"]
    file = tmp_path / "adapter_model.safetensors"
    equal_weights(loaded(base, (file, 0.7)).unet, wrapped.merge_and_unload())


@pytest.mark.parametrize("family", ["sd", "sdxl"])
def test_diffusers_own_files_are_worn_as_diffusers_wears_them(
    request: pytest.FixtureRequest, tmp_path: Path, family: str
) -> None:
    from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
    from diffusers.utils import convert_state_dict_to_diffusers
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    base = request.getfixturevalue("tiny_sd" if family == "sd" else "tiny_sdxl")
    kind = StableDiffusionPipeline if family == "sd" else StableDiffusionXLPipeline
    made = loaded(base, family=family)
    parts = ["unet", "text_encoder", *(["text_encoder_2"] if family == "sdxl" else [])]
    states, told = {}, {}
    torch.manual_seed(8)
    for part in parts:
        targets = ["to_k", "to_out.0"] if part == "unet" else ["q_proj", "out_proj"]
        config = LoraConfig(
            r=3, lora_alpha=5, target_modules=targets, alpha_pattern={targets[0]: 2}
        )
        network = getattr(made, part)
        network.add_adapter(config)
        with torch.no_grad():
            for name, parameter in network.named_parameters():
                if "lora_" in name:
                    parameter.add_(torch.randn(parameter.shape) * 0.2)
        key = "unet_lora_layers" if part == "unet" else f"{part}_lora_layers"
        states[key] = convert_state_dict_to_diffusers(get_peft_model_state_dict(network))
        told[f"{part}_lora_adapter_metadata"] = {**config.to_dict(), "target_modules": targets}
    kind.save_lora_weights(tmp_path, **states, **told)
    stock = kind.from_pretrained(base)
    stock.load_lora_weights(tmp_path, adapter_name="a")
    stock.set_adapters(["a"], adapter_weights=[0.7])
    stock.fuse_lora(components=parts, adapter_names=["a"])
    stock.unload_lora_weights()
    ours = loaded(base, (tmp_path / "pytorch_lora_weights.safetensors", 0.7), family=family)
    for part in parts:
        equal_weights(getattr(ours, part), getattr(stock, part))


@pytest.mark.parametrize("layers_per_block", [1, 2])
def test_stability_s_names_are_those_of_a_checkpoint_s_own_layers(layers_per_block: int) -> None:
    """diffusers' own converter of checkpoints moves each weight to the layer that we say."""
    from diffusers import UNet2DConditionModel
    from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint

    from lorakit.facts.adapters.sgm import from_sgm

    config = {
        "sample_size": 8,
        "in_channels": 4,
        "layers_per_block": layers_per_block,
        "block_out_channels": (32, 64, 64),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "cross_attention_dim": 32,
        "norm_num_groups": 8,
        "attention_head_dim": 4,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 8,
        "projection_class_embeddings_input_dim": 80,
        "use_linear_projection": True,
    }
    unet = UNet2DConditionModel(**config)
    names = {name.removesuffix(".weight") for name in unet.state_dict() if name.endswith(".weight")}
    checkpoint = {}
    for number in range(3 * (layers_per_block + 1)):
        for part in "012":
            for inner in ("in_layers.0", "in_layers.2", "emb_layers.1", "out_layers.0", "out_layers.3",
                          "skip_connection", "op", "conv", "norm", "proj_in", "proj_out",
                          "transformer_blocks.0.attn1.to_k", "transformer_blocks.0.ff.net.0.proj"):  # fmt: skip
                for way in ("input_blocks", "output_blocks"):
                    if (inner, part) not in (
                        ("conv", "1"),
                        ("conv", "0"),
                    ):  # blocks with attention have 2
                        checkpoint[f"{way}.{number}.{part}.{inner}"] = None
                if number < 3:
                    checkpoint[f"middle_block.{part}.{inner}"] = None
    outside = ("input_blocks.0.0", "time_embed.0", "time_embed.2", "label_emb.0.0", "label_emb.0.2", "out.0", "out.2")  # fmt: skip
    ours = {sgm: from_sgm(sgm, layers_per_block) for sgm in (*checkpoint, *outside)}
    real = {sgm: name for sgm, name in ours.items() if name in names}
    assert {*real.values()} >= {n for n in names if "transformer_blocks" not in n}
    assert len({*real.values()}) == len(real)
    weights = {
        f"model.diffusion_model.{sgm}.{end}": torch.full((1,), float(number))
        for number, sgm in enumerate(real)
        for end in ("weight", "bias")
    }
    theirs = convert_ldm_unet_checkpoint(dict(weights), {**config, "class_embed_type": None})
    for number, name in enumerate(real.values()):
        assert float(theirs[f"{name}.weight"]) == number, name


def test_an_sdxl_file_with_stability_s_names_is_worn_where_its_layers_are(
    tiny_sdxl: Path, tmp_path: Path
) -> None:
    path = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_k"
    # one layer a level: blocks 0 conv_in, 1 and 2 the first level, 3 the second
    stem = "lora_unet_input_blocks_3_1_transformer_blocks_0_attn1_to_k"
    before = weight_of(loaded(tiny_sdxl, family="sdxl"), "unet", path)
    arrays = make("lora", before.shape, np.random.default_rng(6))
    file = tmp_path / "ink.safetensors"
    save_file(torched(stem, arrays, 0.5), file)
    after = weight_of(loaded(tiny_sdxl, (file, 1.0), family="sdxl"), "unet", path)
    np.testing.assert_allclose(after, before + by_hand(arrays, before.shape, 0.5), atol=2e-6)


@pytest.mark.parametrize("part", ["text_encoder", "text_encoder_2"])
def test_the_layers_of_a_text_encoder_are_those_of_its_configuration(
    tiny_sdxl: Path, part: str
) -> None:
    from lorakit.facts.adapters.fit import sizes_of
    from lorakit.facts.networks import text_encoders

    config = json.loads((tiny_sdxl / part / "config.json").read_text())
    found = text_encoders.shapes_in(tiny_sdxl, [f"{part}/model.safetensors"])
    theirs = {name.removeprefix(f"{part}."): shape for name, shape in found.items()}
    assert sizes_of("text_encoder", text_encoders.shapes_of(config)) == sizes_of(
        "text_encoder", theirs
    )


@pytest.mark.parametrize("kind", ["LoraConfig", "LoHaConfig"])
def test_peft_s_folders_of_a_text_encoder_are_worn_as_peft_wears_them(
    tiny_sd: Path, tmp_path: Path, kind: str
) -> None:
    import peft

    targets = ["q_proj", "fc1", *(["token_embedding"] if kind == "LoraConfig" else [])]
    wrapped = peft.PeftModel(
        loaded(tiny_sd).text_encoder, getattr(peft, kind)(r=3, target_modules=targets)
    )
    torch.manual_seed(7)
    with torch.no_grad():
        for name, parameter in wrapped.named_parameters():
            if "lora_" in name or "hada_" in name:
                parameter.add_(torch.randn(parameter.shape) * 0.2)
    wrapped.save_pretrained(str(tmp_path), save_embedding_layers=False)
    ours = loaded(tiny_sd, (tmp_path / "adapter_model.safetensors", 1.0)).text_encoder
    equal_weights(ours, wrapped.merge_and_unload())


def test_what_does_not_fit_a_model_is_told_by_its_layers(tiny_sd: Path, tmp_path: Path) -> None:
    file = tmp_path / "ink.safetensors"
    stem = LAYERS["linear"][2].replace("down_blocks_1", "down_blocks_7")
    save_file(torched(stem, make("lora", (8, 8), np.random.default_rng(0)), 1.0), file)
    with pytest.raises(
        LorakitError, match=r"ink.*layers that the model does not have: lora_unet_down_blocks_7"
    ):
        loaded(tiny_sd, (file, 1.0))


LYCORIS = Path(__file__).with_name("lycoris.safetensors")  # record_lycoris.py says how it was made


def recorded() -> dict[str, dict[str, torch.Tensor]]:
    found: dict[str, dict[str, torch.Tensor]] = {}
    for key, value in load_file(LYCORIS).items():
        case, _, name = key.rpartition("/")
        found.setdefault(case, {})[name] = value
    return found


@pytest.mark.parametrize("case", sorted(recorded()))
def test_lycoris_own_layers_are_worn_as_lycoris_wears_them(tmp_path: Path, case: str) -> None:
    from lorakit.models.adapter_deltas import adapted
    from lorakit.models.adapter_formats import read

    tensors = recorded()[case]
    before, after = tensors.pop("before"), tensors.pop("after")
    file = tmp_path / "ink.safetensors"
    save_file({f"lora_unet_conv_in.{name}": value for name, value in tensors.items()}, file)
    (layer,) = read(file).values()
    ours, _ = adapted(before, None, layer, 1.0)
    assert (after - before).abs().max() > 1e-3
    assert torch.allclose(ours, after, atol=2e-6), (ours - after).abs().max()
