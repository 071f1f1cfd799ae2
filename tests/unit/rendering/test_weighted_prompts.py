"""Weights and long prompts, held against compel by hand with diffusers' own pipelines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from compel import Compel, CompelForSDXL, SplitLongTextMode
from safetensors.torch import load_file
from torch import Tensor

from lorakit.facts.models.tokens import TokenCounter
from lorakit.language.story import weights
from lorakit.rendering.engine import RenderEngine
from lorakit.rendering.prompt_encoder import PromptEncoder
from tests.support.drawing import draw, spec, submit

LONG = ", ".join(["a fox in a forest at night with an owl and a robot"] * 9)
# ours, and the same in compel's grammar
WRITTEN = [
    ("a (fox:1.4) on mars", "a (fox)1.4 on mars"),
    ("a (fox on mars:0.4), a (red hat:1.2)", "a (fox on mars)0.4, a (red hat)1.2"),
    ("a (red (fox:1.5):1.2) on mars", "a (red)1.2 (fox)1.8 on mars"),
    (LONG, LONG),
    (f"{LONG}, a (golden key:1.3)", f"{LONG}, a (golden key)1.3"),
]
NOTHING, NEGATIVE = ("", ""), ("(an owl:1.3)", "(an owl)1.3")
Written = tuple[str, str]


@pytest.fixture(scope="module")
def engines(tiny_sd: Path, tiny_sdxl: Path) -> dict[str, RenderEngine]:
    folders = {"sd": tiny_sd, "sdxl": tiny_sdxl}
    return {
        family: RenderEngine(spec(folder, family=family), lambda *_: None)
        for family, folder in folders.items()
    }


def latents(engine: RenderEngine, out: Path, **told: Any) -> Tensor:
    done = draw(engine, out, encoded_by="compel", **told)
    assert "error" not in done, done
    return load_file(done["outputs"]["latents"])["latents"]


def by_hand(pipeline: Any, **told: Any) -> Tensor:
    from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline

    large = hasattr(pipeline, "text_encoder_2")
    kind = StableDiffusionXLPipeline if large else StableDiffusionPipeline
    stock = kind(**pipeline.components, **({} if large else {"requires_safety_checker": False}))
    stock.set_progress_bar_config(disable=True)
    images: Tensor = stock(
        num_inference_steps=3,
        guidance_scale=5.0,
        width=64,
        height=64,
        generator=torch.Generator().manual_seed(4),
        output_type="latent",
        **told,
    ).images
    return images


@pytest.mark.parametrize(
    ("told", "untold"),
    [*zip(WRITTEN, [NOTHING] * 5, strict=True), (WRITTEN[0], NEGATIVE), (WRITTEN[0], WRITTEN[3])],
)
def test_sd_draws_what_compel_by_hand_draws(
    told: Written, untold: Written, sd: Any, engines: dict[str, RenderEngine], tmp_path: Path
) -> None:
    compel = Compel(
        tokenizer=sd.tokenizer,
        text_encoder=sd.text_encoder,
        truncate_long_prompts=False,
        split_long_text_mode=SplitLongTextMode.PHRASES,
    )
    embeds = [compel(theirs) for _, theirs in (told, untold)]
    shown, hidden = compel.pad_conditioning_tensors_to_same_length(embeds)
    expected = by_hand(sd, prompt_embeds=shown, negative_prompt_embeds=hidden)
    drawn = latents(engines["sd"], tmp_path, prompt=told[0], negative_prompt=untold[0])
    assert torch.allclose(drawn, expected, atol=2e-4), (drawn - expected).abs().max()


@pytest.mark.parametrize(
    ("told", "untold"), [(WRITTEN[1], NOTHING), (WRITTEN[0], NEGATIVE), (WRITTEN[4], NOTHING)]
)
def test_sdxl_draws_what_compel_by_hand_draws(
    told: Written, untold: Written, sdxl: Any, engines: dict[str, RenderEngine], tmp_path: Path
) -> None:
    """With the pooled embeds of the words: compel's own are those of the text with its signs."""
    made = CompelForSDXL(sdxl)(told[1], negative_prompt=untold[1])
    pooled = [
        sdxl.encode_prompt(weights.plain(ours), device="cpu")[2] for ours, _ in (told, untold)
    ]
    more = {"prompt_embeds": made.embeds, "pooled_prompt_embeds": pooled[0]}
    if untold != NOTHING:  # SDXL's own are zeros
        more["negative_prompt_embeds"] = made.negative_embeds
        more["negative_pooled_prompt_embeds"] = pooled[1]
    expected = by_hand(sdxl, **more)
    drawn = latents(engines["sdxl"], tmp_path, prompt=told[0], negative_prompt=untold[0])
    assert torch.allclose(drawn, expected, atol=2e-4), (drawn - expected).abs().max()


def test_words_of_weight_1_within_the_limit_are_the_pipelines_own(sd: Any) -> None:
    encoder = PromptEncoder(sd, "sd", "cpu")
    one = encoder("a fox on mars", (64, 64), negative=False, weighted=True)
    assert one is encoder("a fox on mars", (64, 64), negative=False)


@pytest.mark.parametrize("family", ["sd", "sdxl"])
def test_layers_are_left_out_of_chunks_as_diffusers_leaves_them_out(
    family: str, sd: Any, sdxl: Any, tiny_sd: Path
) -> None:
    encoder = PromptEncoder(sd if family == "sd" else sdxl, family, "cpu")
    whole = encoder(LONG, (64, 64), negative=False, clip_skip=1, weighted=True).embeds
    for at, text in enumerate(TokenCounter(tiny_sd / "tokenizer", 77).chunks([LONG]).texts):
        alone = encoder(text, (64, 64), negative=False, clip_skip=1).embeds
        assert torch.allclose(whole[:, at * 77 : (at + 1) * 77], alone, atol=1e-5)


@pytest.mark.parametrize(
    "text",
    [
        LONG,
        LONG.replace(",", ""),
        ". ".join(["a fox; an owl: a robot"] * 40),
        "x" * 500,
        f"{'a fox ' * 60}, {'(an owl and a key:1.3), ' * 20}",
        "\u5c0f\u7ea2\u5728\u68ee\u6797\u91cc " * 30,
    ],
)
def test_a_plan_counts_the_chunks_that_compel_reads(text: str, sd: Any, tiny_sd: Path) -> None:
    pieces = [piece.text for piece in weights.pieces(text)]
    read = TokenCounter(tiny_sd / "tokenizer", 77).chunks(pieces)
    embeds = PromptEncoder(sd, "sd", "cpu")(text, (64, 64), negative=False, weighted=True).embeds
    assert embeds.shape[1] == 77 * len(read.texts) > 77
    assert "".join(read.texts).replace(" ", "") == weights.plain(text).replace(" ", "")


def test_frames_of_other_lengths_have_calls_of_their_own(
    engines: dict[str, RenderEngine], tmp_path: Path
) -> None:
    """So that none waits for another's words, and none's bits depend on them."""
    engine = engines["sd"]
    alone = latents(engine, tmp_path / "alone", prompt=LONG)
    submit(engine, tmp_path / "fox", "fox", prompt="a fox on mars")
    submit(engine, tmp_path / "long", "long", prompt=LONG, encoded_by="compel")
    submit(engine, tmp_path / "owl", "owl", prompt="an owl")
    ended = {}
    while engine.busy:
        ended.update({one["id"]: one for one in engine.step()})
    assert torch.equal(load_file(ended["long"]["outputs"]["latents"])["latents"], alone)
