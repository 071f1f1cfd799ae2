"""Checkpoints in one file: planned from their headers, loaded without a network, the same model."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
import torch
from diffusers import (
    AutoencoderKL,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from lorakit import resources
from lorakit.diagnostics import Place
from lorakit.facts.files.digests import Digests
from lorakit.facts.models.model_configs import ModelError
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.facts.models.model_lookup import model_facts
from lorakit.facts.models.tokens import TokenCounter
from lorakit.language.recipe.documents import ModelSource
from lorakit.models.loading import load_pipeline
from tests.support.single_file import VOCABULARY, save_single, shipped, small

KINDS = ["sd-v1", "sd-v2", "sdxl"]


def facts(file: Path) -> ModelFacts:
    return model_facts(
        ModelSource("m", str(file), "auto", Place("recipe.yaml", 1, 1)), Digests(None)
    )


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.slow
@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("kind", KINDS)
def test_a_single_file_is_the_pipeline_it_was_made_of(kind: str, tmp_path: Path) -> None:
    pipeline = small(kind)
    file = save_single(tmp_path / "model.safetensors", pipeline, kind)
    found = facts(file)
    assert found.family == ("sdxl" if kind == "sdxl" else "sd")
    loaded = load_pipeline(file, found.family, "fp32", "cpu")
    for part in ("unet", "vae", "text_encoder", "text_encoder_2"):
        ours, theirs = getattr(loaded, part, None), getattr(pipeline, part, None)
        if theirs is None:
            assert ours is None
            continue
        state = theirs.state_dict()
        assert set(ours.state_dict()) == set(state)
        for name, value in ours.state_dict().items():
            assert torch.equal(value, state[name]), f"{part}.{name}"
    assert found.parameters["unet"] == pipeline.unet.num_parameters()
    assert found.parameters["vae"] == pipeline.vae.num_parameters()
    assert loaded.tokenizer("a photo of an astronaut riding a horse on mars").input_ids == [
        49406, 320, 1125, 539, 550, 18376, 6765, 320, 4558, 525, 7496, 49407,
    ]  # fmt: skip
    embeds = loaded.encode_prompt(
        "a fox", device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=False
    )[0]
    assert embeds.shape[-2:] == (77, found.unet["cross_attention_dim"])


@pytest.mark.parametrize("kind", KINDS)
def test_shipped_configurations_are_the_published_models(kind: str) -> None:
    """Parameters as the models' own cards and papers count them."""
    published = {
        "sd-v1": (859_520_964, 123_060_480),
        "sd-v2": (865_910_724, 340_387_840),
        "sdxl": (2_567_463_684, 123_060_480),
    }[kind]
    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(shipped(kind, "unet"))
        text = CLIPTextModel(CLIPTextConfig(**shipped(kind, "text_encoder")))
        vae = AutoencoderKL.from_config(shipped(kind, "vae"))
    count = [sum(p.numel() for p in m.parameters()) for m in (unet, text, vae)]
    assert count == [*published, 83_653_863]


def test_tokens_of_single_files_are_counted_as_clip_does(tmp_path: Path) -> None:
    file = save_single(tmp_path / "model.safetensors", small("sd-v1"), "sd-v1")
    found = facts(file)
    assert found.tokenizer is not None
    counter = TokenCounter(found.tokenizer, found.token_limit)
    assert counter.count("a photo of an astronaut riding a horse on mars") == 12
    assert len(counter.overflow(["ox " * 80])) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "metadata", "key", "wanted"),
    [
        ("v2-1_768-ema-pruned", {}, "", ("v_prediction", (768, 768))),
        ("v2-1_512-ema-pruned", {}, "", ("epsilon", (512, 512))),
        ("mine", {"modelspec.prediction_type": "epsilon"}, "", ("epsilon", (512, 512))),
        ("mine", {"modelspec.prediction_type": "v"}, "", ("v_prediction", (768, 768))),
        ("mine", {}, "v_pred", ("v_prediction", (768, 768))),
    ],
)
def test_what_a_single_file_of_version_2_predicts(
    tmp_path: Path, name: str, metadata: dict[str, str], key: str, wanted: tuple[str, object]
) -> None:
    more = {key: torch.zeros(1)} if key else {}
    file = save_single(tmp_path / f"{name}.safetensors", small("sd-v2"), "sd-v2", metadata, **more)
    found = facts(file)
    scheduler = load_pipeline(file, "sd", "fp32", "cpu").scheduler
    assert (scheduler.config.prediction_type, found.native) == wanted
    # what only its name says is said to be so
    assert bool(found.remarks) is (not metadata and not key)


@pytest.mark.slow
def test_a_turbo_form_in_one_file_is_drawn_without_guidance(tmp_path: Path) -> None:
    file = save_single(tmp_path / "sd_xl_turbo_1.0_fp16.safetensors", small("sdxl"), "sdxl")
    found = facts(file)
    assert (found.guidance_scale, found.num_inference_steps) == (0.0, 4)
    assert (
        load_pipeline(file, "sdxl", "fp32", "cpu").scheduler.config.timestep_spacing == "trailing"
    )
    assert any("distilled" in remark for remark in found.remarks)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("inpainting", "inpainting model"),
        ("pix2pix", "InstructPix2Pix"),
        ("no vae", "lacks vae: not a whole checkpoint"),
        ("no words", "lacks text_encoder: not a whole"),
        ("refiner", "SDXL's refiner"),
        ("flux", "another kind"),
        ("a layer more", "of another build"),
    ],
)
def test_single_files_that_cannot_be_drawn_with_are_named(
    tmp_path: Path, change: str, says: str
) -> None:
    from safetensors.torch import load_file, save_file

    file = save_single(tmp_path / "model.safetensors", small("sd-v1"), "sd-v1")
    tensors = load_file(file)
    first = "model.diffusion_model.input_blocks.0.0.weight"
    if change in ("inpainting", "pix2pix"):
        tensors[first] = torch.zeros(32, 9 if change == "inpainting" else 8, 3, 3)
    elif change == "no vae":
        tensors = {k: v for k, v in tensors.items() if not k.startswith("first_stage")}
    elif change == "no words":
        tensors = {k: v for k, v in tensors.items() if not k.startswith("cond_stage")}
    elif change == "refiner":
        tensors["conditioner.embedders.0.model.ln_final.weight"] = torch.zeros(1)
    elif change == "flux":
        tensors = {"model.diffusion_model.double_blocks.0.img_attn.proj.weight": torch.zeros(1)}
    else:
        tensors["model.diffusion_model.motion.weight"] = torch.zeros(7)
    save_file(tensors, file)
    with pytest.raises(ModelError, match=says):
        facts(file)


def test_the_words_of_clip_are_those_of_its_tokenizer(tmp_path: Path) -> None:
    from lorakit.facts.models.tokens import clip_vocabulary, read_merges

    merges = resources.path("data") / "clip" / "merges.txt"
    words = clip_vocabulary(read_merges(merges))
    assert len(words) == VOCABULARY
    (tmp_path / "vocab.json").write_text(json.dumps(words))
    (tmp_path / "merges.txt").write_bytes(merges.read_bytes())
    theirs = CLIPTokenizer.from_pretrained(str(tmp_path))
    assert (theirs.bos_token_id, theirs.eos_token_id) == (49406, 49407)
