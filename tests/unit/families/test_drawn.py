"""Frames of transformers, held against diffusers' own pipelines called by hand."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from lorakit.facts.files.digests import Unread
from lorakit.facts.models.model_lookup import model_facts
from lorakit.families import FAMILIES, Family
from lorakit.language.recipe.documents import ModelSource
from lorakit.plan.engine_specs import DrawingSpec
from lorakit.plan.specs_beside import ImageEncoderSpec
from lorakit.plan.tasks.control import ControlUse
from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.tasks.image_embeds import ImageEmbedsTask, IpAdapterUse
from lorakit.plan.tasks.job import Job
from lorakit.rendering.call_engine import CallEngine
from lorakit.rendering.drawing import drawing_engine
from lorakit.rendering.image_embeds_engine import ImageEmbedsEngine
from tests.support.tiny_controls import (
    draw_shape,
    save_control_net,
    save_control_union,
    save_flux_control_net,
    save_image_encoder,
    save_ip_adapter,
    save_qwen_control_net,
    save_sd3_control_net,
)
from tests.support.tiny_transformers import KINDS, SIDES

PROMPT, NOT, NOISE = "a fox on mars", "the moon", 4
# what each kind is called with beside the words, as its documentation has it
GUIDED: dict[str, dict[str, Any]] = {
    "flux-dev": {"guidance_scale": 3.5, "max_sequence_length": 512},
    "flux-schnell": {"guidance_scale": 0.0, "max_sequence_length": 256},
    "sd3": {"guidance_scale": 5.0, "negative_prompt": NOT, "max_sequence_length": 256},
    "sd3-without-t5": {"guidance_scale": 5.0, "negative_prompt": NOT},
    "qwen-image": {"true_cfg_scale": 4.0, "negative_prompt": NOT},
    "z-image": {"guidance_scale": 1.5, "negative_prompt": NOT},
    "chroma": {"guidance_scale": 3.0, "negative_prompt": NOT},
    "flux-kontext": {"guidance_scale": 2.5, "_auto_resize": False},
    "flux2-klein": {"guidance_scale": 1.0},
    "qwen-image-edit": {"true_cfg_scale": 4.0, "negative_prompt": NOT},
    "qwen-image-edit-plus": {"true_cfg_scale": 4.0, "negative_prompt": NOT},
}
BY_REFERENCE = [
    "flux-kontext",
    "flux2-klein",
    # they look at pictures of 1024 x 1024 px, however large these are
    pytest.param("qwen-image-edit", marks=pytest.mark.slow),
    pytest.param("qwen-image-edit-plus", marks=pytest.mark.slow),
]
FROM_LATENTS = [
    k for k in sorted(KINDS) if k not in ("flux-kontext", "flux2-klein") and "edit" not in k
]
# one of each way that latents come to the autoencoder
HALVED = ["flux-schnell", "flux-kontext", "flux2-klein", "sd3", "z-image"]
Made = tuple[str, Path, Family]

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(params=sorted(KINDS))
def made(request: pytest.FixtureRequest, tiny_transformer: Callable[[str], Path]) -> Made:
    if "edit" in request.param:
        pytest.importorskip("torchvision")
    folder = tiny_transformer(request.param)
    facts = model_facts(ModelSource("m", str(folder), "auto", None), Unread())
    return request.param, folder, facts.traits


def spec(family: Family, folder: Path, *adapters: tuple[Path, float], **more: Any) -> DrawingSpec:
    given: dict[str, Any] = {"precision": "fp32", "device": "cpu", "batch_size": 1, **more}
    return DrawingSpec(
        name="tiny",
        path=str(folder),
        digest="tiny",
        family=family.name,
        vae_factor=8,
        adapters=tuple((str(file), weight) for file, weight in adapters),
        adapter_paths=tuple(str(file) for file, _ in adapters),
        **given,
    )


def task(kind: str, **more: Any) -> FrameTask:
    scale = next(v for k, v in GUIDED[kind].items() if k in ("guidance_scale", "true_cfg_scale"))
    given: dict[str, Any] = {
        "prompt": PROMPT,
        "negative_prompt": NOT,
        "noise": NOISE,
        "strength": 1.0,
        "num_inference_steps": 2,
        "guidance_scale": scale,
        "scheduler": "default",
        "width": SIDES[kind],
        "height": SIDES[kind] + 16,
        "model": "tiny",
        "adapters": (),
        "precision": "fp32",
        "device_class": "cpu",
        "batch_size": 1,
        **more,
    }
    return FrameTask(**given)


def draw(engine: Any, out: Path, frame: FrameTask, **inputs: str) -> tuple[bytes, dict[str, str]]:
    """The pixels of a frame, and its files."""
    out.mkdir(parents=True, exist_ok=True)
    engine.submit(Job("a", "k", frame, inputs, out))
    done: list[Any] = []
    while engine.busy:
        done += engine.step()
    (ended,) = done
    assert "outputs" in ended, ended
    with Image.open(ended["outputs"]["picture"]) as picture:
        return picture.tobytes(), ended["outputs"]


def by_hand(pipeline: Any, kind: str, **more: Any) -> bytes:
    pipeline.set_progress_bar_config(disable=True)
    given: dict[str, Any] = {
        "prompt": PROMPT,
        "height": SIDES[kind] + 16,
        "width": SIDES[kind],
        "num_inference_steps": 2,
        "generator": torch.Generator().manual_seed(NOISE),
        **GUIDED[kind],
        **more,
    }
    if kind == "flux-kontext":
        given["max_area"] = given["height"] * given["width"]
    picture: Image.Image = pipeline(**given).images[0]
    return picture.tobytes()


def loaded(folder: Path) -> Any:
    """A pipeline as its documentation loads it, parts that are not there left out by name."""
    index = json.loads((folder / "model_index.json").read_text())
    absent = {
        name: None for name in ("text_encoder_3", "tokenizer_3") if index.get(name) == [None] * 2
    }
    return diffusers.DiffusionPipeline.from_pretrained(folder, **absent)


def from_words(folder: Path, family: Family) -> Any:
    """The pipeline that draws from words."""
    pipeline = loaded(folder)
    assert type(pipeline).__name__ == family.classes[0]
    kind = getattr(diffusers, family.pipelines["text"])
    if isinstance(pipeline, kind):
        return pipeline
    parts = {name: part for name, part in pipeline.components.items() if name != "processor"}
    return kind(**parts)


def quiet(report: Any = None) -> Callable[..., bool | None]:
    return report or (lambda *_: None)


def test_a_frame_is_what_the_pipeline_draws_by_hand(made: Made, tmp_path: Path) -> None:
    kind, folder, family = made
    steps: list[tuple[int, int]] = []
    engine = drawing_engine(
        spec(family, folder), lambda _, done, total, *__: steps.append((done, total))
    )
    assert isinstance(engine, CallEngine)
    found, _ = draw(engine, tmp_path, task(kind))
    pipeline = from_words(folder, family)
    assert found == by_hand(pipeline, kind)
    assert steps == [(1, 2), (2, 2)]
    assert engine.calls["vae_decoder"] == 1


@pytest.mark.slow
def test_a_frame_on_its_way_is_shown_once_one_was_drawn(made: Made, tmp_path: Path) -> None:
    """In the colours of the model, whatever its latents are packed like, and no call more for it."""
    kind, folder, family = made
    shown: list[bytes | None] = []
    engine = drawing_engine(spec(family, folder), lambda *told: shown.append(told[4]()))
    drawn = task(kind)
    draw(engine, tmp_path / "first", drawn)
    assert shown == [None, None]
    draw(engine, tmp_path / "other", task(kind, noise=7))
    assert engine.calls["vae_decoder"] == 2
    previews = [Image.open(io.BytesIO(data)) for data in shown[2:] if data]
    assert len(previews) == 2
    for preview in previews:
        assert preview.width / preview.height == drawn.width / drawn.height


@pytest.mark.slow
def test_each_text_is_encoded_once(made: Made, tmp_path: Path) -> None:
    kind, folder, family = made
    engine = drawing_engine(spec(family, folder), quiet())
    first, _ = draw(engine, tmp_path / "first", task(kind))
    other, _ = draw(engine, tmp_path / "other", task(kind, prompt="a wooden door", noise=7))
    encoders = [getattr(engine._components, name) for name in family.encoders]
    texts = 3 if "negative_prompt" in GUIDED[kind] else 2
    read = texts * len([encoder for encoder in encoders if encoder is not None])
    assert engine.calls["text_encoder"] == read
    again, _ = draw(engine, tmp_path / "again", task(kind))
    assert again == first != other
    assert engine.calls["text_encoder"] == read
    # and what is read anew is as by hand
    pipeline = from_words(folder, family)
    by_noise = torch.Generator().manual_seed(7)
    assert other == by_hand(pipeline, kind, prompt="a wooden door", generator=by_noise)


@pytest.mark.slow
@pytest.mark.parametrize("made", FROM_LATENTS, indirect=True)
def test_a_chained_frame_is_img2img_from_latents(made: Made, tmp_path: Path) -> None:
    kind, folder, family = made
    engine = drawing_engine(spec(family, folder), quiet())
    _, files = draw(engine, tmp_path / "first", task(kind))
    start = load_file(files["latents"])["latents"]
    assert start.shape == (1, 16, SIDES[kind] // 8 + 2, SIDES[kind] // 8)
    found, _ = draw(
        engine, tmp_path / "next", task(kind, noise=9, strength=0.4), start=files["latents"]
    )
    pipeline = getattr(diffusers, family.pipelines["image"]).from_pipe(loaded(folder))
    pipeline.image_processor.register_to_config(vae_latent_channels=start.shape[1])
    assert found == by_hand(
        pipeline, kind, image=start, strength=0.4, generator=torch.Generator().manual_seed(9)
    )
    # and the start is seen in it
    other, _ = draw(engine, tmp_path / "other", task(kind, noise=9))
    assert found != other


@pytest.mark.slow
@pytest.mark.parametrize("made", BY_REFERENCE, indirect=True)
def test_a_chained_frame_is_drawn_by_reference(made: Made, tmp_path: Path) -> None:
    kind, folder, family = made
    engine = drawing_engine(spec(family, folder), quiet())
    _, first = draw(engine, tmp_path / "first", task(kind))
    _, second = draw(engine, tmp_path / "second", task(kind, noise=8))
    shown = [first["picture"], second["picture"]][: family.references]
    inputs = {f"reference_{number}": file for number, file in enumerate(shown, 1)}
    found, _ = draw(engine, tmp_path / "next", task(kind, noise=9), **inputs)
    pipeline = loaded(folder)
    pictures = [Image.open(file) for file in shown]
    image = pictures if family.references > 1 else pictures[0]
    expected = by_hand(pipeline, kind, image=image, generator=torch.Generator().manual_seed(9))
    assert found == expected
    other, _ = draw(engine, tmp_path / "other", task(kind, noise=9))
    assert found != other


@pytest.mark.slow
@pytest.mark.parametrize("made", HALVED, indirect=True)
def test_fp16_draws_what_fp32_draws(made: Made, tmp_path: Path) -> None:
    """The autoencoder stays in fp32, with values on the way that are beyond fp16's, as published ones have."""
    kind, folder, family = made
    model = tmp_path / "model"
    shutil.copytree(folder, model)
    for file in (model / "vae").glob("*.safetensors"):
        tensors = load_file(file)
        if "decoder.conv_in.weight" in tensors:
            # a normalisation takes the factor out again
            for name in ("decoder.conv_in.weight", "decoder.conv_in.bias"):
                tensors[name] *= 1e6
            save_file(tensors, file, {"format": "pt"})
    pictures = {}
    for precision in ("fp32", "fp16"):
        engine = drawing_engine(spec(family, model, precision=precision), quiet())
        frame = task(kind, precision=precision)
        first, files = draw(engine, tmp_path / precision, frame)
        inputs = {"reference_1": files["picture"]} if family.references else {}
        shown, _ = draw(engine, tmp_path / f"{precision} again", frame, **inputs)
        pictures[precision] = np.frombuffer(first + shown, np.uint8).astype(int)
    assert pictures["fp16"].std() > 10
    assert np.abs(pictures["fp16"] - pictures["fp32"]).mean() < 4


