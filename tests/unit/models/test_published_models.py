"""Folders with the file names of published models: which of them are read, and that they are drawn with."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from safetensors.torch import load_file

from lorakit.diagnostics import Place
from lorakit.facts.files.digests import Digests
from lorakit.facts.models.model_configs import ModelError
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.facts.models.model_files import listing_of, serving
from lorakit.facts.models.model_lookup import model_facts
from lorakit.language.recipe.documents import ModelSource
from lorakit.models.loading import load_pipeline
from tests.support import published


def facts(source: Path) -> ModelFacts:
    return model_facts(
        ModelSource("m", str(source), "auto", Place("recipe.yaml", 1, 1)), Digests(None)
    )


def loaded(folder: Path, precision: str = "fp32") -> Any:
    return load_pipeline(folder, facts(folder).family, precision, "cpu")


def same_weights(one: Any, other: Any) -> bool:
    state = other.state_dict()
    return all(torch.equal(v.float(), state[k].float()) for k, v in one.state_dict().items())


def test_stable_diffusion_1_is_drawn_without_its_safety_checker(
    tiny_sd: Path, tmp_path: Path
) -> None:
    """What is listed beside the parts that draw need not be there, and is not looked at."""
    folder = published.stable_diffusion_1(tiny_sd, tmp_path / "model")
    for gone in ("safety_checker", "feature_extractor"):
        shutil.rmtree(folder / gone)
    pipeline = loaded(folder)
    assert pipeline.safety_checker is None
    assert pipeline.feature_extractor is None
    assert same_weights(pipeline.unet, loaded(tiny_sd).unet)
    picture = pipeline("a fox", num_inference_steps=2, output_type="np", height=64, width=64)
    assert picture.images.std() > 0


def test_of_each_network_one_form_of_its_weights_is_read(tiny_sd: Path, tmp_path: Path) -> None:
    folder = published.stable_diffusion_1(tiny_sd, tmp_path / "model")
    chosen = serving(listing_of(folder))
    tensors = [name for name in chosen if not name.endswith((".json", ".txt"))]
    assert sorted(tensors) == sorted(published.weights(part) for part in published.parts(folder))
    assert not any("safety" in name or "feature" in name for name in chosen)
    plain = sum((folder / name).stat().st_size for name in tensors)
    assert facts(folder).weight_bytes == plain


@pytest.mark.parametrize("family", ["sd", "sdxl"])
def test_a_folder_with_fp16_files_alone_is_read(
    family: str, tiny_sd: Path, tiny_sdxl: Path, tmp_path: Path
) -> None:
    tiny = tiny_sd if family == "sd" else tiny_sdxl
    folder = published.fp16_only(tiny, tmp_path / "model")
    kind = StableDiffusionPipeline if family == "sd" else StableDiffusionXLPipeline
    options = {"safety_checker": None} if family == "sd" else {}
    theirs = kind.from_pretrained(str(folder), variant="fp16", **options)
    ours = loaded(folder)
    for part in published.parts(folder):
        assert same_weights(getattr(ours, part), getattr(theirs, part))
        assert getattr(ours, part).dtype == torch.float32


@pytest.mark.parametrize("variant", ["", "fp16"])
@pytest.mark.parametrize("part", ["unet", "text_encoder_2"])
def test_weights_in_pieces_are_read(
    variant: str, part: str, tiny_sdxl: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_sdxl, folder)
    if variant:
        published.halves(folder, part)
    pieces = published.in_pieces(folder, part, variant)
    assert set(pieces) <= set(serving(listing_of(folder)))
    theirs = (
        getattr(loaded(tiny_sdxl), part).half() if variant else getattr(loaded(tiny_sdxl), part)
    )
    assert same_weights(getattr(loaded(folder), part), theirs)
    (folder / pieces[-1]).unlink()
    with pytest.raises(ModelError, match=r"lacks .*-00002-of-00002\.safetensors, a piece"):
        facts(folder)


def test_of_fp32_and_fp16_weights_the_exact_ones_are_read(tiny_sd: Path, tmp_path: Path) -> None:
    folder = published.stable_diffusion_1(tiny_sd, tmp_path / "model")
    file = load_file(folder / published.weights("unet"))
    assert torch.equal(loaded(folder).unet.conv_in.weight, file["conv_in.weight"])


def test_pickles_alone_are_refused_by_their_names(tiny_sd: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_sd, folder)
    (folder / published.weights("unet")).unlink()
    published.empty(folder, ["unet/diffusion_pytorch_model.bin"])
    with pytest.raises(ModelError, match=r"diffusion_pytorch_model\.safetensors; it holds .*\.bin"):
        facts(folder)


def test_a_scheduler_that_is_none_is_refused_by_the_plan(tiny_sd: Path, tmp_path: Path) -> None:
    folder = published.stable_diffusion_1(tiny_sd, tmp_path / "model")
    published.change(folder / "scheduler" / "scheduler_config.json", _class_name="os.system")
    with pytest.raises(ModelError, match=r"is a os\.system, which diffusers does not have"):
        facts(folder)
    published.change(
        folder / "scheduler" / "scheduler_config.json", _class_name="DEISMultistepScheduler"
    )
    facts(folder)


def test_a_configuration_of_other_weights_is_refused_by_the_plan(
    tiny_sd: Path, tmp_path: Path
) -> None:
    folder = published.stable_diffusion_1(tiny_sd, tmp_path / "model")
    unet(folder, cross_attention_dim=1024)
    with pytest.raises(
        ModelError, match=r"is not that of its weights: .*attn2\.to_k\.weight is 64x32"
    ):
        facts(folder)


def unet(folder: Path, **told: object) -> None:
    published.change(folder / "unet" / "config.json", **told)


def index(folder: Path, **told: object) -> None:
    published.change(folder / "model_index.json", **told)


@pytest.mark.parametrize("zeros", [True, False])
def test_what_an_empty_prompt_of_sdxl_is_its_index_says(
    zeros: bool, tiny_sdxl: Path, tmp_path: Path
) -> None:
    """As SDXL, whose empty prompt is zeros, and as others of its kind that encode it."""
    from lorakit.rendering.engine import RenderEngine
    from tests.support.drawing import spec

    folder = tmp_path / "model"
    shutil.copytree(tiny_sdxl, folder)
    index(folder, force_zeros_for_empty_prompt=zeros)
    engine = RenderEngine(spec(folder, family="sdxl"), lambda *_: None)
    encoder = engine._encoder
    pipeline = StableDiffusionXLPipeline.from_pretrained(str(folder))
    assert pipeline.config.force_zeros_for_empty_prompt is zeros
    _, negative, _, pooled = pipeline.encode_prompt("a fox", device="cpu", num_images_per_prompt=1)
    ours = encoder("", (64, 64), negative=True)
    assert torch.equal(ours.embeds, negative)
    assert torch.equal(ours.pooled, pooled)
    assert bool((ours.embeds == 0).all()) is zeros


KINDS: dict[str, tuple[Any, str]] = {
    "stabilityai/stable-diffusion-2-inpainting": (
        lambda f: unet(f, in_channels=9),
        "an inpainting model",
    ),
    "timbrooks/instruct-pix2pix": (lambda f: unet(f, in_channels=8), "edits pictures"),
    "stabilityai/stable-diffusion-2-depth": (lambda f: unet(f, in_channels=5), "a depth model"),
    "an inpainting pipeline": (
        lambda f: index(f, _class_name="StableDiffusionInpaintPipeline"),
        "StableDiffusionInpaintPipeline",
    ),
    "stabilityai/stable-diffusion-2-1-unclip": (
        lambda f: unet(f, class_embed_type="projection"),
        "class_embed_type: projection",
    ),
    "kandinsky": (lambda f: unet(f, encoder_hid_dim_type="image_proj"), "encoder_hid_dim_type"),
    "a class of its own": (lambda f: index(f, unet=["my_unet", "MyUNet"]), "is a MyUNet"),
    "a program": (lambda f: index(f, _class_name=["pipeline", "Mine"]), "model_index.json .* has"),
    "no words": (
        lambda f: [file.unlink() for file in (f / "tokenizer").glob("*.json")],
        "neither tokenizer.json nor vocab.json",
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_models_that_want_more_than_words_are_named(
    name: str, tiny_sd: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_sd, folder)
    alter, says = KINDS[name]
    alter(folder)
    with pytest.raises(ModelError, match=says):
        facts(folder)


def test_the_refiner_of_sdxl_is_named(tiny_sdxl: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_sdxl, folder)
    index(
        folder,
        _class_name="StableDiffusionXLImg2ImgPipeline",
        text_encoder=[None, None],
        tokenizer=[None, None],
        requires_aesthetics_score=True,
    )
    shutil.rmtree(folder / "text_encoder")
    with pytest.raises(ModelError, match="SDXL's refiner"):
        facts(folder)


@pytest.mark.parametrize(
    ("family", "scheduler", "wanted"),
    [
        # stabilityai/sdxl-turbo, stabilityai/sd-turbo
        ("sdxl", {"timestep_spacing": "trailing"}, (4, 0.0)),
        ("sd", {"timestep_spacing": "trailing"}, (4, 0.0)),
        ("sdxl", {"timestep_spacing": "leading"}, (20, 5.0)),
        ("sd", {}, (20, 7.5)),
        # models of a zero terminal SNR begin at the last timestep too
        (
            "sdxl",
            {
                "timestep_spacing": "trailing",
                "prediction_type": "v_prediction",
                "rescale_betas_zero_snr": True,
            },
            (20, 5.0),
        ),
    ],
)
def test_turbo_forms_are_known_by_their_schedulers(
    family: str,
    scheduler: dict[str, object],
    wanted: tuple[int, float],
    tiny_sd: Path,
    tiny_sdxl: Path,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_sd if family == "sd" else tiny_sdxl, folder)
    published.change(
        folder / "scheduler" / "scheduler_config.json",
        _class_name="EulerDiscreteScheduler",
        **scheduler,
    )
    found = facts(folder)
    assert (found.num_inference_steps, found.guidance_scale) == wanted
    told = loaded(folder).scheduler
    assert type(told).__name__ == "EulerDiscreteScheduler"
    assert told.config.timestep_spacing == scheduler.get("timestep_spacing", "leading")


BROKEN: dict[str, tuple[str, object]] = {
    "layers without end": ("unet/config.json", {"layers_per_block": 10_000_000}),
    "widths without end": ("unet/config.json", {"block_out_channels": [10**12] * 4}),
    "blocks without end": ("unet/config.json", {"block_out_channels": [32] * 10_000}),
    "depth without end": ("unet/config.json", {"transformer_layers_per_block": 10**9}),
    "many times many": (
        "unet/config.json",
        {"layers_per_block": 64, "transformer_layers_per_block": 64},
    ),
    "a text for a number": ("unet/config.json", {"sample_size": "big"}),
    "null for a number": ("unet/config.json", {"in_channels": None}),
    "a list for a number": ("unet/config.json", {"cross_attention_dim": [[1]]}),
    "a dict for a number": ("unet/config.json", {"layers_per_block": {"a": 1}}),
    "true for a number": ("unet/config.json", {"in_channels": True}),
    "three sides": ("unet/config.json", {"sample_size": [8, 8, 8]}),
    "too few blocks": ("unet/config.json", {"down_block_types": ["DownBlock2D"]}),
    "a vae's widths": ("vae/config.json", {"block_out_channels": "wide"}),
    "a vae of many levels": ("vae/config.json", {"block_out_channels": [8] * 500}),
    "a vae's factor": ("vae/config.json", {"scaling_factor": {}}),
    "positions": ("text_encoder/config.json", {"max_position_embeddings": "many"}),
    "no positions": ("text_encoder/config.json", {"max_position_embeddings": -1}),
    "timesteps": ("scheduler/scheduler_config.json", {"num_train_timesteps": 10**15}),
    "a component of one": ("model_index.json", {"unet": ["diffusers"]}),
    "a component of a dict": ("model_index.json", {"vae": {"a": "b"}}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_configurations_are_checked_before_they_are_counted_with(
    name: str, tiny_sd: Path, tmp_path: Path
) -> None:
    """The message names the file, the key and what is wrong with it."""
    folder = tmp_path / "model"
    shutil.copytree(tiny_sd, folder)
    file, told = BROKEN[name]
    assert isinstance(told, dict)
    published.change(folder / file, **told)
    with pytest.raises(ModelError) as raised:
        facts(folder)
    assert len(told) > 1 or next(iter(told)) in str(raised.value)
    assert file in str(raised.value)
    assert len(str(raised.value)) < 1000


TEXTS = {
    "not JSON": b"{",
    "a list": b"[]",
    "a number": b"7",
    "nothing": b"",
    "no text": b"\xff\xfe\x00",
    "nested": b"[" * 100_000,
    "nested dicts": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "no number": b'{"default_guidance_scale": NaN}',
    "endless": b'{"default_guidance_scale": Infinity}',
    "digits": b'{"default_num_inference_steps": ' + b"9" * 5000 + b"}",
    "other types": b'{"default_num_inference_steps": "20"}',
    "words": b'{"vocabulary": "fox", "model": "BPE"}',
    "a word that is none": b'{"vocabulary": [1, null]}',
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize(
    "file", ["studio.json", "model_index.json", "unet/config.json", "tokenizer/tokenizer.json"]
)
def test_broken_files_are_said_to_be_broken(
    name: str, file: str, tiny_sd: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_sd, folder)
    (folder / file).write_bytes(TEXTS[name])
    with pytest.raises(ModelError) as raised:
        facts(folder)
    assert file in str(raised.value)


def test_what_is_no_file_is_not_waited_for(tiny_sd: Path, tmp_path: Path) -> None:
    import os

    folder = tmp_path / "model"
    shutil.copytree(tiny_sd, folder)
    (folder / "unet" / "config.json").unlink()
    os.mkfifo(folder / "unet" / "config.json")
    with pytest.raises(ModelError, match="is no file"):
        facts(folder)


def test_what_a_training_copies_of_a_model_is_called_as_other_programs_look_for_it(
    tiny_sd: Path, tmp_path: Path
) -> None:
    from lorakit.facts.models.model_facts import pipeline_files

    folder = published.fp16_only(tiny_sd, tmp_path / "model")
    names = pipeline_files(facts(folder), trained_text=False)
    assert {"vae/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors"} <= set(
        names
    )
    assert not any("fp16" in name for name in names)
    assert json.loads((folder / "model_index.json").read_text())
