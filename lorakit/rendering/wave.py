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

from lorakit.rendering.conditioning import Conditioning
from lorakit.rendering.kept_text import Stacked, Stacker
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

    @property
    def guided(self) -> bool:
        """Whether the negative prompt has a say: at a scale of 1 or less diffusers leaves guidance out."""
        return self.guidance_scale > 1


Predict = Callable[[Tensor, Tensor, Tensor, dict[str, Tensor] | None], Tensor]
Stack = Callable[[Sequence[Conditioning]], Stacked]


def predictor(unet: Any, device: str) -> Predict:
    """The UNet as a function of (B, C, H, W) latents, (B,) timesteps and conditioning; fp32 out."""
    dtype = unet.dtype
    # as the weights lie (models/loading.py says why)
    layout = torch.contiguous_format if device == "cpu" else torch.channels_last

    def predict(
        latents: Tensor, timesteps: Tensor, embeds: Tensor, added: dict[str, Tensor] | None
    ) -> Tensor:
        inputs = latents.to(device=device, dtype=dtype, memory_format=layout)
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
def advance(rows: Sequence[Row], width: int, predict: Predict, stack: Stack | None = None) -> None:
    """One UNet call of `width` rows and one step of each row's schedule.

    `rows` are at most `width`, all guided or none: guided ones are in the call twice, and the two sorts have
    calls of their own, so that neither's bits depend on the other. What is left is filled up with copies of
    the first, and thrown away.
    """
    filled = [*rows, *[rows[0]] * (width - len(rows))]
    guided = rows[0].guided
    scaled = torch.cat([row.schedule.scaled(row.latents, row.index) for row in filled])
    timesteps = torch.stack([row.schedule.timesteps[row.index] for row in filled])
    told = [row.positive for row in filled]
    if guided:
        scaled, timesteps = torch.cat([scaled, scaled]), torch.cat([timesteps, timesteps])
        told = [*(row.negative for row in filled), *told]
    out = predict(scaled, timesteps, *(stack or Stacker())(told))
    low, high = out.chunk(2) if guided else (out, out)
    for slot, row in enumerate(rows):
        without, told_so = low[slot : slot + 1], high[slot : slot + 1]
        prediction = without + row.guidance_scale * (told_so - without) if guided else told_so
        row.latents = row.schedule.step(prediction, row.latents, row.index)
        row.index += 1
