"""A wave's rows against diffusers' own pipelines, and against each other."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from diffusers import StableDiffusionImg2ImgPipeline
from safetensors.torch import load_file, save_file
from torch import Tensor

from lorakit.cpu.rowwise import compute_row_by_row
from lorakit.models.loading import load_pipeline
from lorakit.plan.schedulers import SCHEDULERS, calls
from lorakit.rendering.cross_attention_cache import Stacker, cache_projections
from lorakit.rendering.engine import RenderEngine
from lorakit.rendering.prompt_encoder import PromptEncoder
from lorakit.rendering.schedules import Schedule
from lorakit.rendering.wave import Row, advance, predictor
from tests.support.drawing import draw as draw_frame
from tests.support.drawing import spec

# diffusers' KDPM2 takes numpy's logarithm of a tensor
pytestmark = pytest.mark.filterwarnings("ignore:__array_wrap__:DeprecationWarning")

NAMES = ["default", *SCHEDULERS]
PROMPTS = ["a fox on mars", "a bunny in a forest", "an owl at the castle", "a robot in a village"]
SHAPE = (1, 4, 8, 8)


def noise(seed: int) -> Tensor:
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed))


def a_row(
    pipeline: Any,
    family: str = "sd",
    *,
    prompt: str = PROMPTS[0],
    seed: int = 0,
    scheduler: str = "default",
    steps: int = 5,
    strength: float = 1.0,
    start: Tensor | None = None,
    guidance: float = 5.0,
    negative: str = "",
    karras: bool | None = None,
) -> Row:
    encoder = PromptEncoder(pipeline, family, "cpu")
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(SHAPE, generator=generator)
    schedule = Schedule(pipeline.scheduler, scheduler, steps, strength, generator, karras=karras)
    return Row(
        f"{seed}",
        schedule,
        schedule.begin(drawn, start),
        encoder(prompt, (64, 64), negative=False),
        encoder(negative, (64, 64), negative=True),
        guidance,
    )


def draw(pipeline: Any, rows: Sequence[Row], width: int) -> list[Tensor]:
    """All rows to their end; a row that is done leaves, one that waits takes its place."""
    predict, stack = predictor(pipeline.unet, "cpu"), Stacker()
    waiting, active = list(rows), []
    while waiting or active:
        while waiting and len(active) < width:
            active.append(waiting.pop(0))
        for guided in (True, False):
            if sort := [row for row in active if row.guided is guided]:
                advance(sort, width, predict, stack)
        active = [row for row in active if not row.done]
    return [row.latents for row in rows]


@pytest.mark.slow
@pytest.mark.parametrize("scheduler", NAMES)
@pytest.mark.parametrize("guidance", [5.0, 1.0])
def test_text_to_image_is_what_diffusers_draws(sd: Any, scheduler: str, guidance: float) -> None:
    ours = draw(
        sd, [a_row(sd, scheduler=scheduler, seed=4, guidance=guidance, negative="an owl")], 1
    )[0]
    stock = type(sd)(**sd.components, requires_safety_checker=False)
    stock.set_progress_bar_config(disable=True)
    stock.scheduler = a_row(sd, scheduler=scheduler).schedule.scheduler.from_config(
        sd.scheduler.config
    )
    generator = torch.Generator().manual_seed(4)
    theirs = stock(
        PROMPTS[0],
        negative_prompt="an owl",
        num_inference_steps=5,
        guidance_scale=guidance,
        generator=generator,
        output_type="latent",
    ).images
    assert torch.allclose(ours, theirs, atol=2e-4), (ours - theirs).abs().max()


@pytest.mark.slow
@pytest.mark.parametrize("scheduler", [name for name, row in SCHEDULERS.items() if row.karras])
def test_karras_sigmas_are_diffusers_own(sd: Any, scheduler: str) -> None:
    ours = draw(sd, [a_row(sd, scheduler=scheduler, steps=6, seed=4, karras=True)], 1)[0]
    plain = draw(sd, [a_row(sd, scheduler=scheduler, steps=6, seed=4)], 1)[0]
    stock = diffusers.StableDiffusionPipeline(**sd.components, requires_safety_checker=False)
    stock.set_progress_bar_config(disable=True)
    kind = getattr(diffusers, SCHEDULERS[scheduler].diffusers)
    stock.scheduler = kind.from_config(sd.scheduler.config, use_karras_sigmas=True)
    theirs = stock(
        PROMPTS[0],
        num_inference_steps=6,
        guidance_scale=5.0,
        generator=torch.Generator().manual_seed(4),
        output_type="latent",
    ).images
    assert torch.allclose(ours, theirs, atol=2e-4), (ours - theirs).abs().max()
    assert not torch.allclose(ours, plain, atol=2e-3)


@pytest.mark.parametrize(
    "scheduler", ["default", "euler_discrete", "dpm_solver_multistep", "heun_discrete"]
)
@pytest.mark.parametrize(("steps", "strength"), [(10, 0.29), (10, 0.5), (5, 0.99)])
def test_chained_frames_are_what_img2img_draws(
    sd: Any, scheduler: str, steps: int, strength: float
) -> None:
    start = noise(9)
    row = a_row(sd, scheduler=scheduler, steps=steps, strength=strength, start=start, seed=4)
    expected_calls = int(steps * strength)
    assert len(row.schedule) in (expected_calls, 2 * expected_calls - 1)
    ours = draw(sd, [row], 1)[0]
    stock = StableDiffusionImg2ImgPipeline(**sd.components, requires_safety_checker=False)
    stock.set_progress_bar_config(disable=True)
    stock.scheduler = row.schedule.scheduler.from_config(sd.scheduler.config)
    theirs = stock(
        PROMPTS[0],
        image=start,
        strength=strength,
        num_inference_steps=steps,
        guidance_scale=5.0,
        generator=torch.Generator().manual_seed(4),
        output_type="latent",
    ).images
    assert torch.allclose(ours, theirs, atol=2e-4), (ours - theirs).abs().max()


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize(("steps", "strength"), [(5, 1.0), (8, 0.5)])
def test_a_plan_counts_the_calls_that_a_scheduler_makes(
    sd: Any, scheduler: str, steps: int, strength: float
) -> None:
    row = a_row(sd, scheduler=scheduler, steps=steps, strength=strength, start=noise(9))
    assert len(row.schedule) == calls(scheduler, int(steps * strength), sd.scheduler.config)
    assert getattr(row.schedule.scheduler, "order", 1) == SCHEDULERS[scheduler].order


@pytest.mark.parametrize("negative", ["", "an owl"])
def test_sdxl_is_what_diffusers_draws(sdxl: Any, negative: str) -> None:
    ours = draw(sdxl, [a_row(sdxl, "sdxl", seed=4, negative=negative)], 1)[0]
    theirs = sdxl(
        PROMPTS[0],
        negative_prompt=negative or None,
        num_inference_steps=5,
        guidance_scale=5.0,
        generator=torch.Generator().manual_seed(4),
        output_type="latent",
        height=64,
        width=64,
    ).images
    assert torch.allclose(ours, theirs, atol=2e-4), (ours - theirs).abs().max()


def test_clip_skip_is_what_diffusers_draws_with_it(sdxl: Any) -> None:
    row = a_row(sdxl, "sdxl", seed=4, negative="an owl")
    row.positive = PromptEncoder(sdxl, "sdxl", "cpu")(
        PROMPTS[0], (64, 64), negative=False, clip_skip=1
    )
    theirs = sdxl(
        PROMPTS[0],
        negative_prompt="an owl",
        clip_skip=1,
        num_inference_steps=5,
        guidance_scale=5.0,
        generator=torch.Generator().manual_seed(4),
        output_type="latent",
        height=64,
        width=64,
    ).images
    ours = draw(sdxl, [row], 1)[0]
    plain = draw(sdxl, [a_row(sdxl, "sdxl", seed=4, negative="an owl")], 1)[0]
    assert torch.allclose(ours, theirs, atol=2e-4), (ours - theirs).abs().max()
    assert not torch.allclose(ours, plain, atol=2e-4)


def test_story_complaint_10_a_row_knows_neither_its_company_nor_its_slot(sd: Any) -> None:
    """Rows of other strengths, schedules, prompts and lengths come and go; the bits stay."""

    def rows() -> list[Row]:
        return [
            a_row(sd, prompt=PROMPTS[0], seed=1),
            a_row(sd, prompt=PROMPTS[1], seed=2, strength=0.4, start=noise(5)),
            a_row(sd, prompt=PROMPTS[2], seed=3, scheduler="euler_ancestral_discrete", steps=7),
            a_row(sd, prompt=PROMPTS[3], seed=4, strength=0.8, start=noise(6), guidance=2.0),
            a_row(sd, prompt=PROMPTS[1], seed=5, steps=3),
            a_row(sd, prompt=PROMPTS[0], seed=6, guidance=1.0),
        ]

    alone = [draw(sd, [row], 4)[0] for row in rows()]
    together = draw(sd, rows(), 4)
    turned = draw(sd, rows()[::-1], 4)[::-1]
    for single, shared, other in zip(alone, together, turned, strict=True):
        assert torch.equal(single, shared)
        assert torch.equal(single, other)


def test_unguided_rows_are_called_once(sd: Any) -> None:
    batches = []
    unet = predictor(sd.unet, "cpu")

    def predict(latents: Tensor, *rest: Any) -> Tensor:
        batches.append(len(latents))
        return unet(latents, *rest)

    for guidance in (1.0, 5.0):
        advance([a_row(sd, guidance=guidance)], 4, predict)
    assert batches == [4, 8]


def test_kept_keys_and_values_change_no_bit(tiny_sd: Path) -> None:
    def rows(pipeline: Any) -> list[Row]:
        return [a_row(pipeline, prompt=PROMPTS[n % 4], seed=n, steps=3 + n) for n in range(4)]

    plain = load_pipeline(tiny_sd, "sd", "fp32", "cpu")
    anew = draw(plain, rows(plain), 2)
    keeping = load_pipeline(tiny_sd, "sd", "fp32", "cpu")
    projected: list[int] = []
    for name, module in keeping.unet.named_modules():
        if name.endswith("attn2.to_k"):
            inner = module.forward
            module.forward = lambda x, inner=inner: projected.append(1) or inner(x)
    layers = sum(name.endswith("attn2.to_k") for name, _ in keeping.unet.named_modules())
    cache_projections(keeping.unet)
    kept = draw(keeping, rows(keeping), 2)
    assert all(torch.equal(one, other) for one, other in zip(anew, kept, strict=True))
    # four frames of 3 to 6 steps on two rows: the company changes at most four times
    assert 0 < len(projected) <= 4 * layers


def test_a_unet_that_is_told_the_guidance_scale_is_called_once_a_step(
    tiny_sd: Path, tmp_path: Path
) -> None:
    """Latent consistency models: diffusers' own pipeline is the judge."""
    from lorakit.models.pipelines import from_folder
    from tests.support.published import change

    folder = tmp_path / "lcm"
    shutil.copytree(tiny_sd, folder)
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weight = {"time_embedding.cond_proj.weight": torch.randn(32, 16) / 4}
    save_file({**load_file(file), **weight}, file, {"format": "pt"})
    change(folder / "unet" / "config.json", time_cond_proj_dim=16)
    change(folder / "scheduler" / "scheduler_config.json", _class_name="LCMScheduler")
    change(
        folder / "model_index.json",
        _class_name="LatentConsistencyModelPipeline",
        scheduler=["diffusers", "LCMScheduler"],
    )
    ours = from_folder(folder, "sd", torch.float32)
    ours.set_progress_bar_config(disable=True)
    engine = RenderEngine(spec(folder), lambda *_: None)
    drawn = {}
    for scale in (2.0, 8.5):
        theirs = ours(
            PROMPTS[0],
            num_inference_steps=4,
            guidance_scale=scale,
            generator=torch.Generator().manual_seed(4),
            output_type="latent",
            height=64,
            width=64,
        ).images
        done = draw_frame(
            engine,
            tmp_path / f"{scale}",
            prompt=PROMPTS[0],
            num_inference_steps=4,
            guidance_scale=scale,
        )
        drawn[scale] = load_file(done["outputs"]["latents"])["latents"]
        assert torch.allclose(drawn[scale], theirs, atol=2e-4)
    assert not torch.allclose(drawn[2.0], drawn[8.5], atol=1e-2)
    assert engine.calls["unet"] == 8


def test_row_by_row_a_frame_is_the_same_but_for_rounding(tiny_sd: Path) -> None:
    pipeline = load_pipeline(tiny_sd, "sd", "fp32", "cpu")
    whole = draw(pipeline, [a_row(pipeline, seed=1)], 4)[0]
    compute_row_by_row(pipeline.unet)
    assert torch.allclose(draw(pipeline, [a_row(pipeline, seed=1)], 4)[0], whole, atol=2e-5)
