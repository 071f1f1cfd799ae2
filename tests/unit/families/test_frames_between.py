"""Frames between two others by transformers: diffusers' img2img, told embeds that were mixed by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from safetensors.torch import save_file

from lorakit.diagnostics import InvalidDocument
from lorakit.families import BY_CLASS, FAMILIES, Family
from lorakit.plan.tasks.frame_between import FrameBetween
from lorakit.rendering.drawing import drawing_engine
from lorakit.rendering.frame_files import slerp
from tests.support.planning import facts_for, plan_of
from tests.support.tiny_transformers import SIDES
from tests.unit.families.test_drawn import (
    FROM_LATENTS,
    GUIDED,
    NOT,
    PROMPT,
    by_hand,
    draw,
    loaded,
    quiet,
    spec,
    task,
)
from tests.unit.kinds.test_motion import board

QUICK = ("sd3", "z-image")
OTHER, SHARE = "an old owl holds a golden key", 0.3

pytestmark = pytest.mark.filterwarnings("ignore")


def of_flux(pipeline: Any, text: str, **more: Any) -> dict[str, Any]:
    embeds, pooled, _ = pipeline.encode_prompt(text, text, **more)
    return {"prompt_embeds": embeds, "pooled_prompt_embeds": pooled}


def of_sd3(pipeline: Any, text: str) -> dict[str, Any]:
    embeds, _, pooled, _ = pipeline.encode_prompt(text, text, text, device="cpu")
    return {"prompt_embeds": embeds, "pooled_prompt_embeds": pooled}


def of_qwen(pipeline: Any, text: str) -> dict[str, Any]:
    embeds, mask = pipeline.encode_prompt(text, max_sequence_length=512)
    assert mask is None, "a text alone has no padding"
    return {"prompt_embeds": embeds}


def of_z_image(pipeline: Any, text: str) -> dict[str, Any]:
    embeds, _ = pipeline.encode_prompt(text, do_classifier_free_guidance=False)
    return {"prompt_embeds": embeds[0][None]}


def of_chroma(pipeline: Any, text: str) -> dict[str, Any]:
    embeds, _, mask, *_ = pipeline.encode_prompt(text, do_classifier_free_guidance=False)
    return {"prompt_embeds": embeds, "prompt_attention_mask": mask}


READ: Mapping[str, Callable[..., dict[str, Any]]] = {
    "flux-dev": of_flux,
    "flux-schnell": lambda pipeline, text: of_flux(pipeline, text, max_sequence_length=256),
    "sd3": of_sd3,
    "sd3-without-t5": of_sd3,
    "qwen-image": of_qwen,
    "z-image": of_z_image,
    "chroma": of_chroma,
}


def mixed(name: str, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Seven tenths of one and three of the other, as far as both reach."""
    if name.endswith("mask"):
        return ((first + second) > 0).to(first.dtype)
    if first.dim() == 2 or first.shape == second.shape:
        return torch.lerp(first, second, SHARE)
    short = min(first.shape[1], second.shape[1])
    longer = first if first.shape[1] > short else second
    both = torch.lerp(first[:, :short], second[:, :short], SHARE)
    return torch.cat([both, longer[:, short:]], dim=1)


@pytest.mark.parametrize(
    "kind",
    [k if k in QUICK else pytest.param(k, marks=pytest.mark.slow) for k in FROM_LATENTS],
)
def test_a_frame_between_is_img2img_with_mixed_words(
    kind: str, tiny_transformer: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = tiny_transformer(kind)
    family = BY_CLASS[type(loaded(folder)).__name__]
    shape = (1, 16, SIDES[kind] // 8 + 2, SIDES[kind] // 8)
    ends = [torch.randn(shape, generator=torch.Generator().manual_seed(n)) for n in (1, 2)]
    inputs = {}
    for role, latents in zip(("start", "towards"), ends, strict=True):
        inputs[role] = str(tmp_path / role)
        save_file({"latents": latents}, inputs[role])
    engine = drawing_engine(spec(family, folder), quiet())
    told = task(kind, strength=0.6, noise=9, between=FrameBetween(SHARE, OTHER))
    found, _ = draw(engine, tmp_path / "out", told, **inputs)

    pipeline = getattr(diffusers, family.pipelines["image"]).from_pipe(loaded(folder))
    pipeline.image_processor.register_to_config(vae_latent_channels=16)
    with torch.no_grad():
        here, there = (READ[kind](pipeline, text) for text in (PROMPT, OTHER))
        words = {name: mixed(name, here[name], there[name]) for name in here}
        if "negative_prompt" in GUIDED[kind]:
            shunned = READ[kind](pipeline, NOT)
            words |= {f"negative_{name}": value for name, value in shunned.items()}
    if kind == "z-image":
        words = {name: list(value) for name, value in words.items()}
    start = slerp(*ends, SHARE)
    generator = torch.Generator().manual_seed(9)
    given = {"image": start, "strength": 0.6, "generator": generator, "negative_prompt": None}
    assert found == by_hand(pipeline, kind, prompt=None, **words, **given_to(pipeline, given))
    # and both prompts are in it
    for other in (
        replace(told, prompt="a castle"),
        replace(told, between=FrameBetween(0.3, PROMPT)),
    ):
        assert draw(engine, tmp_path / "other", other, **inputs)[0] != found


def given_to(pipeline: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Those of some arguments that a pipeline takes."""
    import inspect

    takes = inspect.signature(pipeline.__call__).parameters
    return {name: value for name, value in given.items() if name in takes}


def able(family: Family) -> bool:
    return family.waves or "image" in family.pipelines


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_a_family_that_draws_nothing_between_says_so_and_which_do(
    name: str, tmp_path: Path
) -> None:
    path = board(tmp_path, motion={"kind": "morph", "frames": 3})
    facts = facts_for(family=name)
    if able(FAMILIES[name]):
        made = [p.action.id for p in plan_of(path, facts).actions]
        assert "film/meadow/1/between_2" in made
        return
    with pytest.raises(InvalidDocument) as caught:
        plan_of(path, facts)
    (found,) = (one for one in caught.value.diagnostics if one.code == "motion")
    assert FAMILIES[name].title in found.message
    every = [family.title for family in FAMILIES.values()]
    told = [title for title in every if title in found.hints[0].rpartition(": ")[2].split(", ")]
    assert told == [family.title for family in FAMILIES.values() if able(family)]
