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
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from lorakit.facts.machine.devices import DEVICES
from lorakit.records import record
from lorakit.rendering.cross_attention_cache import Stacked, Stacker
from lorakit.rendering.prompt_encoder import Conditioning
from lorakit.rendering.schedules import Schedule
from lorakit.rendering.shared_attention import sharing
from lorakit.rendering.subject_masks import SubjectMasks, otsu


@record
class Reference:
    """A finished frame that another's self-attention sees: latents and noise (1, C, H, W), and words.

    `subject` (T,) says which of its tokens are the character's that alone is seen; None for all of the frame.
    """

    latents: Tensor
    noise: Tensor
    positive: Conditioning
    subject: Tensor | None = None


@dataclass(slots=True)
class Row:
    """One frame under way: `latents` (1, C, H, W) in fp32 on the device; `index` of the next call.

    `guidance_embed` (1, D) is for UNets that are told the guidance scale, as LCM's is. The words have been
    read in `chunks`. `looked` (R, H, W) is how much its references have looked at their subject so far.
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
    looked: Tensor | None = None

    @property
    def masked(self) -> bool:
        """Whether it sees its references in part."""
        return any(one.subject is not None for one in self.references)

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
    [
        Tensor,
        Tensor,
        Tensor,
        dict[str, Tensor] | None,
        Tensor | None,
        int,
        int,
        SubjectMasks | None,
    ],
    Tensor,
]


class _Call(NamedTuple):
    """What a UNet is told: the arguments of a `Predict`."""

    latents: Tensor
    timesteps: Tensor
    embeds: Tensor
    added: dict[str, Tensor] | None
    guidance: Tensor | None
    times: int
    references: int
    masks: SubjectMasks | None


Stack = Callable[[Sequence[Conditioning]], Stacked]


def predictor(unet: Any, device: str) -> Predict:
    """The UNet as a function of (B, C, H, W) latents, (B,) timesteps and conditioning; fp32 out.

    The last of its arguments are (B, D) embeddings of guidance scales, or None; how many times each frame is
    in the call; how many references each has, whose rows come last and are left out of what it gives; and
    what of these is seen, None for all.
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
        masks: SubjectMasks | None = None,
    ) -> Tensor:
        inputs = latents.to(dtype=dtype, memory_format=layout)
        with sharing(unet, times, references, masks):
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
    call = _call(rows, batch_size, stack or Stacker())
    _step(rows, predict(*call), call.masks)


@torch.inference_mode()
def advance_trying(
    rows: Sequence[Row], batch_size: int, smaller: int, predict: Predict, stack: Stack | None = None
) -> bool:
    """`advance`, and whether a call of `smaller` rows would have given these rows the very same bits."""
    call = _call(rows, batch_size, stack or Stacker())
    whole = predict(*call)
    tried = predict(*_call(rows, smaller, Stacker()))
    times = 2 if rows[0].guided else 1
    count, shape = len(rows), whole.shape[1:]
    same = torch.equal(
        whole.reshape(times, batch_size, *shape)[:, :count],
        tried.reshape(times, smaller, *shape)[:, :count],
    )
    _step(rows, whole, call.masks)
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
    embeds, added = stack(texts)
    guidance = torch.cat(scales) if scales else None
    masks = _masks(filled, embeds.shape[1]) if rows[0].masked else None
    return _Call(scaled, timesteps, embeds, added, guidance, times, references, masks)


def _masks(rows: Sequence[Row], tokens: int) -> SubjectMasks:
    """What rows see of their references, in the order that these have in the call."""
    size = rows[0].latents.shape[2:]
    words, seen = [], []
    for number in range(len(rows[0].references)):
        for row in rows:
            subject = row.references[number].subject
            assert subject is not None
            words.append(pad(subject, (0, tokens - len(subject))))
            looked = None if row.looked is None else row.looked[number]
            all_of_it = torch.ones(size, dtype=torch.bool, device=row.latents.device)
            seen.append(all_of_it if looked is None else otsu(looked[None])[0])
    return SubjectMasks(torch.stack(words), torch.stack(seen))


def _noised(row: Row, reference: Reference) -> Tensor:
    """A reference as the UNet would meet it where the row is now."""
    noisy = row.schedule.noised(reference.latents, reference.noise, row.index)
    return row.schedule.scaled(noisy, row.index)


def _step(rows: Sequence[Row], out: Tensor, masks: SubjectMasks | None) -> None:
    """Take each row's step by its part of what the UNet said, and add up what its references looked at."""
    if masks is not None:
        maps = masks.maps()
        references = len(rows[0].references)
        by_row = maps.unflatten(0, (references, -1)).transpose(0, 1)
        for row, looked in zip(rows, by_row, strict=False):
            row.looked = looked.clone() if row.looked is None else row.looked + looked
    guided = rows[0].guided
    low, high = out.chunk(2) if guided else (out, out)
    for slot, row in enumerate(rows):
        without, told_so = low[slot : slot + 1], high[slot : slot + 1]
        prediction = without + row.guidance_scale * (told_so - without) if guided else told_so
        row.latents = row.schedule.step(prediction, row.latents, row.index)
        row.index += 1
