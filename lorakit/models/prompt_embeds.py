"""Prompts as embeds by a pipeline's own text encoders, long ones in chunks.

What fits is encoded as diffusers does it. A longer text is cut into chunks of 75 tokens, each is encoded
between a start and an end token of its own, and what comes of them is joined between the first chunk's
start and the last one's end: 77, 152 or 227 places, as sd-scripts' `max_token_length` of 150 and 225 has
it. SDXL's pooled embeds are the first chunk's.

`clip_skip` is diffusers': so many of a text encoder's last layers are left out (of SDXL's, beside the last,
which never counts).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from lorakit.families import FAMILIES
from lorakit.models.flow import Embeds, flow_call, token_limit


def prompt_embeds(
    pipeline: Any,
    family: str,
    prompts: Sequence[str],
    device: Any,
    *,
    chunks: int = 1,
    clip_skip: int = 0,
    limit: int = 0,
) -> Embeds:
    """Embeds of prompts, with gradients where there are any; what is longer than `chunks` is cut.

    Families of flow matching read up to `limit` tokens instead, 0 for as many as the pipeline tells.
    """
    traits = FAMILIES[family]
    flow = flow_call(pipeline, traits)
    if flow is not None:
        return flow.embeds(prompts, device, limit or token_limit(pipeline, traits))
    large = traits.pooled
    if chunks == 1 and (large or not clip_skip):
        return _as_diffusers_does(pipeline, list(prompts), device, clip_skip, large=large)
    embeds, pooled = [], None
    for name in traits.text_parts:
        tokenizer = getattr(pipeline, name.replace("text_encoder", "tokenizer"))
        encoder = getattr(pipeline, name)
        ids = torch.cat([_chunked(tokenizer, prompt, chunks) for prompt in prompts]).to(device)
        out = encoder(ids, output_hidden_states=True)
        if large:
            hidden = out.hidden_states[-(clip_skip + (traits.clip_layers or 1))]
            pooled = out[0][::chunks]  # the second encoder's, at the end
        elif clip_skip:
            inner = getattr(encoder, "text_model", encoder)  # before transformers 5
            hidden = inner.final_layer_norm(out.hidden_states[-(clip_skip + 1)])
        else:
            hidden = out[0]
        embeds.append(_joined(hidden, chunks))
    return torch.cat(embeds, dim=-1).to(encoder.dtype), pooled


def _as_diffusers_does(
    pipeline: Any, prompts: list[str], device: Any, clip_skip: int, *, large: bool
) -> Embeds:
    if not large:
        return pipeline.encode_prompt(prompts, device, 1, False)[0], None
    embeds, _, pooled, _ = pipeline.encode_prompt(
        prompts,
        device=device,
        num_images_per_prompt=1,
        do_classifier_free_guidance=False,
        clip_skip=clip_skip or None,
    )
    return embeds, pooled


def _chunked(tokenizer: Any, prompt: str, chunks: int) -> Tensor:
    """The token ids of a prompt, (chunks, L): each chunk between a start and an end token, and padded."""
    length = tokenizer.model_max_length
    room = length - 2
    encoded = tokenizer(
        prompt, truncation=True, max_length=room * chunks + 2, add_special_tokens=True
    )
    inner = encoded.input_ids[1:-1]
    rows = []
    for number in range(chunks):
        chunk = inner[number * room : (number + 1) * room]
        row = [tokenizer.bos_token_id, *chunk, tokenizer.eos_token_id]
        rows.append(row + [tokenizer.pad_token_id] * (length - len(row)))
    return torch.tensor(rows)


def _joined(hidden: Tensor, chunks: int) -> Tensor:
    """What chunks came to, (B * chunks, L, D), as (B, chunks * (L - 2) + 2, D)."""
    if chunks == 1:
        return hidden
    each = hidden.unflatten(0, (-1, chunks))
    inner = each[:, :, 1:-1].flatten(1, 2)
    return torch.cat([each[:, 0, :1], inner, each[:, -1, -1:]], dim=1)
