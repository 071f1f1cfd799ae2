"""Chroma: Flux.1-schnell undone of its distillation and of CLIP, so that it is guided again.

https://huggingface.co/lodestones/Chroma1-HD.
"""

from __future__ import annotations

from lorakit.families.family import Family, PromptWords, Published
from lorakit.families.flux import ROOTS
from lorakit.families.parts import KL_VAE, picture_size, t5, t5_words, transformer

_OTHERS = 83_819_683 + 4_762_310_656
_PARAMETERS = 8_899_983_424
_CONFIG = {"num_layers": 19, "num_single_layers": 38}
_LIMIT = 512

CHROMA = Family(
    name="chroma",
    title="Chroma",
    pipelines={
        "text": "ChromaPipeline",
        "image": "ChromaImg2ImgPipeline",
    },
    classes=("ChromaPipeline", "ChromaImg2ImgPipeline", "ChromaInpaintPipeline"),
    called=("chroma",),
    parts=(
        transformer("ChromaTransformer2DModel"),
        KL_VAE,
        t5("text_encoder"),
        t5_words("tokenizer"),
    ),
    roots=(*ROOTS, "distilled_guidance_layer."),
    packs=4,
    text_parts=(),
    words=lambda _: PromptWords("tokenizer", "t5", marks=1),
    token_limit=lambda _: _LIMIT,
    defaults=lambda _configs, _name: (40, 3.0),
    native=picture_size,
    unit=2,
    least=0.25,
    attention="masked",
    encoded=("prompt_embeds", "", "prompt_attention_mask"),
    call=lambda _configs, _size: {"max_sequence_length": _LIMIT},
    published={
        "lodestones/Chroma1-HD": Published({"transformer": _CONFIG}, _OTHERS, _PARAMETERS),
        "lodestones/Chroma1-Base": Published({"transformer": _CONFIG}, _OTHERS, _PARAMETERS),
    },
)
