"""Larger pictures are what diffusers' own pipelines give, called by hand, and what Pillow interpolates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from PIL import Image

from lorakit.facts.files.digests import Unread
from lorakit.facts.models.model_configs import ModelError
from lorakit.facts.models.upscale_models import upscale_model
from lorakit.families import BY_CLASS, FAMILIES
from lorakit.families.upscalers import UPSCALERS
from lorakit.language.recipe.documents import ModelSource
from lorakit.plan.specs_beside import UpscaleSpec
from lorakit.plan.tasks.job import Job
from lorakit.plan.tasks.upscale import EnlargeTask, UpscaleTask
from lorakit.rendering.drawing import drawing_engine
from lorakit.rendering.painted import write_enlarged
from lorakit.rendering.upscale_engine import UpscaleEngine
from tests.support import tiny_upscalers
from tests.unit.families.test_drawn import GUIDED, by_hand, draw, loaded, quiet, spec, task

SIZE = (64, 64)
KINDS: dict[str, tuple[Callable[[Path], Path], float]] = {
    "StableDiffusionUpscalePipeline": (tiny_upscalers.save_x4, 5.0),
    "StableDiffusionLatentUpscalePipeline": (tiny_upscalers.save_latent_x2, 2.0),
}

pytestmark = pytest.mark.filterwarnings("ignore")


def picture(file: Path, size: tuple[int, int] = SIZE) -> Path:
    small = np.random.default_rng(3).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(small).resize(size, Image.Resampling.BICUBIC).save(file)
    return file


def engine(folder: Path, kind: str, report: Any = lambda *_: True) -> UpscaleEngine:
    told = UpscaleSpec(
        name="tiny", path=str(folder), digest="tiny", kind=kind, precision="fp32", device="cpu"
    )
    return UpscaleEngine(told, report)


def job(kind: str, folder: Path, scale: float) -> Job[UpscaleTask]:
    by = UPSCALERS[kind].by
    told = UpscaleTask(
        64 * by, 64 * by, prompt="a fox on mars", negative_prompt="rain", noise=5,
        num_inference_steps=2, guidance_scale=scale, model="tiny", precision="fp32", device_class="cpu",
    )  # fmt: skip
    shown = picture(folder / "frame.png")
    return Job("a", "k", told, {"picture": str(shown)}, folder)


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(UPSCALERS))
def test_a_model_upscales_as_its_pipeline_does(kind: str, tmp_path: Path) -> None:
    save, scale = KINDS[kind]
    folder = save(tmp_path / "model")
    told: list[Any] = []
    ours = engine(folder, kind, lambda *one: told.append(one[:3]) or True)
    work = job(kind, tmp_path, scale)
    ours.submit(work)
    (done,) = ours.step()
    assert "outputs" in done, done
    assert told == [("a", 1, 2), ("a", 2, 2)]
    found = Image.open(done["outputs"]["picture"])  # type: ignore[index]
    pipeline = getattr(diffusers, kind).from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(
        prompt="a fox on mars", negative_prompt="rain", image=Image.open(work.inputs["picture"]),
        num_inference_steps=2, guidance_scale=scale, generator=torch.Generator().manual_seed(5),
    ).images[0]  # fmt: skip
    assert found.size == theirs.size == (64 * UPSCALERS[kind].by,) * 2
    assert found.tobytes() == theirs.tobytes()


def test_a_call_is_left_where_the_run_is_over(tmp_path: Path) -> None:
    kind = "StableDiffusionLatentUpscalePipeline"
    ours = engine(tiny_upscalers.save_latent_x2(tmp_path / "model"), kind, lambda *_: False)
    ours.submit(job(kind, tmp_path, 2.0))
    (done,) = ours.step()
    assert "stopped" in str(done["error"])


def test_a_folder_says_what_it_is(tmp_path: Path) -> None:
    folder = tiny_upscalers.save_x4(tmp_path / "model")
    source = ModelSource("x4", str(folder), "auto", None)  # type: ignore[arg-type]
    found = upscale_model(source, Unread(), download=False)
    assert found.upscaler is UPSCALERS["StableDiffusionUpscalePipeline"]
    assert found.weight_bytes > 0
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"has no diffusion_pytorch_model\.safetensors"):
        upscale_model(source, Unread(), download=False)


def test_lanczos_is_pillow_s(tmp_path: Path) -> None:
    source = picture(tmp_path / "frame.png", (48, 64))
    made = write_enlarged(tmp_path, EnlargeTask(96, 128), {"picture": str(source)})
    wanted = Image.open(source).resize((96, 128), Image.Resampling.LANCZOS)
    assert Image.open(made["picture"]).tobytes() == wanted.tobytes()


@pytest.mark.parametrize(
    "kind", ["sd", pytest.param("sdxl", marks=pytest.mark.slow), "sd3", "flux-dev"]
)
def test_the_step_s_own_model_draws_on_the_larger_picture(
    kind: str,
    request: pytest.FixtureRequest,
    tiny_transformer: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    own = kind in ("sd", "sdxl")
    folder = request.getfixturevalue(f"tiny_{kind}") if own else tiny_transformer(kind)
    family = FAMILIES[kind] if own else BY_CLASS[type(loaded(folder)).__name__]
    shown = picture(tmp_path / "frame.png")
    of = kind if not own else "sd3"
    told = replace(
        task(of, strength=0.5, noise=9, num_inference_steps=4),
        width=128,
        height=128,
        upscaled=True,
    )
    ours = drawing_engine(spec(family, folder, stock=own), quiet())
    found, files = draw(ours, tmp_path / "out", told, smaller=str(shown))
    assert Image.open(files["picture"]).size == (128, 128)
    kind_of = getattr(diffusers, family.pipelines["image"])
    pipeline = kind_of.from_pipe(loaded(folder)) if not own else kind_of(**_parts(folder, kind))
    larger = Image.open(shown).resize((128, 128), Image.Resampling.LANCZOS)
    generator = torch.Generator().manual_seed(9)
    more = {"image": larger, "strength": 0.5, "generator": generator, "num_inference_steps": 4}
    if own:
        pipeline.set_progress_bar_config(disable=True)
        words = {"negative_prompt": "the moon", "guidance_scale": GUIDED["sd3"]["guidance_scale"]}
        theirs = pipeline(prompt="a fox on mars", **words, **more).images[0].tobytes()
    else:
        theirs = by_hand(pipeline, kind, width=128, height=128, **more)
    assert found == theirs


def _parts(folder: Path, kind: str) -> dict[str, Any]:
    from lorakit.models.loading import load_pipeline

    parts = dict(load_pipeline(folder, kind, "fp32", "cpu", stock=True).components)
    return {**parts, "requires_safety_checker": False} if kind == "sd" else parts
