"""A UNet that learns to take noise out of pictures, from cached latents and cached embeds.

    x_t = sqrt(a_t) x_0 + sqrt(1 - a_t) noise
    v_t = sqrt(a_t) noise - sqrt(1 - a_t) x_0

Whether the UNet predicts noise or v_t, and the a_t, are read from the model's own scheduler.
Min-SNR weights: Hang et al. 2023, https://arxiv.org/abs/2303.09556.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from lorakit.plan.buckets import PictureOrder
from lorakit.plan.seeds import derive
from lorakit.rendering.conditioning import Conditioning, stack
from lorakit.training.image_data import Moments, stacked
from lorakit.training.share import Share

_FIXED_TIMES = 8  # timesteps at which each picture's loss is measured


@dataclass(slots=True)
class ImageTask:
    """A UNet with its adapter, and what it learns from.

    `latents[flip]` and `prompts` are by picture; `empty` is the embeds of no caption; `caption_dropout`
    and `flip` are chances; `noise_offset` and `snr_gamma` 0 are off.
    """

    model: nn.Module
    scheduler: Any
    order: PictureOrder
    latents: Sequence[Sequence[Moments]]
    prompts: Sequence[Conditioning]
    empty: Sequence[Conditioning]
    files: Sequence[str]
    snr_gamma: float = 0.0
    noise_offset: float = 0.0
    caption_dropout: float = 0.0
    _signal: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self._signal = self.scheduler.alphas_cumprod.float()

    def parameters(self) -> Mapping[str, nn.Parameter]:
        """The trainable parameters by name."""
        return {name: p for name, p in self.model.named_parameters() if p.requires_grad}

    def batch(self, number: int) -> dict[str, Any]:
        """Latents and embeds; flips and dropped captions are drawn from the batch's number."""
        members = self.order.members(number)
        dice = torch.Generator().manual_seed(derive(self.order.seed, "batch", number))
        chances = torch.rand(len(members), 2, generator=dice)
        flips = [int(chance * len(self.latents)) for chance in chances[:, 0].tolist()]
        dropped = (chances[:, 1] < self.caption_dropout).tolist()
        prompts = [
            self.empty[one] if drop else self.prompts[one]
            for one, drop in zip(members, dropped, strict=True)
        ]
        return self._collated(
            [self.latents[f][m] for f, m in zip(flips, members, strict=True)], prompts
        )

    def _collated(
        self, moments: Sequence[Moments], prompts: Sequence[Conditioning]
    ) -> dict[str, Any]:
        embeds, added = stack(prompts)
        return {**stacked(moments), "embeds": embeds, **(added or {})}

    def names(self, number: int) -> list[str]:
        """The pictures' files."""
        return [self.files[one] for one in self.order.members(number)]

    def loss(
        self, model: nn.Module, batch: Any, generator: torch.Generator, share: Share
    ) -> Tensor:
        """Mean squared error of what the UNet predicts; noise is drawn on the CPU, the same anywhere."""
        mean: Tensor = batch["mean"]

        def drawn(*shape: int) -> Tensor:
            return torch.randn(shape, generator=generator).to(mean)

        start = mean + batch["std"] * drawn(*mean.shape) if "std" in batch else mean
        noise = drawn(*mean.shape)
        if self.noise_offset:
            noise = noise + self.noise_offset * drawn(*mean.shape[:2], 1, 1)
        times = torch.randint(len(self._signal), (len(mean),), generator=generator)
        batch, start, noise, times = (share.cut(one) for one in (batch, start, noise, times))
        each = self._errors(model, batch, start, noise, times)
        if self.snr_gamma:
            each = each * self._weights(times).to(each)
        return each.mean()

    def _errors(
        self, model: nn.Module, batch: Any, start: Tensor, noise: Tensor, times: Tensor
    ) -> Tensor:
        times = times.to(start.device)
        noisy = self.scheduler.add_noise(start, noise, times)
        target = noise
        if self.scheduler.config.prediction_type == "v_prediction":
            target = self.scheduler.get_velocity(start, noise, times)
        added = {k: batch[k] for k in ("text_embeds", "time_ids") if k in batch}
        said = model(
            noisy,
            times,
            encoder_hidden_states=batch["embeds"],
            added_cond_kwargs=added or None,
            return_dict=False,
        )[0]
        return (said.float() - target.float()).square().flatten(1).mean(1)

    def _weights(self, times: Tensor) -> Tensor:
        ratio = self._signal[times] / (1 - self._signal[times]).clamp_min(1e-8)
        capped = ratio.clamp_max(self.snr_gamma)
        if self.scheduler.config.prediction_type == "v_prediction":
            return capped / (ratio + 1)
        return capped / ratio.clamp_min(1e-8)

    @torch.no_grad()
    def fixed_loss(self, model: nn.Module, pictures: Sequence[int], device: Any) -> float:
        """The loss of pictures at the same noise and timesteps whenever it is asked."""
        model.eval()
        total, times = 0.0, torch.linspace(0, len(self._signal) - 1, _FIXED_TIMES + 2)[1:-1].long()
        for one in pictures:
            dice = torch.Generator().manual_seed(1000 + one)
            batch = self._collated(
                [self.latents[0][one]] * _FIXED_TIMES, [self.prompts[one]] * _FIXED_TIMES
            )
            batch = {k: v.to(device) for k, v in batch.items()}
            start: Tensor = batch["mean"]
            noise = torch.randn(start.shape, generator=dice).to(start)
            total += float(self._errors(model, batch, start, noise, times).mean())
        return total / max(1, len(pictures))
