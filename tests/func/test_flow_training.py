"""Adapters of transformers from a recipe: what can be asked of their training, and what is worn of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import diffusers
import pytest
import torch
from PIL import Image

from lorakit import load
from tests.support.image_training import fox_recipe
from tests.support.runs import lorakit, run
from tests.support.tiny_transformers import SIDES

pytestmark = pytest.mark.filterwarnings("ignore")

UNLEARNT = """recipe: 1
seed: 5
models: {tiny: {from: model, dtype: fp32}}
datasets: {foxes: {images: foxes}}
steps:
  style:
    kind: train-image
    data: foxes
    snr_gamma: 5
    noise_offset: 0.1
    prediction_type: v_prediction
    clip_skip: 1
    max_token_length: 150
    train_text_encoder: true
    lora: {target_modules: [attn2.to_q]}
    train: {max_train_steps: 2}
"""


def test_what_a_flow_cannot_learn_is_told_at_its_place(
    tiny_transformer: Callable[[str], Path], tmp_path: Path
) -> None:
    recipe = fox_recipe(tmp_path, tiny_transformer("flux-schnell"), "")
    recipe.write_text(UNLEARNT)
    told = lorakit(tmp_path, "validate", "recipe.yaml").stderr
    for words in (
        "recipe.yaml:9:16: error[no-effect]: snr_gamma weighs what is noisy by how",
        "recipe.yaml:10:19: error[no-effect]: noise_offset shifts noise that is predicted",
        "recipe.yaml:11:22: error[no-effect]: prediction_type is what a UNet says",
        "recipe.yaml:12:16: error[clip-skip]: clip_skip: 1 is for models that read with CLIP alone",
        "recipe.yaml:13:23: error[no-effect]: max_token_length has captions read in chunks by CLIP",
        "which reads 256 tokens",
        "recipe.yaml:14:25: error[wrong-model]: train_text_encoder is for UNets",
        "model is called attn2.to_q",
        "model is Flux.1 distilled to few steps",
        "train black-forest-labs/FLUX.1-dev, and wear the adapter with this one",
    ):
        assert words in told, told
    whole = UNLEARNT.replace("snr_gamma: 5", "method: full").replace(
        "    lora: {target_modules: [attn2.to_q]}\n", ""
    )
    recipe.write_text(whole)
    told = lorakit(tmp_path, "validate", "recipe.yaml").stderr
    assert "recipe.yaml:9:13: error[wrong-model]: method: full is for UNets" in told


def test_a_model_without_one_of_its_encoders_is_not_trained(
    tiny_transformer: Callable[[str], Path], tmp_path: Path
) -> None:
    step = "train: {max_train_steps: 1}"
    fox_recipe(tmp_path, tiny_transformer("sd3-without-t5"), step)
    told = lorakit(tmp_path, "validate", "recipe.yaml").stderr
    assert "model is drawn with and not trained: it has no text_encoder_3" in told


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    [
        "flux-dev",
        *(
            pytest.param(kind, marks=pytest.mark.slow)
            for kind in ("sd3", "z-image", "qwen-image", "flux2-klein")
        ),
    ],
)
def test_an_adapter_is_trained_sampled_and_worn_as_diffusers_wears_it(
    kind: str, tiny_transformer: Callable[[str], Path], tmp_path: Path
) -> None:
    side = SIDES[kind]
    size = f"width: {side}, height: {side}"
    step = (
        f"resolution: {side}, lora: {{rank: 2, alpha: 6}}, "
        "train: {max_train_steps: 3, batch_size: 2, learning_rate: 0.3, "
        "lr_scheduler: constant, precision: fp32}, "
        "samples: {prompts: [a fox], every: 2, num_inference_steps: 2}"
    )
    recipe = fox_recipe(tmp_path, tiny_transformer(kind), step, ", test_size: 1")
    drawn = f"prompts: [a fox on mars], num_inference_steps: 2, guidance_scale: 0, {size}"
    recipe.write_text(
        recipe.read_text()
        + f"  bare: {{kind: generate, {drawn}}}\n"
        + f"  worn: {{kind: generate, {drawn}, adapters: {{style: 1.0}}}}\n"
    )
    made = run(tmp_path, "recipe.yaml")
    assert made.code == 0, made.errors
    pictures = made.pictures()
    assert {name for name in pictures if "samples" in name} == {
        "style/samples/step_000002_01.png",
        "style/samples/step_000003_01.png",
    }
    pipeline = diffusers.DiffusionPipeline.from_pretrained(tmp_path / "model")
    pipeline.set_progress_bar_config(disable=True)
    (folder,) = (tmp_path / "outputs").glob("recipe/*/style")

    (noise,) = (
        planned.action.task.noise
        for planned in load(recipe).plan().actions
        if planned.action.id == "worn/1"
    )

    def by_hand() -> bytes:
        picture = pipeline(
            prompt="a fox on mars",
            num_inference_steps=2,
            width=side,
            height=side,
            **{"true_cfg_scale" if kind == "qwen-image" else "guidance_scale": 0.0},
            generator=torch.Generator().manual_seed(noise),
        ).images[0]
        return picture.tobytes()

    def found(name: str) -> bytes:
        with Image.open(next((folder.parent / name).rglob("[!c]*.png"))) as picture:
            return picture.tobytes()

    bare = by_hand()
    pipeline.load_lora_weights(folder)
    worn = by_hand()
    pipeline.fuse_lora()
    fused = by_hand()
    assert found("bare") == bare != fused
    assert found("worn") == fused  # put into the weights, as ours is
    # diffusers' other way adds it in each call: other roundings
    assert max(abs(a - b) for a, b in zip(worn, fused, strict=True)) <= 1
    if kind != "flux-dev":  # which have no form of kohya's here
        told = lorakit(
            tmp_path, "export", "adapter", str(folder), "--format", "kohya", "--out", "a"
        )
        assert "of which model these are is not known, or how they call them" in told.stderr
        return
    words = ["export", "adapter", str(folder), "--format", "kohya", "--out", "ink.safetensors"]
    assert lorakit(tmp_path, *words).returncode == 0
    (tmp_path / "worn.yaml").write_text(
        "recipe: 1\nseed: 5\nmodels: {tiny: {from: model, dtype: fp32}}\n"
        "adapters: {ink: {from: ink.safetensors}}\n"
        f"steps:\n  worn: {{kind: generate, {drawn}, adapters: {{ink: 1.0}}}}\n"
    )
    again = run(tmp_path, "worn.yaml")
    assert again.code == 0, again.errors
    with Image.open(next((again.folder / "worn").rglob("[!c]*.png"))) as picture:
        apart = max(abs(a - b) for a, b in zip(picture.tobytes(), fused, strict=True))
    assert apart <= 1  # its layers are of three ranks together: other sums
