"""An autoencoder that decodes tile by tile, where a whole picture would be too much for a card."""

from __future__ import annotations

from typing import Any

from lorakit.plan.drawing_memory import TILE


def decode_in_tiles(vae: Any, *, tiled: bool) -> None:
    """Have diffusers' autoencoder decode in tiles from now on, or whole again.

    Neighbours overlap by a quarter and are blended, so that pictures differ a little from whole ones.
    """
    if not tiled:
        if getattr(vae, "use_tiling", False):
            vae.disable_tiling()
        return
    vae.enable_tiling()
    if hasattr(vae, "tile_latent_min_size"):
        # its own tiles are as large as the pictures that it was trained on
        shrink = 2 ** (len(vae.config.block_out_channels) - 1)
        vae.tile_sample_min_size, vae.tile_latent_min_size = TILE, TILE // shrink
