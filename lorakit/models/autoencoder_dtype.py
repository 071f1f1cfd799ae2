"""An autoencoder kept in another precision than what stands before and behind it.

In fp16 a denoiser's latents meet an autoencoder in fp32, since what that computes on the way goes beyond
fp16's largest number. Most of diffusers' pipelines hand over what they have.
"""

from __future__ import annotations

import functools
from typing import Any

from torch import Tensor


def take_any_dtype(vae: Any) -> None:
    """Have an autoencoder take pictures and latents of any dtype, and give latents in that of the picture."""
    encode, decode = vae.encode, vae.decode

    @functools.wraps(encode)
    def encoded(picture: Tensor, *given: Any, **named: Any) -> Any:
        said = encode(picture.to(vae.dtype), *given, **named)
        dist = getattr(said, "latent_dist", None)
        if dist is not None and dist.parameters.dtype != picture.dtype:
            said.latent_dist = type(dist)(dist.parameters.to(picture.dtype))
        return said

    @functools.wraps(decode)
    def decoded(latents: Tensor, *given: Any, **named: Any) -> Any:
        return decode(latents.to(vae.dtype), *given, **named)

    vae.encode, vae.decode = encoded, decoded
