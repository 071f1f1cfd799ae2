"""Module paths whose dots have become underscores, as kohya's keys have them, and their way back."""

from __future__ import annotations

import re
from functools import cache

# what modules are called in Stable Diffusion's networks: diffusers' UNet, Stability's (sgm), CLIP's
_DIFFUSERS = """down_blocks up_blocks mid_block attentions resnets downsamplers upsamplers transformer_blocks
attn1 attn2 to_q to_k to_v to_out ff net proj proj_in proj_out norm norm1 norm2 norm3 conv conv1 conv2
conv_shortcut conv_in conv_out conv_norm_out time_emb_proj time_embedding add_embedding linear_1 linear_2
cond_proj"""
_SGM = """input_blocks middle_block output_blocks in_layers out_layers emb_layers skip_connection op
time_embed label_emb out"""
_CLIP = """text_model encoder layers self_attn q_proj k_proj v_proj out_proj mlp fc1 fc2 layer_norm1
layer_norm2 embeddings token_embedding position_embedding final_layer_norm text_projection"""


@cache
def _pattern() -> re.Pattern[str]:
    words = sorted(f"{_DIFFUSERS} {_SGM} {_CLIP}".split(), key=len, reverse=True)
    return re.compile(rf"({'|'.join(words)}|\d+)(?:_|$)")


def dotted(flat: str) -> str | None:
    """The path that `flat` was; None where a part of it is called nothing there is in these networks."""
    parts, at = [], 0
    while at < len(flat):
        match = _pattern().match(flat, at)
        if match is None:
            return None
        parts.append(match[1])
        at = match.end()
    return ".".join(parts) if flat and not flat.endswith("_") else None


def flat(path: str) -> str:
    """A path as kohya's keys have it."""
    return path.replace(".", "_")
