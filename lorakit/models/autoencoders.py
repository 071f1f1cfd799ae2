"""Pictures as the latents that a denoiser learns from: what stands between an autoencoder and it.

Most are shifted and scaled as one; those that have a mean and a spread for each channel (Qwen-Image), or a
batch norm over two by two of them (FLUX.2), say so themselves.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor


def latents_of(vae: Any, picture: Tensor) -> tuple[Tensor, Tensor | None]:
    """Means and logarithms of variances, (1, C, h, w) in fp32, of a picture (1, 3, H, W) of -1..1.

    There are no variances where an autoencoder gives points, as AutoencoderTiny does, or where what it
    spreads is not drawn from.
    """
    told = vae.config
    shown = picture.to(vae.device, vae.dtype)
    if hasattr(vae, "temperal_downsample"):  # a film of one picture
        dist = vae.encode(shown.unsqueeze(2)).latent_dist
        shift, spread = (
            torch.tensor(values, dtype=torch.float32, device=vae.device).view(1, -1, 1, 1)
            for values in (told.latents_mean, told.latents_std)
        )
        mean, logvar = (each.squeeze(2).float() for each in (dist.mean, dist.logvar))
        return (mean - shift) / spread, logvar - 2 * spread.log()
    encoded = vae.encode(shown)
    if hasattr(vae, "bn"):
        latents = torch.nn.functional.pixel_unshuffle(encoded.latent_dist.mode().float(), 2)
        shift = vae.bn.running_mean.float().view(1, -1, 1, 1)
        variance = vae.bn.running_var.float().view(1, -1, 1, 1)
        return (latents - shift) / torch.sqrt(variance + told.batch_norm_eps), None
    scale, offset = told.scaling_factor, getattr(told, "shift_factor", None) or 0.0
    if hasattr(encoded, "latents"):
        return (encoded.latents.float() - offset) * scale, None
    dist = encoded.latent_dist
    return (dist.mean.float() - offset) * scale, dist.logvar.float() + 2 * math.log(scale)
