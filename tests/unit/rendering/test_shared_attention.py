"""Frames that see others in their self-attention, against diffusers' own layers and plain products."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.models.attention_processor import Attention
from torch import Tensor

from lorakit.models.loading import load_pipeline
from lorakit.plan.schedulers import SCHEDULERS
from lorakit.rendering.prompt_encoder import PromptEncoder
from lorakit.rendering.schedules import Schedule
from lorakit.rendering.shared_attention import SharedAttention, sharing
from lorakit.rendering.wave import Reference, Row, advance, predictor

# diffusers' KDPM2 takes numpy's logarithm of a tensor
pytestmark = pytest.mark.filterwarnings("ignore:__array_wrap__:DeprecationWarning")


@pytest.fixture(scope="module")
def layer() -> Attention:
    torch.manual_seed(1)
    return Attention(24, heads=3, dim_head=8, bias=True).eval()


def by_hand(layer: Attention, frame: Tensor, *others: Tensor) -> Tensor:
    """One frame (N, C) that sees itself and others: softmax(q k^T / sqrt(d)) v, head by head."""
    seen = torch.cat([frame, *others])
    heads = []
    for q, k, v in zip(
        layer.to_q(frame).split(8, 1),
        layer.to_k(seen).split(8, 1),
        layer.to_v(seen).split(8, 1),
        strict=True,
    ):
        heads.append(torch.softmax(q @ k.T / 8**0.5, dim=1) @ v)
    return layer.to_out[0](torch.cat(heads, 1))


@torch.inference_mode()
@pytest.mark.parametrize(("times", "references"), [(1, 1), (2, 1), (2, 3)])
def test_a_frame_sees_itself_and_its_own_references(
    layer: Attention, times: int, references: int
) -> None:
    count = 2
    rows = torch.randn((times + references) * count, 5, 24)
    out = SharedAttention(times, references)(layer, rows)
    for at in range(times * count):
        theirs = [rows[(times + r) * count + at % count] for r in range(references)]
        assert torch.allclose(out[at], by_hand(layer, rows[at], *theirs), atol=1e-5)
    for at in range(times * count, len(rows)):
        assert torch.allclose(out[at], by_hand(layer, rows[at]), atol=1e-5)


@torch.inference_mode()
def test_to_see_oneself_twice_changes_nothing(layer: Attention) -> None:
    rows = torch.randn(1, 6, 24).repeat(3, 1, 1)
    assert torch.allclose(SharedAttention(2, 1)(layer, rows), layer(rows), atol=1e-6)


def test_processors_are_as_before_once_a_call_is_over(tiny_sd: Path) -> None:
    unet = load_pipeline(tiny_sd, "sd", "fp32", "cpu").unet
    before = dict(unet.attn_processors)
    with sharing(unet, 2, 1):
        shared = {name for name, one in unet.attn_processors.items() if one is not before[name]}
        assert shared == {name for name in before if ".attn1." in name}
    assert unet.attn_processors == before
    with pytest.raises(RuntimeError), sharing(unet, 2, 1):
        raise RuntimeError
    assert unet.attn_processors == before


def a_row(pipeline: Any, family: str, references: tuple[Reference, ...], seed: int = 4) -> Row:
    encoder = PromptEncoder(pipeline, family, "cpu")
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn((1, 4, 8, 8), generator=generator)
    schedule = Schedule(pipeline.scheduler, "ddim", 3, 1.0, generator)
    words = [encoder(text, (64, 64), negative=not text) for text in ("a fox", "")]
    return Row(f"{seed}", schedule, schedule.begin(noise, None), *words, 5.0, references=references)


def drawn(pipeline: Any, rows: list[Row], width: int) -> list[Tensor]:
    predict = predictor(pipeline.unet, "cpu")
    while not rows[0].done:
        advance(rows, width, predict)
    return [row.latents for row in rows]


@pytest.mark.parametrize("family", ["sd", "sdxl"])
def test_references_change_a_frame_and_company_does_not(
    family: str, tiny_sd: Path, tiny_sdxl: Path
) -> None:
    pipeline = load_pipeline({"sd": tiny_sd, "sdxl": tiny_sdxl}[family], family, "fp32", "cpu")
    encoder = PromptEncoder(pipeline, family, "cpu")
    fox, owl = (
        Reference(
            torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(seed)),
            torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(seed + 1)),
            encoder(text, (64, 64), negative=False),
        )
        for seed, text in ((1, "a fox"), (5, "an owl"))
    )
    alone = drawn(pipeline, [a_row(pipeline, family, (fox,))], 2)[0]
    beside = drawn(
        pipeline, [a_row(pipeline, family, (owl,), 9), a_row(pipeline, family, (fox,))], 2
    )[1]
    assert torch.equal(alone, beside)
    plain = drawn(pipeline, [a_row(pipeline, family, ())], 2)[0]
    other = drawn(pipeline, [a_row(pipeline, family, (owl,))], 2)[0]
    assert not torch.allclose(alone, plain, atol=1e-3)
    assert not torch.allclose(alone, other, atol=1e-4)


@pytest.mark.parametrize("name", ["default", *SCHEDULERS])
def test_a_reference_is_as_noisy_as_the_frame_that_sees_it(name: str, tiny_sd: Path) -> None:
    """By the schedule's own share of noise at each call, whatever its scheduler remembers of its steps."""
    pipeline = load_pipeline(tiny_sd, "sd", "fp32", "cpu")
    generator = torch.Generator().manual_seed(0)
    schedule = Schedule(pipeline.scheduler, name, 5, 1.0, generator)
    noise = torch.randn((1, 4, 8, 8), generator=generator)
    latents, nothing = schedule.begin(noise, None), torch.zeros_like(noise)
    before = float("inf")
    for index in range(len(schedule)):
        share = schedule.noised(nothing, noise, index)
        most = float(share.abs().max() / noise.abs().max())
        assert torch.allclose(share, noise * most, atol=1e-4)  # noise alone, by one factor
        assert most <= before * 1.001
        kept = schedule.noised(noise, nothing, index)
        assert torch.allclose(kept, noise * float(kept.abs().max() / noise.abs().max()), atol=1e-4)
        sigmas = getattr(schedule.scheduler, "sigmas", None)
        if sigmas is not None and float(kept.abs().max()) == float(noise.abs().max()):
            # of a schedule in sigmas: what stands in it for this call
            at = schedule.scheduler.step_index or 0
            assert most == pytest.approx(float(sigmas[at]), rel=1e-3)
        before = most
        latents = schedule.step(schedule.scaled(latents, index), latents, index)
