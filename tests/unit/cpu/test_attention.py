"""Small attention in math: what it gives, and when it is chosen."""

from __future__ import annotations

import pytest
import torch
from diffusers.models.attention_processor import Attention

from lorakit.cpu.attention import SmallInMath, small_attention_in_math


def attention(*, crossed: bool) -> Attention:
    torch.manual_seed(0)
    width = 24 if crossed else None
    return Attention(query_dim=32, cross_attention_dim=width, heads=2, dim_head=16)


@pytest.mark.parametrize("asked", [None, 7])
def test_the_outcome_and_the_gradients_are_alike(asked: int | None) -> None:
    plain = attention(crossed=asked is not None)
    ours = torch.nn.Sequential(attention(crossed=asked is not None))
    small_attention_in_math(ours)
    assert isinstance(ours[0].processor, SmallInMath)
    words = None if asked is None else torch.randn(2, asked, 24)
    places = torch.randn(2, 16, 32)
    results = []
    for module in (plain, ours[0]):
        x = places.clone().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16):
            out = module(x, encoder_hidden_states=words)
        out.float().square().sum().backward()
        results.append((out.float().detach(), x.grad))
    for one, other in zip(*results, strict=True):
        assert torch.allclose(one, other, atol=2e-2, rtol=2e-2)


@pytest.mark.parametrize(
    ("places", "low", "fused"), [(16, True, False), (16, False, True), (400, True, True)]
)
def test_only_few_places_under_autocast_are_computed_in_math(
    places: int, low: bool, fused: bool
) -> None:
    allowed = []

    def look(*_: object, **__: object) -> torch.Tensor:
        allowed.append(torch.backends.cuda.flash_sdp_enabled())
        return torch.zeros(())

    chooser = SmallInMath(look)
    with torch.autocast("cpu", torch.bfloat16, enabled=low):
        chooser(None, torch.zeros(1, places, 8))
    assert allowed == [fused]
