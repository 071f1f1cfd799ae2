"""Attention that sees a reference's character alone: thresholds, words, and what company does to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.models.attention_processor import Attention
from torch import Tensor
from transformers import CLIPTokenizer

from lorakit.models.loading import load_pipeline
from lorakit.rendering.prompt_encoder import PromptEncoder
from lorakit.rendering.shared_attention import SharedAttention, sharing
from lorakit.rendering.subject_masks import SubjectMasks, otsu
from lorakit.rendering.subject_tokens import subject_tokens
from lorakit.rendering.wave import Reference, Row, advance, predictor
from tests.unit.rendering.test_shared_attention import a_row, by_hand, drawn

WORDS = torch.ones(1, 77)


@pytest.mark.parametrize("seed", range(6))
def test_a_map_is_cut_where_opencv_cuts_it(seed: int) -> None:
    cv2 = pytest.importorskip("cv2")
    generator = np.random.default_rng(seed)
    values = generator.normal(60, 20, (32, 24))
    values[8:20, 4:16] = generator.normal(120 + 15 * seed, 25, (12, 12))
    picture = np.clip(values, 0, 255).round().astype(np.uint8)
    picture.flat[:2] = 0, 255  # so that levels are its own
    threshold, mask = cv2.threshold(picture, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    found = otsu(torch.from_numpy(picture.astype(np.float32))[None])[0]
    assert np.array_equal(found.numpy(), mask > 0), threshold
    # of any scale, and each map by itself
    both = torch.stack([torch.from_numpy(values).float(), torch.from_numpy(values).float() * 7 - 3])
    assert torch.equal(*otsu(both))


def test_a_map_without_anything_in_it_hides_nothing() -> None:
    assert otsu(torch.full((2, 4, 4), 0.5)).all()


def test_a_character_s_tokens_are_found_in_a_prompt(tiny_sd: Path) -> None:
    tokenizer = CLIPTokenizer.from_pretrained(tiny_sd / "tokenizer")
    prompt = "soft, a white bunny with a magic hat meets a fox in a white house"
    ids = tokenizer(prompt).input_ids

    def words(*phrases: str, told: str = prompt) -> str:
        found = subject_tokens(tokenizer, told, phrases).nonzero().flatten().tolist()
        return tokenizer.decode([tokenizer(told).input_ids[n] for n in found])

    assert words("a white bunny with a magic hat") == "white bunny magic hat"
    assert words("a fox") == "fox"
    assert words("a fox", "a white bunny with a magic hat") == "white bunny magic hat fox"
    # with an adjective put in its words count, wherever they stand
    assert words("a happy bunny") == "bunny"
    assert words("a robot") == ""
    assert words("a fox", told="a (fox:1.4) in a (wood:0.5)") != ""
    assert len(ids) < 77


def masks(seen: Tensor, words: Tensor = WORDS) -> SubjectMasks:
    return SubjectMasks(words.expand(len(seen), -1), seen)


@torch.inference_mode()
def test_what_is_masked_is_not_seen() -> None:
    torch.manual_seed(1)
    layer = Attention(24, heads=3, dim_head=8, bias=True).eval()
    rows = torch.randn(3 * 2, 16, 24)  # two frames, guided, a reference each
    seen = torch.rand(2, 4, 4) > 0.5
    out = SharedAttention(2, 1, masks(seen))(layer, rows)
    for at in range(4):
        others = rows[4 + at % 2][seen[at % 2].flatten()]
        assert torch.allclose(out[at], by_hand(layer, rows[at], others), atol=1e-5)
    # half as high and wide, a place is seen where half of it is
    smaller = masks(seen.repeat_interleave(2, 1).repeat_interleave(2, 2))
    assert torch.equal(out, SharedAttention(2, 1, smaller)(layer, rows))
    whole = SharedAttention(2, 1, masks(torch.ones(2, 4, 4, dtype=torch.bool)))(layer, rows)
    assert torch.equal(whole, SharedAttention(2, 1)(layer, rows))


def test_processors_are_as_before_though_words_were_watched(tiny_sd: Path) -> None:
    unet = load_pipeline(tiny_sd, "sd", "fp32", "cpu").unet
    before = dict(unet.attn_processors)
    with sharing(unet, 2, 1, masks(torch.ones(1, 8, 8, dtype=torch.bool))):
        assert all(one is not before[name] for name, one in unet.attn_processors.items())
    assert unet.attn_processors == before
    with pytest.raises(RuntimeError), sharing(unet, 2, 1, masks(torch.ones(1, 8, 8) > 0)):
        raise RuntimeError
    assert unet.attn_processors == before


@pytest.fixture(params=["sd", "sdxl"])
def loaded(request: pytest.FixtureRequest, tiny_sd: Path, tiny_sdxl: Path) -> tuple[Any, str]:
    model = {"sd": tiny_sd, "sdxl": tiny_sdxl}[request.param]
    return load_pipeline(model, request.param, "fp32", "cpu"), request.param


def reference(loaded: tuple[Any, str], text: str, *words: str, seed: int = 1) -> Reference:
    pipeline, family = loaded
    latents, noise = (
        torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(one))
        for one in (seed, seed + 1)
    )
    told = PromptEncoder(pipeline, family, "cpu")(text, (64, 64), negative=False)
    tokens = subject_tokens(pipeline.tokenizer, text, words) if words else None
    return Reference(latents, noise, told, tokens)


def rows_of(loaded: tuple[Any, str], one: Reference, seed: int = 4) -> Row:
    return a_row(*loaded, (one,), seed)


def test_a_frame_sees_its_reference_s_character_whatever_its_company(
    loaded: tuple[Any, str],
) -> None:
    fox = reference(loaded, "a fox in a wood", "a fox")
    owl = reference(loaded, "an owl at night", "an owl", seed=7)
    alone = rows_of(loaded, fox)
    before = drawn(loaded[0], [alone], 2)[0]
    assert alone.looked is not None
    assert 0 < otsu(alone.looked).float().mean() < 1
    company = [rows_of(loaded, owl, 9), rows_of(loaded, fox)]
    assert torch.equal(drawn(loaded[0], company, 2)[1], before)
    # another word is another place, and none of it all of the frame
    wood = drawn(loaded[0], [rows_of(loaded, reference(loaded, "a fox in a wood", "wood"))], 2)[0]
    whole = drawn(loaded[0], [rows_of(loaded, reference(loaded, "a fox in a wood"))], 2)[0]
    assert not torch.equal(before, wood)
    assert not torch.equal(before, whole)


def test_a_mask_that_hides_nothing_changes_no_bit(
    loaded: tuple[Any, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = drawn(loaded[0], [rows_of(loaded, reference(loaded, "a fox in a wood"))], 2)[0]
    # a map that is the same everywhere is seen everywhere
    monkeypatch.setattr(SubjectMasks, "maps", lambda self: torch.ones(self._seen.shape))
    fox = reference(loaded, "a fox in a wood", "a fox")
    assert torch.equal(drawn(loaded[0], [rows_of(loaded, fox)], 2)[0], whole)


def test_the_first_step_sees_all_and_looks(loaded: tuple[Any, str]) -> None:
    pipeline = loaded[0]
    masked = rows_of(loaded, reference(loaded, "a fox in a wood", "a fox"))
    plain = rows_of(loaded, reference(loaded, "a fox in a wood"))
    predict = predictor(pipeline.unet, "cpu")
    for row in (masked, plain):
        advance([row], 1, predict)
    assert torch.equal(masked.latents, plain.latents)
    assert masked.looked is not None
    assert masked.looked.shape == (1, 8, 8)
    assert plain.looked is None
