"""Flux.1-Kontext: Flux.1 that is shown a picture, and changes of it what the words say.

Labs et al. 2025, https://arxiv.org/abs/2506.15742.
"""

from __future__ import annotations

from lorakit.families.family import Configs, Family, Options, PromptWords, Published
from lorakit.families.flux import GUIDED, OTHERS, PARTS, ROOTS, is_told_the_scale
from lorakit.families.flux_shapes import FLUX_ORIGINAL, flux_shapes
from lorakit.families.parts import FIRST_BLOCK, picture_size

_LIMIT = 512


def _call(_: Configs, size: tuple[int, int]) -> Options:
    # its own choice of sizes is for pictures from elsewhere; those it is shown here are as large as it draws
    return {"max_sequence_length": _LIMIT, "max_area": size[0] * size[1], "_auto_resize": False}


FLUX_KONTEXT = Family(
    name="flux-kontext",
    title="Flux.1-Kontext",
    pipelines={"text": "FluxKontextPipeline", "reference": "FluxKontextPipeline"},
    classes=("FluxKontextPipeline", "FluxKontextInpaintPipeline"),
    called=("kontext",),
    parts=PARTS,
    roots=ROOTS,
    packs=4,
    words=lambda _: PromptWords("tokenizer_2", "t5", marks=1),
    token_limit=lambda _: _LIMIT,
    defaults=lambda _configs, _name: (28, 2.5),
    native=picture_size,
    unit=2,
    least=0.25,
    attention="plain",
    guided_above=float("inf"),
    negative=False,
    embedded=is_told_the_scale,
    guidable=is_told_the_scale,
    references=1,
    shapes=flux_shapes,
    original=FLUX_ORIGINAL,
    block_cache=FIRST_BLOCK,
    call=_call,
    published={
        "black-forest-labs/FLUX.1-Kontext-dev": Published(
            {"transformer": GUIDED}, OTHERS, 11_901_408_320
        )
    },
)
