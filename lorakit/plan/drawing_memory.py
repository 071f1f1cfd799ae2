"""Memory that drawing needs: weights in the precision they are kept in, and the greatest of its passes."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping

from lorakit.facts.machine.this_machine import Card
from lorakit.facts.models import transformer_work
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.facts.models.unet_layers import denoiser_shapes
from lorakit.facts.networks.inference_memory import unet_elements, vae_elements
from lorakit.plan.memory_modes import GROUP, MODEL, NONE, Needs, Offload, fits

BYTES = {"fp32": 4.0, "bf16": 2.0, "fp16": 2.0}
# of a rounded weight, with what it was rounded by: a number a row, or NF4's byte for 64 of them
ROUNDED = {8: 1.004, 4: 0.516}
TILE = 512  # px of a side that is decoded at a time, where pictures are decoded in tiles
PROCESS = 450 << 20  # what a process with torch and diffusers weighs before any weights
SCRATCH = 1.15  # of a pass, with what a device's kernels take beside its tensors
_BLOCK = re.compile(r"(\w*(?:blocks|layers|refiner)\.\d+)\.")
_UNKNOWN_BLOCKS = 8  # a low guess of how many a denoiser has
_STREAMED = 2  # blocks at a time: one computes, the next one comes
LARGE = 500_000_000  # parameters from which on a text encoder's weights are rounded too


def drawing_needs(
    model: ModelFacts,
    precision: str,
    size: tuple[int, int],
    rows: int,
    *,
    guided: bool,
    references: int = 0,
    tiled: bool = False,
) -> Mapping[tuple[int, Offload], Needs]:
    """Bytes at the peak of drawing at `size` (width, height) px, `rows` frames in a call of the denoiser.

    For each way to keep it: by the bits that weights are rounded to (0, 8, 4), and what waits. Frames
    that are guided are in a call twice, and so many `references` of each beside it. One picture is
    decoded at a time.
    """
    denoiser = denoiser_pass(model, precision, size, rows, guided=guided, references=references)
    decoder = decoder_pass(model, precision, size, tiled=tiled)
    found: dict[tuple[int, Offload], Needs] = {}
    for bits in (0, *ROUNDED) if rounded_parts(model) else (0,):
        parts = weights_by_part(model, precision, bits)
        whole = sum(parts.values())
        found[bits, NONE] = _needs(whole + max(denoiser, decoder))
        if len(parts) < 2:
            continue
        own, vae = parts[model.traits.denoiser], parts.get("vae", 0.0)
        others = max(n for name, n in parts.items() if name not in (model.traits.denoiser, "vae"))
        found[bits, MODEL] = _needs(max(own + denoiser, others, vae + decoder), whole)
        if bits or model.quantised_bytes:
            continue  # hooks of blocks leave behind what weights were rounded by
        streamed = vae + _streamed(model, own)
        found[bits, GROUP] = _needs(max(streamed + denoiser, vae + decoder), whole)
    return found


def undecodable(model: ModelFacts, precision: str, size: tuple[int, int], card: Card) -> bool:
    """Whether a card cannot decode a picture of this size at once, with the autoencoder alone on it."""
    weights = weights_by_part(model, precision).get("vae", 0.0)
    return not fits(_needs(weights + decoder_pass(model, precision, size)), card)


def _needs(card: float, beside: float = 0.0) -> Needs:
    return Needs(int(PROCESS + card), int(beside))


def denoiser_pass(
    model: ModelFacts,
    precision: str,
    size: tuple[int, int],
    rows: int,
    *,
    guided: bool,
    references: int = 0,
) -> float:
    """Bytes that a call of the denoiser takes beside weights."""
    twice = 2 if guided and not model.guidance_embedded else 1
    positions = size[0] * size[1] / model.vae_factor**2
    if model.traits.denoiser == "unet":
        elements = rows * (twice + references) * unet_elements(model.unet) * positions
    else:  # a pipeline calls it once for each of the two
        elements = transformer_work.elements(model, positions)
    return SCRATCH * elements * BYTES[precision]


def decoder_pass(
    model: ModelFacts, precision: str, size: tuple[int, int], *, tiled: bool = False
) -> float:
    """Bytes that decoding a picture takes beside weights, tile by tile where it is `tiled`."""
    width, height = (min(side, TILE) for side in size) if tiled else size
    return SCRATCH * vae_elements(model.vae_config) * width * height * _vae_bytes(precision)


def _vae_bytes(precision: str) -> float:
    # fp16 is too narrow for what an autoencoder computes: it is kept in fp32
    return BYTES["fp32"] if precision == "fp16" else BYTES[precision]


def weights_by_part(model: ModelFacts, precision: str, bits: int = 0) -> Mapping[str, float]:
    """Bytes of each network's weights, those that are rounded to so many `bits`.

    What is not apart before a model is here stands under `others`; where nothing can be counted it is what
    the files weigh, under `""`.
    """
    if not model.parameters:
        return {"": float(model.weight_bytes)}
    rounded = rounded_parts(model) if bits else ()
    whole = {model.traits.denoiser: model.quantised_bytes} if model.quantised_bytes else {}
    each = {
        part: ROUNDED[bits]
        if part in rounded
        else _vae_bytes(precision)
        if part == "vae"
        else BYTES[precision]
        for part in model.parameters
    }
    # what is quantised in its file is kept as it is there
    return {p: float(whole.get(p, count * each[p])) for p, count in model.parameters.items()}


def rounded_parts(model: ModelFacts) -> tuple[str, ...]:
    """The networks whose linear layers may be rounded: a transformer, and text encoders as large as one."""
    if model.traits.waves:
        return ()
    own = () if model.quantised_bytes else (model.traits.denoiser,)
    large = (
        part
        for part, count in model.parameters.items()
        if count >= LARGE and part not in ("vae", model.traits.denoiser)
    )
    return (*own, *large)


def _streamed(model: ModelFacts, weights: float) -> float:
    """Bytes of a denoiser's weights that are on the card at a time, where its blocks come one by one."""
    shapes = denoiser_shapes(model)
    blocks: defaultdict[str, int] = defaultdict(int)
    for name, shape in shapes.items():
        inside = _BLOCK.match(name)
        blocks[inside[1] if inside else ""] += math.prod(shape)
    own = blocks.pop("", 0)
    if not blocks:
        config = model.transformer
        told = sum(
            int(config.get(key, 0)) for key in ("num_layers", "num_single_layers", "n_layers")
        )
        # a little lies outside, and blocks of two kinds differ in size
        return weights * min(1.0, 2 * _STREAMED / max(told, _UNKNOWN_BLOCKS))
    return weights * (own + _STREAMED * max(blocks.values())) / sum((own, *blocks.values()))
