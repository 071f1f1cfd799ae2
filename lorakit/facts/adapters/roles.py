"""How tensors of adapters are called: the end of a key says what it is, whatever the format."""

from __future__ import annotations

import re
from collections.abc import Mapping

# LoRA: kohya's, diffusers' three spellings, PEFT's; LyCORIS' own
_ENDS: Mapping[str, str] = {
    "lora_down.weight": "down",
    "lora_up.weight": "up",
    "lora_mid.weight": "mid",
    "lora_A.weight": "down",
    "lora_B.weight": "up",
    "lora_B.bias": "up_bias",
    "lora.down.weight": "down",
    "lora.up.weight": "up",
    "lora_linear_layer.down.weight": "down",
    "lora_linear_layer.up.weight": "up",
    "lora_magnitude_vector": "magnitude",
    "lora_magnitude_vector.weight": "magnitude",
    "lora_embedding_A": "embedding_down",
    "lora_embedding_B": "embedding_up",
    "alpha": "alpha",
    "lora.alpha": "alpha",
    "dora_scale": "dora_scale",
    "diff": "diff",
    "diff_b": "diff_b",
    "w_norm": "w_norm",
    "b_norm": "b_norm",
    **{f"hada_{name}": f"hada_{name}" for name in ("w1_a", "w1_b", "w2_a", "w2_b", "t1", "t2")},
    **{
        f"lokr_{name}": f"lokr_{name}"
        for name in ("w1", "w1_a", "w1_b", "w2", "w2_a", "w2_b", "t2")
    },
}
# other methods, by what only they have; they are refused by their names
OTHERS: Mapping[str, str] = {
    "on_input": "IA3",
    "ia3_l": "IA3",
    "oft_blocks": "OFT",
    "oft_diag": "OFT",
    "oft_r.weight": "OFT",
    "oft_r": "OFT",
    "boft_r": "BOFT",
    "boft_s": "BOFT",
    "a1.weight": "GLoRA",
    "b1.weight": "GLoRA",
    "vera_lambda_b": "VeRA",
    "vera_lambda_d": "VeRA",
    "hra_u": "HRA",
    "lora_e": "AdaLoRA",
    "emb_params": "a textual inversion",
    "string_to_param": "a textual inversion",
    "scale_weight": "scaled fp8 weights (scale_weight)",
    "bias_indices": "LyCORIS' sparse biases",
}


# PEFT's own state has an adapter's name in its keys, `default` mostly, which its files leave out
_NAMED = re.compile(
    r"\.(lora_[AB]\.(?=[^.]+\.(?:weight|bias)\Z)|lora_(?:magnitude_vector|embedding_[AB])\.|(?:hada|lokr)_\w+\.)"
    r"(?!(?:weight|bias)\Z)[^.]+"
)


def _nameless(key: str) -> str:
    """A key without its adapter's name: lora_A.default.weight is lora_A.weight."""
    return _NAMED.sub(lambda found: f".{found[1].rstrip('.')}", key, count=1)


def split(key: str) -> tuple[str, str] | None:
    """A key as the layer's own name and the role of the tensor; None for what is no adapter's."""
    key = _nameless(key)
    for dots in (3, 2, 1):
        parts = key.rsplit(".", dots)
        if len(parts) == dots + 1:
            end = ".".join(parts[1:])
            if end in _ENDS:
                return parts[0], _ENDS[end]
    return _processor(key)


def other_method(key: str) -> str:
    """The method that a key's end is of, where it is one that is not read here."""
    low = key.casefold()
    return next(
        (name for mark, name in OTHERS.items() if low.endswith(mark) or f".{mark}." in low), ""
    )


def _processor(key: str) -> tuple[str, str] | None:
    """Diffusers' first spelling: attn1.processor.to_q_lora.down.weight, self_attn.to_q_lora.up.weight."""
    head, mark, end = key.rpartition("_lora.")
    roles = {"down.weight": "down", "up.weight": "up", "alpha": "alpha"}
    if not mark or end not in roles:
        return None
    path, _, name = head.rpartition(".")
    if name not in ("to_q", "to_k", "to_v", "to_out"):
        return None
    path = path.removesuffix(".processor")
    if path.endswith("self_attn"):  # CLIP's own names
        name = f"{name.removeprefix('to_')}_proj"
    return f"{path}.{'to_out.0' if name == 'to_out' else name}", roles[end]
