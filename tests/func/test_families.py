"""Every family of transformers from a recipe and a storyboard to pictures, through real diffusers pipelines."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.support.runs import lorakit, run
from tests.support.small_projects import ONE_FILM, write_one_film
from tests.support.tiny_parts import SIDE
from tests.support.tiny_transformers import KINDS, SIDES

BOARD = """storyboard: 1
look: {num_inference_steps: 2, width: SIDE, height: SIDE}
scenes:
  - name: meadow
    sentences:
      - A white bunny finds a golden key.
      - A white bunny looks at a wooden door.
"""


@pytest.fixture(
    params=[pytest.param(k, marks=[pytest.mark.slow] * ("edit" in k)) for k in sorted(KINDS)]
)
def project(
    request: pytest.FixtureRequest, tiny_transformer: Callable[[str], Path], home: Path
) -> Path:
    if "edit" in request.param:
        pytest.importorskip("torchvision")
    board = BOARD.replace("SIDE", str(SIDES[request.param]))
    return write_one_film(home, tiny_transformer(request.param), board)


def test_a_board_is_drawn_and_only_what_changed_is_drawn_again(project: Path) -> None:
    first = run(project, "recipe.yaml")
    assert first.code == 0, first.errors
    pictures = first.pictures()
    frames = {name for name in pictures if "frame_" in name}
    assert len(frames) == 2
    text = (project / "board.yaml").read_text()
    (project / "board.yaml").write_text(text.replace("wooden door", "castle"))
    again = run(project, "recipe.yaml")
    assert again.made("frame") == ["film/meadow/2"]
    assert {n for n in frames if again.pictures()[n] == pictures[n]} == {
        "film/frames_scene_1/frame_001.png"
    }


def test_a_plan_counts_a_transformer(project: Path) -> None:
    told = json.loads(lorakit(project, "plan", "recipe.yaml", "--json").stdout)
    assert told["estimate"]["memory"] > 100 << 20
    assert [waves["batch_size"] for waves in told["waves"]] == [1]


COMPLAINTS = """recipe: 1
models: {m: {from: model, dtype: fp32}}
steps:
  one:
    kind: generate
    prompts: [a fox]
    negative_prompt: the moon
    scheduler: ddim
    clip_skip: 1
    width: 72
    height: 64
