"""Adapters made elsewhere, in diffusers' and kohya's formats, drawn with as diffusers draws with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline
from diffusers.utils import convert_state_dict_to_diffusers
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file

from tests.support.runs import lorakit, run

PROMPT = "a fox on mars"


def make_adapter(model: Path, folder: Path) -> Path:
    """A LoRA of rank 4 on the cross-attention, with weights that show, in diffusers' format."""
    pipeline = StableDiffusionPipeline.from_pretrained(model, safety_checker=None)
    config = LoraConfig(
        r=4, lora_alpha=4, target_modules=["attn2.to_q", "attn2.to_k", "attn2.to_v"]
    )
    torch.manual_seed(0)
    pipeline.unet.add_adapter(config)
    for name, parameter in pipeline.unet.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=2.0)
    layers = convert_state_dict_to_diffusers(get_peft_model_state_dict(pipeline.unet))
    StableDiffusionPipeline.save_lora_weights(folder, unet_lora_layers=layers)
    return folder / "pytorch_lora_weights.safetensors"


def to_kohya(source: Path, target: Path) -> Path:
    """The same adapter under kohya's names: alpha a scalar beside each pair."""
    found = {}
    for name, weight in load_file(source).items():
        path, _, rest = name.removeprefix("unet.").partition(".lora")
        stem = f"lora_unet_{path.replace('.', '_')}"
        down = "down" in rest or "_A" in rest
        found[f"{stem}.lora_{'down' if down else 'up'}.weight"] = weight.contiguous()
        found[f"{stem}.alpha"] = torch.tensor(4.0)
    save_file(found, target)
    return target


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_adapters_change_the_picture_as_they_do_in_diffusers(home: Path) -> None:
    adapter = make_adapter(home / "tiny", home / "made")
    to_kohya(adapter, home / "ink.safetensors")
    (home / "recipe.yaml").write_text(
        "recipe: 1\nseed: 5\nmodels: {tiny: {from: tiny, dtype: fp32}}\n"
        "adapters: {folder: {from: made}, ink: {from: ink.safetensors}}\nsteps:\n"
        f"  bare: {{kind: generate, prompts: [{PROMPT}], num_inference_steps: 4}}\n"
        f"  one: {{kind: generate, prompts: [{PROMPT}], num_inference_steps: 4, adapters: {{folder: 0.8}}}}\n"
        f"  other: {{kind: generate, prompts: [{PROMPT}], num_inference_steps: 4, adapters: {{ink: 0.8}}}}\n"
    )
    done = run(home)
    assert done.code == 0, done.errors
    actions = {a["id"]: a for a in done.manifest["actions"]}

    def latents(step: str) -> torch.Tensor:
        digest = actions[f"{step}/1"]["outputs"]["latents"]
        return load_file(home / ".lorakit" / "objects" / digest[:2] / digest[2:])["latents"]

    assert not torch.allclose(latents("bare"), latents("one"), atol=1e-2)
    assert torch.allclose(latents("one"), latents("other"), atol=1e-4)

    stock = StableDiffusionPipeline.from_pretrained(home / "tiny", safety_checker=None)
    stock.set_progress_bar_config(disable=True)
    stock.load_lora_weights(home / "made", adapter_name="a")
    stock.set_adapters(["a"], adapter_weights=[0.8])
    from lorakit.plan.seeds import derive

    generator = torch.Generator().manual_seed(derive(5, "image", 0))
    theirs = stock(
        PROMPT, num_inference_steps=4, guidance_scale=7.5, generator=generator, output_type="latent"
    ).images
    assert torch.allclose(latents("one"), theirs, atol=1e-3), (latents("one") - theirs).abs().max()


@pytest.mark.parametrize(
    ("stem", "width", "says"),
    [
        ("lora_unet_down_blocks_7_resnets_0_conv1", 32, "layers that the model does not have"),
        (
            "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k",
            2048,
            "an adapter of SDXL, changes what is of another size in the model",
        ),
        ("lora_te2_text_model_encoder_layers_0_mlp_fc1", 32, "layers that the model does not have"),
        (
            "lora_unet_double_blocks_0_img_attn_proj",
            32,
            "an adapter of Flux.1, changes layers that",
        ),
    ],
)
def test_an_adapter_of_another_model_is_said_before_anything_is_made(
    home: Path, stem: str, width: int, says: str
) -> None:
    save_file(
        {
            f"{stem}.lora_down.weight": torch.ones(2, width),
            f"{stem}.lora_up.weight": torch.ones(32, 2),
            f"{stem}.alpha": torch.tensor(1.0),
        },
        home / "odd.safetensors",
    )
    (home / "recipe.yaml").write_text(
        "recipe: 1\nmodels: {tiny: {from: tiny}}\nadapters: {odd: {from: odd.safetensors}}\n"
        "steps: {one: {kind: generate, prompts: [a fox], adapters: {odd: 1}}}\n"
    )
    told = lorakit(home, "plan")
    assert told.returncode == 3
    assert "recipe.yaml:" in told.stderr
    assert "error[adapter]: " in told.stderr
    assert says in told.stderr
    assert stem in told.stderr


def test_a_changed_adapter_file_is_a_changed_picture(home: Path) -> None:
    name = "unet.mid_block.attentions.0.proj_in"
    tensors = {
        f"{name}.lora_A.weight": torch.zeros(1, 64),
        f"{name}.lora_B.weight": torch.ones(64, 1),
    }
    save_file(tensors, home / "ink.safetensors")
    (home / "recipe.yaml").write_text(
        "recipe: 1\nmodels: {tiny: {from: tiny}}\nadapters: {ink: {from: ink.safetensors}}\n"
        "steps: {one: {kind: generate, prompts: [a fox], adapters: {ink: 1}}}\n"
    )

    def key() -> str:
        return json.loads(lorakit(home, "plan", "--json").stdout)["actions"][0]["key"]

    before = key()
    assert key() == before
    save_file({**tensors, f"{name}.lora_A.weight": torch.ones(1, 64)}, home / "ink.safetensors")
    assert key() != before
