"""What networks need at the peak of a pass without gradients, from their configurations. Without torch.

Counted in elements, and held against torch's MemTracker by tests: scratch of kernels comes on top.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# of a transformer's block: its feed-forward's halves, gate and product, and what stands beside them
_ATTENDED = 21
# of a resnet behind a skip connection: what comes in, twice as wide, normed, activated, and what comes out
_CONVOLVED = 11
_SD = 8340.0  # of a UNet whose blocks are not known: Stable Diffusion's
_DECODED = 3  # tensors as wide as the next level, in the decoder's last block
_ENCODED = 5  # as wide as the first, in the encoder's
# the same, as wide as the first, where it is one for films (Qwen-Image's), whose convolutions pad in time
_FILM_DECODED, _FILM_ENCODED = 18, 10


def unet_elements(config: Mapping[str, Any]) -> float:
    """Elements a row and latent position: all skip connections, and the widest block's work."""
    widths = config.get("block_out_channels") or ()
    kinds = config.get("down_block_types") or ()
    if not widths or len(kinds) != len(widths):
        return _SD
    told = config.get("layers_per_block", 2)
    layers = told if isinstance(told, list | tuple) else [told] * len(widths)
    kept, work = float(widths[0]), 0.0
    for level, (width, kind, count) in enumerate(zip(widths, kinds, layers, strict=False)):
        here = width / 4**level
        below = width / 4 ** (level + 1) if level < len(widths) - 1 else 0.0
        kept += here * count + below
        work = max(work, here * (_ATTENDED if str(kind).startswith("CrossAttn") else _CONVOLVED))
    return kept + work


def vae_elements(config: Mapping[str, Any]) -> float:
    """Elements a px of a picture that is decoded."""
    if "base_dim" in config:
        return float(_FILM_DECODED * config["base_dim"])
    widths = _widths(config)
    return float(_DECODED * widths[min(1, len(widths) - 1)])


def vae_encoder_elements(config: Mapping[str, Any]) -> float:
    """Elements a px of a picture that is encoded."""
    if "base_dim" in config:
        return float(_FILM_ENCODED * config["base_dim"])
    return float(_ENCODED * _widths(config)[0])


def _widths(config: Mapping[str, Any]) -> Sequence[int]:
    told = config.get("block_out_channels") or config.get("decoder_block_out_channels")
    return tuple(map(int, told)) if told else (128, 256)
