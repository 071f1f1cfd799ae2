"""What a UNet keeps of a forward pass for the way back, from its configuration. Without torch.

Of a resnet what comes into each normalisation, SiLU and convolution; of a transformer what comes into each
normalisation and trained projection, queries, keys and values, what attention gives, and the feed-forward's
halves, gate and product.

On a GPU autocast computes norms in fp32 (`wide_norms`): what comes into one, and into an activation behind
it, is kept in fp32, and each projection that reads its output keeps a copy of its own in low precision.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from lorakit.facts.networks.unet_shapes import TOKENS, level_of, shapes_of

# of what is always kept, the elements that are a norm's, or the activation's behind it
_OF_NORMS: Mapping[str, int] = {
    "norm1": 2,
    "norm2": 2,
    "norm": 1,
    "conv_norm_out": 2,
}
_READ_ONE_NORM = 3  # queries, keys and values
# elements a position and channel, by what the name of a weight ends with: those that are always kept, and
# what comes into a linear layer, which is kept only where it is trained
_EACH: Mapping[str, tuple[int, int]] = {
    "norm1": (3, 0),
    "norm2": (3, 0),
    "norm": (1, 0),
    "conv_norm_out": (3, 0),
    "downsamplers.0.conv": (1, 0),
    "upsamplers.0.conv": (4, 0),  # it comes in at twice the size
    "proj_in": (0, 1),
    "proj_out": (0, 1),
}
_BLOCK: Mapping[str, tuple[int, int]] = {
    "norm1": (1, 0),
    "attn1.to_q": (4, 1),
    "attn1.to_out.0": (0, 1),
    "norm2": (1, 0),
    "attn2.to_q": (2, 1),
    "attn2.to_out.0": (0, 1),
    "norm3": (1, 0),
    "ff.net.0.proj": (0, 1),
    "ff.net.2": (3, 1),  # of what comes in, four times as wide
}


def kept_elements(
    config: Mapping[str, Any],
    positions: float,
    *,
    adapted: Callable[[str], bool] | None,
    checkpointed: bool = False,
    wide_norms: bool = False,
) -> tuple[float, float]:
    """Elements kept for a picture of so many latent `positions`, and those of the one layer that keeps most.

    Nothing is kept before the first layer that is `adapted`; None trains all. `checkpointed` blocks keep what
    comes into each resnet and transformer, and one of them at a time is whole. With `wide_norms` an element
    of a norm's counts as two.
    """
    shapes, levels = shapes_of(config), len(config.get("block_out_channels", ()))
    parts: dict[str, float] = {}
    inputs: dict[str, float] = {}
    begun = adapted is None
    for name, shape in shapes.items():
        if not name.endswith(".weight"):
            continue
        layer = name.removesuffix(".weight")
        begun = begun or (adapted is not None and adapted(layer))
        if not begun:
            continue
        here = positions / 4 ** level_of(layer, levels)
        inside = re.search(r"transformer_blocks\.\d+\.(.+)$", layer)
        always, trained = _BLOCK.get(inside[1], (0, 0)) if inside else _plain(layer)
        if wide_norms:
            always += _wide(layer, inside[1] if inside else "")
            trained *= _READ_ONE_NORM if layer.endswith("attn1.to_q") else 1
        # a convolution keeps what comes in whether it is trained or not
        each = always + (trained if adapted is None or len(shape) == 4 or adapted(layer) else 0)
        width = shape[1] if trained else shape[0]
        found = each * width * here
        if inside and inside[1] == "attn2.to_k":
            found = 2 * shape[0] * TOKENS
        part = re.match(r".*(resnets|transformer_blocks)\.\d+", layer)
        key = part[0] if part else layer
        parts[key] = parts.get(key, 0.0) + found
        if not part:  # what stands beside them is never computed anew
            inputs[key] = found
        elif each and key not in inputs:
            inputs[key] = width * here
    most = max(parts.values(), default=0.0)
    if checkpointed:
        return sum(inputs.values()) + most, most
    return sum(parts.values()), most


def _wide(layer: str, inside: str) -> int:
    """Elements of a norm's, which are twice as wide."""
    if inside:
        return int(inside.startswith("norm"))
    ends = (more for end, more in _OF_NORMS.items() if re.search(rf"(^|\.){end}$", layer))
    return next(ends, 0)


def _plain(layer: str) -> tuple[int, int]:
    ends = (kept for end, kept in _EACH.items() if re.search(rf"(^|\.){end}$", layer))
    return next(ends, (0, 0))
