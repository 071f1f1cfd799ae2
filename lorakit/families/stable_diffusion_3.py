"""Stable Diffusion 3 and 3.5: a flow-matching transformer that reads CLIP's words twice, and T5's.

Esser et al. 2024, https://arxiv.org/abs/2403.03206. T5 may be left out; then CLIP's 77 tokens are all.
"""

from __future__ import annotations

from lorakit.families.family import Configs, Family, PromptWords, Published
from lorakit.families.flow import FlowTraining
from lorakit.families.parts import (
    CLIP_WORDS,
    CLIP_WORDS_2,
    KL_VAE,
    projected,
    t5,
    t5_words,
    transformer,
)
from lorakit.families.stable_diffusion_3_shapes import SD3_ORIGINAL, sd3_shapes

_OTHERS = 83_819_683 + 123_650_304 + 694_659_840 + 4_762_310_656
_MEDIUM = {
    "sample_size": 128,
    "num_layers": 24,
    "num_attention_heads": 24,
    "attention_head_dim": 64,
}
_MEDIUM_2 = {**_MEDIUM, "qk_norm": "rms_norm", "dual_attention_layers": tuple(range(13))}
_LARGE = {**_MEDIUM, "num_layers": 38, "num_attention_heads": 38, "qk_norm": "rms_norm"}
_LARGEST = 38  # layers


def _has_t5(configs: Configs) -> bool:
    return "text_encoder_3" in configs or "text_encoder" not in configs


def _words(configs: Configs) -> PromptWords:
    return PromptWords("tokenizer_3", "t5", marks=1) if _has_t5(configs) else PromptWords()


def _limit(configs: Configs) -> int:
    return 256 if _has_t5(configs) else 77


def _defaults(configs: Configs, name: str) -> tuple[int, float]:
    told = configs.get("transformer", {})
    if "turbo" in name:  # which nothing in its configuration tells
        return 4, 0.0
    if not told.get("qk_norm"):
        return 28, 7.0
    return (28, 3.5) if told.get("num_layers") == _LARGEST else (40, 4.5)


def _native(configs: Configs) -> tuple[int, int]:
    side = 8 * int(configs.get("transformer", {}).get("sample_size") or 128)
    return side, side


def _longest(configs: Configs) -> int:
    told = configs.get("transformer", {})
    return 8 * int(told.get("pos_embed_max_size") or 0) * int(told.get("patch_size") or 2)


STABLE_DIFFUSION_3 = Family(
    name="sd3",
    title="Stable Diffusion 3",
    pipelines={
        "text": "StableDiffusion3Pipeline",
        "image": "StableDiffusion3Img2ImgPipeline",
        "inpaint": "StableDiffusion3InpaintPipeline",
        "control": "StableDiffusion3ControlNetPipeline",
    },
    controlnet="SD3ControlNetModel",
    classes=(
        "StableDiffusion3Pipeline",
        "StableDiffusion3Img2ImgPipeline",
        "StableDiffusion3InpaintPipeline",
    ),
    called=("diffusion-3", "sd3"),
    compiles=False,
    parts=(
        transformer("SD3Transformer2DModel"),
        KL_VAE,
        projected("text_encoder"),
        projected("text_encoder_2"),
        t5("text_encoder_3", optional=True),
        CLIP_WORDS,
        CLIP_WORDS_2,
        t5_words("tokenizer_3", optional=True),
    ),
    roots=(
        "transformer_blocks.",
        "pos_embed",
        "context_embedder",
        "time_text_embed.",
        "norm_out.",
        "proj_out",
    ),
    text_parts=("text_encoder", "text_encoder_2"),
    words=_words,
    token_limit=_limit,
    defaults=_defaults,
    trained=True,
    flow=FlowTraining(
        script="train_dreambooth_lora_sd3.py",
        call="stable_diffusion_3:StableDiffusion3Call",
        weighting="logit_normal",
        preconditioned=True,
        distilled=lambda _, name: "turbo" in name,
    ),
    shapes=sd3_shapes,
    original=SD3_ORIGINAL,
    buffers=("pos_embed.pos_embed",),
    encoded=("prompt_embeds", "", "pooled_prompt_embeds"),
    targets=(
        "attn.add_k_proj",
        "attn.add_q_proj",
        "attn.add_v_proj",
        "attn.to_add_out",
        "attn.to_k",
        "attn.to_out.0",
        "attn.to_q",
        "attn.to_v",
    ),
    native=_native,
    unit=2,
    least=0.25,
    longest=_longest,
    call=lambda _configs, _size: {"max_sequence_length": 256},
    published={
        "stabilityai/stable-diffusion-3.5-large": Published(
            {"transformer": _LARGE}, _OTHERS, 8_056_627_520
        ),
        "stabilityai/stable-diffusion-3.5-large-turbo": Published(
            {"transformer": _LARGE}, _OTHERS, 8_056_627_520
        ),
        "stabilityai/stable-diffusion-3.5-medium": Published(
            {"transformer": _MEDIUM_2}, _OTHERS, 2_243_171_520
        ),
        "stabilityai/stable-diffusion-3-medium-diffusers": Published(
            {"transformer": _MEDIUM}, _OTHERS, 2_028_328_000
        ),
    },
)
