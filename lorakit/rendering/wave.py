"""A wave: frames sharing UNet calls, each at its own place in its own schedule.

diffusers' pipelines take one strength, one number of steps and one schedule a call, and all pictures
of a batch begin and end together. Here a batch is a set of rows: before each call free rows take the
next frames that wait, after it each row's own scheduler takes its step, and a frame that is through
leaves. The loop does for each row what diffusers' `StableDiffusionPipeline` and its img2img twin do for
a whole batch (classifier-free guidance: Ho and Salimans 2022, https://arxiv.org/abs/2207.12598);
tests hold it against them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lorakit.rendering.conditioning import Conditioning, stack
from lorakit.rendering.schedules import Schedule


@dataclass(slots=True)
class Row:
    """One frame under way: `latents` (1, C, H, W) in fp32 on the CPU; `index` of the next call."""

    id: str
    schedule: Schedule
    latents: Tensor
    positive: Conditioning
    negative: Conditioning
    guidance_scale: float
    index: int = 0

    @property
    def done(self) -> bool:
        """Whether all calls are through."""
        return self.index >= len(self.schedule)


Predict = Callable[[Tensor, Tensor, Tensor, dict[str, Tensor] | None], Tensor]


def predictor(unet: Any, device: str) -> Predict:
    """The UNet as a function of (2W, C, H, W) latents, (2W,) timesteps and conditioning; fp32 out."""
    dtype = unet.dtype

    def predict(
        latents: Tensor, timesteps: Tensor, embeds: Tensor, added: dict[str, Tensor] | None
    ) -> Tensor:
        inputs = latents.to(device=device, dtype=dtype, memory_format=torch.channels_last)
        out: Tensor = unet(
            inputs,
            timesteps.to(device),
            encoder_hidden_states=embeds,
            added_cond_kwargs=added,
            return_dict=False,
        )[0]
        return out.float().cpu()

    return predict


@torch.inference_mode()
def advance(rows: Sequence[Row], width: int, predict: Predict) -> None:
    """One UNet call of `width` rows (each twice, for guidance) and one step of each row's schedule.

    `rows` are at most `width`; what is left is filled up with copies of the first, and thrown away.
    """
    filled = [*rows, *[rows[0]] * (width - len(rows))]
    scaled = torch.cat([row.schedule.scaled(row.latents, row.index) for row in filled])
    timesteps = torch.stack([row.schedule.timesteps[row.index] for row in filled])
    embeds, added = stack([*(row.negative for row in filled), *(row.positive for row in filled)])
    out = predict(torch.cat([scaled, scaled]), torch.cat([timesteps, timesteps]), embeds, added)
    without, told = out.chunk(2)
    for slot, row in enumerate(rows):
        low, high = without[slot : slot + 1], told[slot : slot + 1]
        # at a scale of 1 or less diffusers leaves guidance out
        guided = low + row.guidance_scale * (high - low) if row.guidance_scale > 1 else high
        row.latents = row.schedule.step(guided, row.latents, row.index)
        row.index += 1