def make_adapter(folder: Path, out: Path) -> Path:
    """A LoRA on the attention of a transformer, saved by diffusers under its published keys."""
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    pipeline = loaded(folder)
    targets = ["to_q", "to_k", "to_v", "to_out.0"]
    torch.manual_seed(1)
    pipeline.transformer.add_adapter(LoraConfig(r=2, lora_alpha=4, target_modules=targets))
    for name, parameter in pipeline.transformer.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=3.0)
    layers = get_peft_model_state_dict(pipeline.transformer)
    metadata = pipeline.transformer.peft_config["default"].to_dict()
    type(pipeline).save_lora_weights(
        out, transformer_lora_layers=layers, transformer_lora_adapter_metadata=metadata
    )
    return out / "pytorch_lora_weights.safetensors"


@pytest.mark.slow
def test_an_adapter_is_worn_as_diffusers_wears_it(made: Made, tmp_path: Path) -> None:
    kind, folder, family = made
    file = make_adapter(folder, tmp_path / "adapter")
    frame = task(kind, adapters=(("a", 0.5),))
    bare, _ = draw(drawing_engine(spec(family, folder), quiet()), tmp_path / "bare", frame)
    worn, _ = draw(
        drawing_engine(spec(family, folder, (file, 0.5)), quiet()), tmp_path / "worn", frame
    )
    pipeline = from_words(folder, family)
    pipeline.load_lora_weights(file.parent, adapter_name="a")
    pipeline.set_adapters(["a"], [0.5])
    expected = by_hand(pipeline, kind)
    apart = [abs(a - b) for a, b in zip(worn, expected, strict=True)]
    assert max(apart) <= 1  # merged in fp32 here, added in each call there
    assert max(abs(a - b) for a, b in zip(worn, bare, strict=True)) > 4


