"""Flux.1 dev and schnell: a flow-matching transformer that reads T5's words, and CLIP's pooled.

https://bfl.ai/blog/24-08-01-bfl. dev was distilled to be told the guidance scale, schnell to four
steps without one.
"""

from __future__ import annotations

from lorakit.families.family import Configs, Family, Part, PromptWords, Published, Union
from lorakit.families.flow import FlowTraining
from lorakit.families.flux_names import FLUX_NAMES
from lorakit.families.flux_shapes import FLUX_ORIGINAL, flux_shapes
from lorakit.families.parts import (
    CLIP,
    CLIP_WORDS,
    FIRST_BLOCK,
    KL_VAE,
    picture_size,
    t5,
    t5_words,
    transformer,
)

OTHERS = 83_819_683 + 123_060_480 + 4_762_310_656
PARTS: tuple[Part, ...] = (
    transformer("FluxTransformer2DModel"),
    KL_VAE,
    CLIP,
    t5("text_encoder_2"),
    CLIP_WORDS,
    t5_words("tokenizer_2"),
)
ROOTS = (
    "transformer_blocks.",
    "single_transformer_blocks.",
    "x_embedder",
    "context_embedder",
    "time_text_embed.",
    "norm_out.",
    "proj_out",
)
# what the published script trains
TARGETS = (
    "attn.to_k",
    "attn.to_q",
    "attn.to_v",
    "attn.to_out.0",
    "attn.add_k_proj",
    "attn.add_q_proj",
    "attn.add_v_proj",
    "attn.to_add_out",
    "ff.net.0.proj",
    "ff.net.2",
    "ff_context.net.0.proj",
    "ff_context.net.2",
)
GUIDED = {"guidance_embeds": True}


def is_told_the_scale(configs: Configs) -> bool:
    """Whether a transformer is told the guidance scale, as dev and Kontext are."""
    return bool(configs.get("transformer", {}).get("guidance_embeds"))


def _limit(configs: Configs) -> int:
    return 512 if is_told_the_scale(configs) else 256


def _defaults(configs: Configs, _: str) -> tuple[int, float]:
    return (28, 3.5) if is_told_the_scale(configs) else (4, 0.0)


FLUX = Family(
    name="flux",
    title="Flux.1",
    pipelines={
        "text": "FluxPipeline",
        "image": "FluxImg2ImgPipeline",
        "inpaint": "FluxInpaintPipeline",
        "control": "FluxControlNetPipeline",
    },
    controlnet="FluxControlNetModel",
    # by the card of InstantX/FLUX.1-dev-Controlnet-Union; later ones need not be told
    union=Union("FluxControlNetModel", "num_mode", {"canny": 0, "depth": 2, "pose": 4}),
    classes=("FluxPipeline", "FluxImg2ImgPipeline", "FluxInpaintPipeline"),
    called=("flux.1", "flux1"),
    parts=PARTS,
    roots=ROOTS,
    packs=4,
    words=lambda _: PromptWords("tokenizer_2", "t5", marks=1),
    token_limit=_limit,
    defaults=_defaults,
    native=picture_size,
    unit=2,
    least=0.25,
    attention="plain",
    guided_above=float("inf"),
    negative=False,
    embedded=is_told_the_scale,
    encoded=("prompt_embeds", "pooled_prompt_embeds"),
    guidable=is_told_the_scale,
    trained=True,
    flow=FlowTraining(
        script="train_dreambooth_lora_flux.py",
        call="flux:FluxCall",
        distilled=lambda configs, _: not is_told_the_scale(configs),
    ),
    targets=TARGETS,
    shapes=flux_shapes,
    original=FLUX_ORIGINAL,
    block_cache=FIRST_BLOCK,
    kohya="flux1",
    theirs=FLUX_NAMES,
    call=lambda configs, _: {"max_sequence_length": _limit(configs)},
    published={
        "black-forest-labs/FLUX.1-dev": Published({"transformer": GUIDED}, OTHERS, 11_901_408_320),
        "black-forest-labs/FLUX.1-schnell": Published({}, OTHERS, 11_891_178_560),
    },
)
