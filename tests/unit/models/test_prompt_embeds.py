"""Prompts in chunks and with layers left out, held against text encoders that are asked by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from lorakit.models.loading import load_pipeline
from lorakit.models.prompt_embeds import prompt_embeds

pytestmark = pytest.mark.filterwarnings("ignore")
WORDS = "the white bunny finds a golden key in the green forest and rides a rocket to mars "
LONG = WORDS * 12
FAMILIES = {"tiny_sd": "sd", "tiny_sd2": "sd", "tiny_sdxl": "sdxl"}


@pytest.fixture(scope="module", params=FAMILIES)
def model(request: pytest.FixtureRequest) -> tuple[Any, str]:
    family = FAMILIES[request.param]
    folder: Path = request.getfixturevalue(request.param)
    return load_pipeline(folder, family, "fp32", "cpu", without=("unet", "vae")), family


def parts(pipeline: Any, family: str) -> list[tuple[Any, Any]]:
    found = [(pipeline.tokenizer, pipeline.text_encoder)]
    return [*found, (pipeline.tokenizer_2, pipeline.text_encoder_2)] if family == "sdxl" else found


def by_hand(tokenizer: Any, encoder: Any, family: str, text: str, chunks: int, skip: int) -> Any:
    """Each chunk by itself: (hidden, pooled) of each."""
    ids = tokenizer(text, add_special_tokens=False).input_ids[: 75 * chunks]
    found = []
    for number in range(chunks):
        chunk = ids[75 * number : 75 * (number + 1)]
        pad = [tokenizer.pad_token_id] * (75 - len(chunk))
        row = torch.tensor([[tokenizer.bos_token_id, *chunk, tokenizer.eos_token_id, *pad]])
        out = encoder(row, output_hidden_states=True)
        inner = getattr(encoder, "text_model", encoder)
        if family == "sdxl":
            hidden = out.hidden_states[-2 - skip]
        else:
            hidden = inner.final_layer_norm(out.hidden_states[-1 - skip])
        found.append((hidden[0], out[0]))
    return found


@pytest.mark.parametrize("skip", [0, 1])
@pytest.mark.parametrize("chunks", [1, 2, 3])
@pytest.mark.parametrize("text", ["a fox", LONG], ids=["short", "long"])
@torch.no_grad()
def test_long_captions_are_encoded_in_chunks_of_75_tokens(
    model: tuple[Any, str], text: str, chunks: int, skip: int
) -> None:
    pipeline, family = model
    embeds, pooled = prompt_embeds(
        pipeline, family, [text, "an owl"], "cpu", chunks=chunks, clip_skip=skip
    )
    assert embeds.shape[:2] == (2, 75 * chunks + 2)
    expected = []
    for tokenizer, encoder in parts(pipeline, family):
        each = by_hand(tokenizer, encoder, family, text, chunks, skip)
        inner = [hidden[1:76] for hidden, _ in each]
        expected.append(torch.cat([each[0][0][:1], *inner, each[-1][0][76:]]))
        first = each[0][1]
    assert torch.allclose(embeds[0], torch.cat(expected, dim=-1), atol=1e-5)
    if family == "sdxl":
        assert pooled is not None
        assert torch.allclose(pooled[0], first[0], atol=1e-5)
    else:
        assert pooled is None


@torch.no_grad()
def test_what_is_as_usual_is_what_diffusers_gives(model: tuple[Any, str]) -> None:
    pipeline, family = model
    found, pooled = prompt_embeds(pipeline, family, ["a fox"], "cpu")
    out = pipeline.encode_prompt("a fox", device=torch.device("cpu"), num_images_per_prompt=1,
                                 do_classifier_free_guidance=False)  # fmt: skip
    assert torch.equal(found, out[0])
    assert pooled is None or torch.equal(pooled, out[2])
    one, _ = prompt_embeds(pipeline, family, ["a fox"], "cpu", clip_skip=1)
    assert one.shape == found.shape
    assert not torch.allclose(one, found)
