"""How much a diffusion transformer multiplies, and keeps at its peak, for one picture. Without torch.

Counted from the names and shapes of its weights: what works on the picture's tokens, on the words', on both,
or once a picture. Held against torch's own counts by tests.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from lorakit.facts.models.model_facts import ModelFacts

# layers that see time, size or pooled words: one vector a picture
_ONCE = re.compile(
    r"norm\w*\.linear|_mod\.|modulation|adaLN|(^|\.)(time|guidance)|t_embedder|distilled_"
)
_WORDS = re.compile(
    r"\.add_|to_add_out|_context\b|txt_|context_embedder|cap_embedder|context_refiner"
)
_BOTH = re.compile(r"^(single_transformer_blocks|layers)\.")
_PATCH = 4  # latents that are one token, two by two
_SPARSE = 64  # tokens of a prompt where none is padded
_SHOWN = 2  # pictures that a chained frame is drawn by, at most


def width(config: Mapping[str, Any]) -> int:
    """Channels of a token."""
    heads = int(config.get("num_attention_heads", 24)) * int(config.get("attention_head_dim", 128))
    return int(config.get("dim", heads))


def tokens(model: ModelFacts, positions: float, references: int = 0) -> tuple[float, float]:
    """Tokens of a picture of so many latent `positions` with its `references`, and of its words."""
    words = model.token_limit if model.words.padded else min(_SPARSE, model.token_limit)
    return (1 + references) * positions / _PATCH, float(words)


def operations(model: ModelFacts, positions: float) -> float:
    """Floating-point operations of a pass at so many latent `positions`; 0 where nothing is known."""
    picture, words = tokens(model, positions, min(1, model.traits.references))
    config, both = model.transformer, picture + words
    layers = sum(int(config.get(key, 0)) for key in ("num_layers", "num_single_layers", "n_layers"))
    attention = 4.0 * both**2 * width(config) * layers
    if not model.denoiser_shapes:
        # before its weights are here; most of a picture's tokens meet most of them
        return 2.0 * model.parameters.get(model.traits.denoiser, 0) * picture + attention

    def times(name: str) -> float:
        if _ONCE.search(name):
            return 1.0
        return both if _BOTH.search(name) else words if _WORDS.search(name) else picture

    weights = {
        n: s for n, s in model.denoiser_shapes.items() if n.endswith("weight") and len(s) > 1
    }
    return sum(2.0 * math.prod(s) * times(n) for n, s in weights.items()) + attention


def elements(model: ModelFacts, positions: float) -> float:
    """Elements at the peak of a pass without gradients."""
    family = model.traits
    seen = sum(tokens(model, positions, min(_SHOWN, family.references)))
    return family.elements * width(model.transformer) * seen
