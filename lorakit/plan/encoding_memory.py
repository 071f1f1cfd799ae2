"""Memory that encoding takes before a training: an autoencoder in fp32, text encoders, the greater pass."""

from __future__ import annotations

import math
from collections.abc import Mapping

from lorakit.facts.models.model_facts import ModelFacts
from lorakit.facts.models.unet_layers import total
from lorakit.facts.networks.inference_memory import vae_encoder_elements
from lorakit.plan.drawing_memory import BYTES, PROCESS, SCRATCH
from lorakit.plan.memory_modes import GROUP, NONE, Needs, Offload

EXACT = "fp32"  # of an autoencoder, whose latents are the same whatever words are read in
# parameters of the largest autoencoder there is, Qwen-Image's, where it is not counted apart
_AUTOENCODER = 127_000_000
# elements a token of a pass of the largest text encoders, Qwen's: logits, and what each layer says (T5-XXL's
# are a third); of small ones no more than so much of their weights
_TOKEN, _OF_WEIGHTS = 310_000, 0.25
# of text encoders' weights while one layer at a time is there and the next one comes: the widest is the table
# of words, a tenth of Qwen3's
_STREAMED = 0.2


def encoding_needs(
    model: ModelFacts, precision: str, size: tuple[int, int]
) -> Mapping[tuple[int, Offload], Needs]:
    """What it takes with text encoders in a precision, for pictures of up to `size` (width, height) px.

    All of it on the card, or of text encoders one layer at a time.
    """
    counted = model.parameters
    if counted:
        words = sum(n for part, n in counted.items() if part not in (model.traits.denoiser, "vae"))
        autoencoder = counted.get("vae", _AUTOENCODER if "others" in counted else 0)
    else:
        words, autoencoder = max(0, model.weight_bytes // 4 - (total(model) or 0)), 0
    texts, vae = words * BYTES[precision], autoencoder * BYTES[EXACT]
    reading = min(model.token_limit * _TOKEN * BYTES[precision], texts * _OF_WEIGHTS)
    seen = vae_encoder_elements(model.vae_config) * math.prod(size) * BYTES[EXACT]
    passes = SCRATCH * max(reading, seen)
    return {
        (0, NONE): Needs(int(PROCESS + texts + vae + passes)),
        (0, GROUP): Needs(int(PROCESS + texts * _STREAMED + vae + passes), int(texts)),
    }
