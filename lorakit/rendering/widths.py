"""Which narrower waves give the very bits that the full one gives, found by trying.

A frame's key promises the bits of a wave of full width. Where a matrix product or a convolution picks
another kernel for another batch, a narrower call differs in the last bits; where it does not, a wave
with few frames may be called narrow and cost less. Which it is depends on processor, library and
precision, so it is measured: random inputs, compared bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lorakit.rendering.conditioning import Conditioning, stack
from lorakit.rendering.wave import Predict

_TRIES = 2


@torch.inference_mode()
def equal_widths(
    predict: Predict,
    width: int,
    shape: tuple[int, int, int],
    example: Sequence[Conditioning],
    *,
    guided: bool = True,
) -> tuple[int, ...]:
    """The widths, ascending and ending with `width`, whose rows equal the full wave's bit for bit.

    `shape` is a row's (C, H, W); `example` some conditionings to try with; `guided` rows are called twice.
    """
    candidates = [w for w in (1, 2, 4, 8, 16) if w < width]
    alike = dict.fromkeys(candidates, True)
    for attempt in range(_TRIES if candidates else 0):
        generator = torch.Generator().manual_seed(attempt)
        latents = torch.randn((width, *shape), generator=generator)
        timesteps = torch.randint(0, 1000, (width,), generator=generator)
        rows = [example[(slot + attempt) % len(example)] for slot in range(width)]
        times = 2 if guided else 1
        whole = _call(predict, latents, timesteps, rows, times)
        for narrow in candidates:
            offset = attempt % (width - narrow + 1)
            part = slice(offset, offset + narrow)
            tried = _call(predict, latents[part], timesteps[part], rows[part], times)
            alike[narrow] &= torch.equal(tried, whole[:, part])
    return (*(w for w in candidates if alike[w]), width)


def _call(
    predict: Predict,
    latents: Tensor,
    timesteps: Tensor,
    rows: Sequence[Conditioning],
    times: int,
) -> Tensor:
    embeds, added = stack([*rows] * times)
    out = predict(torch.cat([latents] * times), torch.cat([timesteps] * times), embeds, added)
    return out.reshape(times, len(rows), *out.shape[1:])