def test_a_stopped_call_is_left_at_its_next_step(
    tiny_transformer: Callable[[str], Path], tmp_path: Path
) -> None:
    calls: list[int] = []

    def over(_: str, done: int, *__: Any) -> bool:
        calls.append(done)
        return done < 2

    engine = CallEngine(spec(FAMILIES["flux"], tiny_transformer("flux-dev")), over)
    engine.submit(Job("a", "k", task("flux-dev", num_inference_steps=9), {}, tmp_path))
    assert list(engine.step()) == []
    assert calls == [1, 2]
    engine.drop()
    assert not engine.busy
    assert list(tmp_path.iterdir()) == []


def held_by_hand(kind: str, pipe: Any, told: FrameTask, lines: Path, **more: Any) -> bytes:
    """What a ControlNet's pipeline draws of a map at a strength of 0.7, called as a user calls it."""
    picture: Image.Image = pipe(
        PROMPT,
        control_image=Image.open(lines),
        width=told.width,
        height=told.height,
        num_inference_steps=told.num_inference_steps,
        controlnet_conditioning_scale=0.7,
        generator=torch.Generator().manual_seed(NOISE),
        **GUIDED[kind],
        **more,
    ).images[0]
    return picture.tobytes()


@pytest.mark.slow
@pytest.mark.parametrize(("modes", "mode"), [(None, None), (10, 4)])
def test_a_held_frame_of_flux_is_what_diffusers_draws(
    modes: int | None, mode: int | None, tiny_transformer: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = tiny_transformer("flux-dev")
    net = save_flux_control_net(folder, tmp_path / "net", modes=modes)
    lines = draw_shape(tmp_path / "map.png")
    told = task("flux-dev", control=ControlUse("net", 0.7, 0.0, 1.0, str(net), mode))
    engine = drawing_engine(spec(FAMILIES["flux"], folder), lambda *_: True)
    pixels, _ = draw(engine, tmp_path / "out", told, control=str(lines))
    pipe = diffusers.FluxControlNetPipeline.from_pretrained(
        folder, controlnet=diffusers.FluxControlNetModel.from_pretrained(net)
    )
    assert held_by_hand("flux-dev", pipe, told, lines, control_mode=mode) == pixels


@pytest.mark.slow
def test_a_held_frame_of_qwen_image_is_what_diffusers_draws(
    tiny_transformer: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = tiny_transformer("qwen-image")
    net = save_qwen_control_net(folder, tmp_path / "net")
    lines = draw_shape(tmp_path / "map.png")
    told = task("qwen-image", control=ControlUse("net", 0.7, 0.0, 0.6, str(net)))
    engine = drawing_engine(spec(FAMILIES["qwen-image"], folder), lambda *_: True)
    pixels, _ = draw(engine, tmp_path / "out", told, control=str(lines))
    pipe = diffusers.QwenImageControlNetPipeline.from_pretrained(
        folder, controlnet=diffusers.QwenImageControlNetModel.from_pretrained(net)
    )
    assert held_by_hand("qwen-image", pipe, told, lines, control_guidance_end=0.6) == pixels


@pytest.mark.slow
@pytest.mark.parametrize("zeros", [False, True])
def test_a_held_frame_of_sd3_is_what_diffusers_draws_from_its_seed(
    zeros: bool, tiny_transformer: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = tiny_transformer("sd3")
    net = save_sd3_control_net(folder, tmp_path / "net", zeros=zeros)
    lines = draw_shape(tmp_path / "map.png")
    told = task("sd3", control=ControlUse("net", 0.7, 0.0, 0.6, str(net)))
    engine = drawing_engine(spec(FAMILIES["sd3"], folder), lambda *_: True)
    pixels, _ = draw(engine, tmp_path / "out", told, control=str(lines))
    pipe = diffusers.StableDiffusion3ControlNetPipeline.from_pretrained(
        folder, controlnet=diffusers.SD3ControlNetModel.from_pretrained(net)
    )
    # the map is encoded with noise that the pipeline takes from nobody's generator
    torch.manual_seed(NOISE)
    assert held_by_hand("sd3", pipe, told, lines, control_guidance_end=0.6) == pixels
    torch.manual_seed(1)  # what went before changes no frame
    again, _ = draw(engine, tmp_path / "again", told, control=str(lines))
    assert again == pixels


@pytest.mark.slow
@pytest.mark.parametrize("start", [False, True])
def test_a_frame_that_a_union_holds_is_what_diffusers_draws(
    start: bool, tiny_sdxl: Path, tmp_path: Path
) -> None:
    net = save_control_union(tiny_sdxl, tmp_path / "net", theirs=not start)
    lines = draw_shape(tmp_path / "map.png")
    latents = torch.randn((1, 4, 10, 8), generator=torch.Generator().manual_seed(1))
    save_file({"latents": latents}, tmp_path / "start.safetensors")
    inputs = {"start": str(tmp_path / "start.safetensors")} if start else {}
    looks = {"width": 64, "height": 80, "num_inference_steps": 4, "scheduler": "euler_discrete"}
    use = ControlUse("net", 0.7, 0.0, 0.8, str(net), 3)
    told = task("sd3", strength=0.5, control=use, **looks)
    engine = drawing_engine(spec(FAMILIES["sdxl"], tiny_sdxl, stock=True), lambda *_: True)
    pixels, _ = draw(engine, tmp_path / "out", told, control=str(lines), **inputs)
    # as a user writes it by hand
    kind = diffusers.StableDiffusionXLControlNetUnionPipeline
    if start:
        kind = diffusers.StableDiffusionXLControlNetUnionImg2ImgPipeline
    pipe = kind.from_pretrained(
        tiny_sdxl, controlnet=diffusers.ControlNetUnionModel.from_pretrained(net)
    )
    pipe.scheduler = diffusers.EulerDiscreteScheduler.from_config(pipe.scheduler.config)
    by_hand = pipe(
        PROMPT,
        negative_prompt=NOT,
        control_image=[Image.open(lines)],
        control_mode=[3],
        width=64,
        height=80,
        num_inference_steps=4,
        guidance_scale=5.0,
        controlnet_conditioning_scale=0.7,
        control_guidance_end=0.8,
        generator=torch.Generator().manual_seed(NOISE),
        **({"image": latents, "strength": 0.5} if start else {}),
    ).images[0]
    assert by_hand.tobytes() == pixels
    other = replace(told, control=replace(use, mode=0))
    assert draw(engine, tmp_path / "pose", other, control=str(lines), **inputs)[0] != pixels


@pytest.mark.slow
@pytest.mark.parametrize("start", [False, True])
@pytest.mark.parametrize("name", ["sd", "sdxl"])
def test_a_held_frame_is_what_diffusers_draws(
    name: str, start: bool, tiny_sd: Path, tiny_sdxl: Path, tmp_path: Path
) -> None:
    folder = {"sd": tiny_sd, "sdxl": tiny_sdxl}[name]
    net = save_control_net(folder, tmp_path / "net")
    lines = draw_shape(tmp_path / "map.png")
    latents = torch.randn((1, 4, 10, 8), generator=torch.Generator().manual_seed(1))
    save_file({"latents": latents}, tmp_path / "start.safetensors")
    inputs = {"start": str(tmp_path / "start.safetensors")} if start else {}
    told = task(
        "sd3",
        width=64,
        height=80,
        strength=0.5,
        num_inference_steps=4,
        scheduler="euler_discrete",
        control=ControlUse("net", 0.7, 0.0, 0.8, str(net)),
    )
    engine = drawing_engine(spec(FAMILIES[name], folder, stock=True), lambda *_: True)
    pixels, _ = draw(engine, tmp_path / "out", told, control=str(lines), **inputs)
    # as a user writes it by hand
    kind = "StableDiffusionXLControlNet" if name == "sdxl" else "StableDiffusionControlNet"
    kind += "Img2ImgPipeline" if start else "Pipeline"
    pipe = getattr(diffusers, kind).from_pretrained(
        folder, controlnet=diffusers.ControlNetModel.from_pretrained(net)
    )
    pipe.scheduler = diffusers.EulerDiscreteScheduler.from_config(pipe.scheduler.config)
    held: dict[str, Any] = {"image": Image.open(lines)}
    if start:
        held = {"image": latents, "control_image": Image.open(lines), "strength": 0.5}
    by_hand = pipe(
        PROMPT,
        negative_prompt=NOT,
        width=64,
        height=80,
        num_inference_steps=4,
        guidance_scale=5.0,
        controlnet_conditioning_scale=0.7,
        control_guidance_end=0.8,
        generator=torch.Generator().manual_seed(NOISE),
        **held,
    ).images[0]
    assert by_hand.tobytes() == pixels


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "plus", "scales"),
    [
        ("sd", False, (0.7, 0.7)),
        ("sd", True, (0.9, 0.3)),
        ("sdxl", False, (0.7,)),
        ("sdxl", True, (0.7,)),
    ],
)
def test_a_frame_seen_through_an_ip_adapter_is_what_diffusers_draws(
    name: str,
    plus: bool,
    scales: tuple[float, ...],
    tiny_sd: Path,
    tiny_sdxl: Path,
    tmp_path: Path,
) -> None:
    folder = {"sd": tiny_sd, "sdxl": tiny_sdxl}[name]
    root = tmp_path / "faces"
    weights = save_ip_adapter(folder, root / "models" / "ip.safetensors", plus=plus)
    encoder = save_image_encoder(root / "models" / "image_encoder")
    pictures = [draw_shape(tmp_path / f"{n}.png", at=8 + 20 * n) for n, _ in enumerate(scales)]
    seeing = ImageEmbedsEngine(ImageEncoderSpec(path=str(encoder), device="cpu"), quiet())
    inputs = {}
    for number, file in enumerate(pictures, 1):
        seen = ImageEmbedsTask("encoder", plus, "cpu", "picture", str(file))
        seeing.submit(Job("a", f"{number}", seen, {}, tmp_path))
        inputs[f"embeds_{number}"] = next(iter(seeing.step()))["outputs"]["embeds"]
    plain = task("sd3", width=64, height=80, num_inference_steps=3, scheduler="euler_discrete")
    told = replace(plain, ip_adapter=IpAdapterUse("ip", scales, str(weights)))
    engine = drawing_engine(spec(FAMILIES[name], folder, stock=True), lambda *_: True)
    bare, _ = draw(engine, tmp_path / "bare", plain)
    pixels, _ = draw(engine, tmp_path / "out", told, **inputs)
    again, _ = draw(engine, tmp_path / "bare again", plain)  # it is taken off again
    assert bare == again != pixels
    # as a user writes it by hand
    pipe = loaded(folder)
    pipe.scheduler = diffusers.EulerDiscreteScheduler.from_config(pipe.scheduler.config)
    pipe.load_ip_adapter(str(root), subfolder="models", weight_name="ip.safetensors")
    pipe.set_ip_adapter_scale(scales[0] if len(set(scales)) == 1 else [list(scales)])
    opened = [Image.open(file).convert("RGB") for file in pictures]
    with torch.inference_mode():  # one by one, as they are encoded
        each = [pipe.prepare_ip_adapter_image_embeds(o, None, "cpu", 1, True)[0] for o in opened]
    embeds = [torch.cat(each, dim=1)]
    more: dict[str, Any] = {}
    if len(set(scales)) > 1:
        masks = [torch.ones(1, len(scales), 80, 64)]
        more = {"cross_attention_kwargs": {"ip_adapter_masks": masks}}
    by_hand = pipe(
        PROMPT,
        negative_prompt=NOT,
        width=64,
        height=80,
        num_inference_steps=3,
        guidance_scale=5.0,
        generator=torch.Generator().manual_seed(NOISE),
        ip_adapter_image_embeds=embeds,
        **more,
    ).images[0]
    assert by_hand.tobytes() == pixels
