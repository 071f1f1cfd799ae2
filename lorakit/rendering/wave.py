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

from lorakit.facts.machine.devices import DEVICES
from lorakit.rendering.cross_attention_cache import Stacked, Stacker
from lorakit.rendering.prompt_encoder import Conditioning
from lorakit.rendering.schedules import Schedule
from lorakit.rendering.shared_attention import sharing


@dataclass(frozen=True, slots=True)
class Reference:
    """A finished frame that another's self-attention sees: latents and noise (1, C, H, W), and words."""

    latents: Tensor
    noise: Tensor
    positive: Conditioning


@dataclass(slots=True)
class Row:
    """One frame under way: `latents` (1, C, H, W) in fp32 on the device; `index` of the next call.

    `guidance_embed` (1, D) is for UNets that are told the guidance scale, as LCM's is. The words have been
    read in `chunks`.
    """

    id: str
    schedule: Schedule
    latents: Tensor
    positive: Conditioning
    negative: Conditioning
    guidance_scale: float
    index: int = 0
    guidance_embed: Tensor | None = None
    references: tuple[Reference, ...] = ()
    chunks: int = 1

    @property
    def done(self) -> bool:
        """Whether all calls are through."""
        return self.index >= len(self.schedule)

    @property
    def guided(self) -> bool:
        """Whether the negative prompt has a say.

        At a scale of 1 or less diffusers leaves guidance out, and also where the UNet is told the scale.
        """
        return self.guidance_scale > 1 and self.guidance_embed is None


Predict = Callable[
    [Tensor, Tensor, Tensor, dict[str, Tensor] | None, Tensor | None, int, int], Tensor
]
_Call = tuple[Tensor, Tensor, Tensor, "dict[str, Tensor] | None", Tensor | None, int, int]
Stack = Callable[[Sequence[Conditioning]], Stacked]


def predictor(unet: Any, device: str) -> Predict:
    """The UNet as a function of (B, C, H, W) latents, (B,) timesteps and conditioning; fp32 out.

    The last of its arguments are (B, D) embeddings of guidance scales, or None; how many times each frame is
    in the call; and how many references each has, whose rows come last and are left out of what it gives.
    """
    dtype = unet.dtype
    # as the weights lie (models/loading.py says why)
    like = DEVICES[device].unet_channels_last
    layout = torch.channels_last if like else torch.contiguous_format

    def predict(
        latents: Tensor,
        timesteps: Tensor,
        embeds: Tensor,
        added: dict[str, Tensor] | None,
        guidance: Tensor | None = None,
        times: int = 1,
        references: int = 0,
    ) -> Tensor:
        inputs = latents.to(dtype=dtype, memory_format=layout)
        with sharing(unet, times, references):
            out: Tensor = unet(
                inputs,
                timesteps,
                encoder_hidden_states=embeds,
                timestep_cond=None if guidance is None else guidance.to(dtype),
                added_cond_kwargs=added,
                return_dict=False,
            )[0]
        return out[: len(out) * times // (times + references)].float()

    return predict


@torch.inference_mode()
def advance(
    rows: Sequence[Row], batch_size: int, predict: Predict, stack: Stack | None = None
) -> None:
    """One UNet call of `batch_size` rows and one step of each row's schedule.

    `rows` are at most as many, all guided or none, and have as many references and chunks of words each:
    guided ones are in the call twice, and each sort has calls of its own, so that none's bits depend on
    another. What is left is filled up with copies of the first, and thrown away.
    """
    _step(rows, predict(*_call(rows, batch_size, stack or Stacker())))


@torch.inference_mode()
def advance_trying(
    rows: Sequence[Row], batch_size: int, smaller: int, predict: Predict, stack: Stack | None = None
) -> bool:
    """`advance`, and whether a call of `smaller` rows would have given these rows the very same bits."""
    whole = predict(*_call(rows, batch_size, stack or Stacker()))
    tried = predict(*_call(rows, smaller, Stacker()))
    times = 2 if rows[0].guided else 1
    count, shape = len(rows), whole.shape[1:]
    same = torch.equal(
        whole.reshape(times, batch_size, *shape)[:, :count],
        tried.reshape(times, smaller, *shape)[:, :count],
    )
    _step(rows, whole)
    return same


def _call(rows: Sequence[Row], batch_size: int, stack: Stack) -> _Call:
    """What the UNet is told of rows, `batch_size` of them."""
    filled = [*rows, *[rows[0]] * (batch_size - len(rows))]
    scaled = torch.cat([row.schedule.scaled(row.latents, row.index) for row in filled])
    timesteps = torch.stack([row.schedule.told[row.index] for row in filled])
    texts = [row.positive for row in filled]
    scales = [row.guidance_embed for row in filled if row.guidance_embed is not None]
    times, references = 1, len(rows[0].references)
    if rows[0].guided:
        times = 2
        scaled, timesteps = torch.cat([scaled, scaled]), torch.cat([timesteps, timesteps])
        texts = [*(row.negative for row in filled), *texts]
    if references:
        seen = [(row, row.references[number]) for number in range(references) for row in filled]
        scaled = torch.cat([scaled, *(_noised(row, reference) for row, reference in seen)])
        timesteps = torch.cat([timesteps, *[timesteps[: len(filled)]] * references])
        texts = [*texts, *(reference.positive for _, reference in seen)]
        scales = scales * (1 + references)
    return (
        scaled,
        timesteps,
        *stack(texts),
        torch.cat(scales) if scales else None,
        times,
        references,
    )


def _noised(row: Row, reference: Reference) -> Tensor:
    """A reference as the UNet would meet it where the row is now."""
    noisy = row.schedule.noised(reference.latents, reference.noise, row.index)
    return row.schedule.scaled(noisy, row.index)


def _step(rows: Sequence[Row], out: Tensor) -> None:
    """Take each row's step by its part of what the UNet said."""
    guided = rows[0].guided
    low, high = out.chunk(2) if guided else (out, out)
    for slot, row in enumerate(rows):
        without, told_so = low[slot : slot + 1], high[slot : slot + 1]
        prediction = without + row.guidance_scale * (told_so - without) if guided else told_so
        row.latents = row.schedule.step(prediction, row.latents, row.index)
        row.index += 1