"""


def test_what_a_family_cannot_do_is_told_at_its_place(
    tiny_transformer: Callable[[str], Path], home: Path
) -> None:
    shutil.copytree(tiny_transformer("flux-schnell"), home / "model")
    (home / "recipe.yaml").write_text(COMPLAINTS)
    told = lorakit(home, "validate", "recipe.yaml").stderr
    for words in (
        "recipe.yaml:8:16: error[scheduler]: scheduler: ddim is for models that predict noise; ",
        "recipe.yaml:9:16: error[clip-skip]: clip_skip: 1 is for models that read with CLIP alone; ",
        "recipe.yaml:10:12: error[size]: ",
        "cannot draw 72x64: sides are multiples of 16 px",
        "warning[no-effect]: negative_prompt has no effect: Flux.1 is never told what not to show",
    ):
        assert words in told, told


def test_attention_is_shared_where_the_denoiser_has_it(
    tiny_transformer: Callable[[str], Path], home: Path
) -> None:
    shutil.copytree(tiny_transformer("flux-schnell"), home / "model")
    (home / "recipe.yaml").write_text(ONE_FILM)
    board = BOARD.replace("SIDE", str(SIDES["flux-schnell"]))
    (home / "board.yaml").write_text(f"{board}chain: {{from: noise, attention: shared}}\n")
    told = lorakit(home, "validate", "recipe.yaml").stderr
    assert (
        "board.yaml:8:33: error[chain]: attention: shared is for Stable Diffusion and SDXL; "
        in told
    )
    assert "model is Flux.1\n" in told


def test_colours_are_drawn_to_the_first_frame_s_where_frames_begin_from_latents(
    tiny_transformer: Callable[[str], Path], home: Path
) -> None:
    shutil.copytree(tiny_transformer("flux-kontext"), home / "model")
    (home / "recipe.yaml").write_text(ONE_FILM)
    board = BOARD.replace("SIDE", str(SIDES["flux-kontext"])) + "      - An owl sleeps.\n"
    (home / "board.yaml").write_text(f"{board}chain: {{from: previous, color: anchor}}\n")
    told = lorakit(home, "validate", "recipe.yaml").stderr
    assert (
        "board.yaml:9:32: error[chain]: color: anchor is for models that begin from other frames; "
        in told
    )


def test_prompts_are_counted_in_the_words_that_are_read(
    tiny_transformer: Callable[[str], Path], home: Path
) -> None:
    shutil.copytree(tiny_transformer("flux-schnell"), home / "model")
    text = " ".join(["bunny"] * 256)
    (home / "recipe.yaml").write_text(
        "recipe: 1\nmodels: {m: {from: model}}\nsteps:\n"
        f"  one: {{kind: generate, prompts: [{text}], width: {SIDE}, height: {SIDE}}}\n"
    )
    told = lorakit(home, "validate", "recipe.yaml").stderr
    assert "the prompt has 257 tokens" in told
    assert "reads 256: 'bunny' would fall off" in told


@pytest.mark.parametrize(
    ("kind", "title"), [("chroma", "Chroma"), ("flux-kontext", "Flux.1-Kontext")]
)
def test_a_family_that_is_not_trained_says_which_are(
    kind: str, title: str, tiny_transformer: Callable[[str], Path], home: Path
) -> None:
    from PIL import Image

    shutil.copytree(tiny_transformer(kind), home / "model")
    (home / "pictures").mkdir()
    Image.new("RGB", (64, 64), "navy").save(home / "pictures" / "one.png")
    (home / "pictures" / "one.txt").write_text("a fox")
    (home / "recipe.yaml").write_text(
        "recipe: 1\nmodels: {m: {from: model}}\ndatasets: {p: {images: pictures}}\nsteps:\n"
        "  ink: {kind: train-image, data: p, train: {max_train_steps: 1}}\n"
    )
    told = lorakit(home, "validate", "recipe.yaml").stderr
    assert f"model is {title}, which is drawn with and not trained yet" in told
    assert "recipe.yaml:5:" in told
    assert (
        "train Stable Diffusion, SDXL, Flux.1, Stable Diffusion 3, Qwen-Image, Z-Image, Flux.2-klein, or wear an adapter"
        in told
    )


def test_what_a_chain_cannot_be_is_told(
    tiny_transformer: Callable[[str], Path], home: Path
) -> None:
    shutil.copytree(tiny_transformer("flux2-klein"), home / "model")
    (home / "recipe.yaml").write_text(ONE_FILM)
    board = BOARD.replace("SIDE", str(SIDE)).replace(
        "scenes:", "chain: {from: previous, strength: 0.5}\nscenes:"
    )
    (home / "board.yaml").write_text(board)
    told = lorakit(home, "validate", "recipe.yaml").stderr
    assert "board.yaml:3:35: error[chain]: strength has no meaning with" in told
    assert "Flux.2-klein is shown the frame before as a reference" in told


def test_a_part_that_cannot_be_loaded_here_says_what_it_needs(home: Path) -> None:
    if importlib.util.find_spec("torchvision"):
        pytest.skip("torchvision is here")
    (home / "model").mkdir()
    parts = {
        "transformer": ["diffusers", "QwenImageTransformer2DModel"],
        "vae": ["diffusers", "AutoencoderKLQwenImage"],
        "text_encoder": ["transformers", "Qwen2_5_VLForConditionalGeneration"],
        "tokenizer": ["transformers", "Qwen2Tokenizer"],
        "processor": ["transformers", "Qwen2VLProcessor"],
        "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
    }
    index = {"_class_name": "QwenImageEditPlusPipeline", **parts}
    (home / "model" / "model_index.json").write_text(json.dumps(index))
    (home / "recipe.yaml").write_text(
        "recipe: 1\nmodels: {m: {from: model}}\nsteps:\n  one: {kind: generate, prompts: [a fox]}\n"
    )
    told = lorakit(home, "validate", "recipe.yaml").stderr
    assert "recipe.yaml:2:20: error[model]: processor of " in told, told
    assert "is a Qwen2VLProcessor, which transformers loads with torchvision alone" in told
    assert "pip install torchvision" in told


def test_an_adapter_of_another_family_is_told(
    tiny_transformer: Callable[[str], Path], home: Path
) -> None:
    shutil.copytree(tiny_transformer("flux-schnell"), home / "model")
    layers = ("transformer.transformer_blocks.0.attn.to_q", "transformer.layers.0.attention.to_q")
    for name, layer in zip(("flux", "z"), layers, strict=True):
        pair = {
            f"{layer}.lora_A.weight": torch.ones(2, 16),
            f"{layer}.lora_B.weight": torch.ones(16, 2),
        }
        save_file(pair, home / f"{name}.safetensors")
    (home / "recipe.yaml").write_text(
        "recipe: 1\nmodels: {m: {from: model}, sd: {from: tiny}}\n"
        "adapters: {flux: {from: flux.safetensors}, z: {from: z.safetensors}}\nsteps:\n"
        "  fits: {kind: generate, prompts: [a fox], model: m, adapters: {flux: 1}}\n"
        "  other: {kind: generate, prompts: [a fox], model: m, adapters: {z: 1}}\n"
        "  unet: {kind: generate, prompts: [a fox], model: sd, adapters: {flux: 1}}\n"
    )
    told = lorakit(home, "validate", "recipe.yaml").stderr
    assert told.count("error[adapter]") == 2, told
    assert "recipe.yaml:6:66: error[adapter]" in told
    assert (
        "changes layers that the model does not have: transformer.layers.0.attention.to_q" in told
    )
    assert "recipe.yaml:7:66: error[adapter]" in told
    assert "model is Flux.1: take an adapter that was made for it" in told


def test_an_adapter_of_a_transformer_is_exported_where_a_format_has_its_names(home: Path) -> None:
    layer = "transformer_blocks.0.attn.to_q"
    pair = {"A": torch.ones(2, 16), "B": torch.ones(16, 2)}
    named = {f"transformer.{layer}.lora_{name}.weight": matrix for name, matrix in pair.items()}
    save_file(named, home / "flux.safetensors")
    assert (
        lorakit(
            home, "export", "adapter", "flux.safetensors", "--format", "peft", "--out", "p"
        ).returncode
        == 0
    )
    found = load_file(home / "p" / "adapter_model.safetensors")
    assert {n: tuple(t.shape) for n, t in found.items()} == {
        f"base_model.model.{layer}.lora_A.weight": (2, 16),
        f"base_model.model.{layer}.lora_B.weight": (16, 2),
    }
    other = {
        n.replace("transformer_blocks.0.attn", "layers.0.attention"): m for n, m in named.items()
    }
    save_file(other, home / "z.safetensors")
    refused = lorakit(home, "export", "adapter", "z.safetensors", "--out", "k.safetensors")
    assert refused.returncode != 0
    assert "kohya's format names a transformer's layers as its authors do" in refused.stderr
