"""A UNet that learns to take noise out of pictures, from cached latents and embeds.

    x_t = sqrt(a_t) x_0 + sqrt(1 - a_t) noise
    v_t = sqrt(a_t) noise - sqrt(1 - a_t) x_0

Whether the UNet predicts noise or v_t, and the a_t, are read from the model's own scheduler.
Min-SNR weights: Hang et al. 2023, https://arxiv.org/abs/2303.09556.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from lorakit.plan.evaluation import TIMESTEPS
from lorakit.plan.seeds import derive
from lorakit.plan.tasks.training import EncodedSample
from lorakit.training import image_batches
from lorakit.training.image_batches import ImageBatches
from lorakit.training.rank_shard import RankShard
from lorakit.training.task import trainable


@dataclass(slots=True)
class ImageTask:
    """Networks with what is trained in them, and what they learn from.

    `noise_offset` and `snr_gamma` 0 are off. Latents are drawn from the autoencoder's `spread`, where there
    is one, or are its means.
    """

    model: nn.Module
    scheduler: Any
    batches: ImageBatches
    snr_gamma: float = 0.0
    noise_offset: float = 0.0
    spread: bool = True
    _signal: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self._signal = self.scheduler.alphas_cumprod.float()

    def parameters(self) -> Mapping[str, nn.Parameter]:
        """The trainable parameters by name."""
        return trainable(self.model)

    def batch(self, number: int) -> dict[str, Any]:
        """Latents, words and weights; views and dropped captions are drawn from the batch's number."""
        return self.batches.batch(number)

    def names(self, number: int) -> list[str]:
        """The pictures' files."""
        return image_batches.names(self.batches.members(number))

    def loss(
        self, model: nn.Module, batch: Any, generator: torch.Generator, shard: RankShard
    ) -> Tensor:
        """Mean squared error of what the UNet predicts; noise is drawn on the CPU, the same anywhere."""
        mean: Tensor = batch["mean"]

        def drawn(*shape: int) -> Tensor:
            return torch.randn(shape, generator=generator).to(mean)

        start = mean
        if self.spread and "logvar" in batch:
            start = mean + torch.exp(0.5 * batch["logvar"]) * drawn(*mean.shape)
        noise = drawn(*mean.shape)
        if self.noise_offset:
            noise = noise + self.noise_offset * drawn(*mean.shape[:2], 1, 1)
        places = self._places(len(mean), generator)
        batch, start, noise, places = (shard.cut(whole) for whole in (batch, start, noise, places))
        each = self._errors(model, batch, start, noise, places)
        if self.snr_gamma:
            each = each * self._weights(places).to(each)
        if "weight" in batch:
            each = each * batch["weight"]
        return each.mean()

    def _places(self, count: int, generator: torch.Generator) -> Tensor:
        """Where in the schedule each of so many samples is."""
        return torch.randint(self._length(), (count,), generator=generator)

    def _length(self) -> int:
        """Places of the schedule."""
        return len(self._signal)

    def _noised(
        self, start: Tensor, noise: Tensor, places: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Noisy latents, what the network is told of the time, and what it is to say."""
        times = places.to(start.device)
        noisy = self.scheduler.add_noise(start, noise, times)
        target = noise
        if self.scheduler.config.prediction_type == "v_prediction":
            target = self.scheduler.get_velocity(start, noise, times)
        return noisy, times, target

    def _errors(
        self, model: nn.Module, batch: Any, start: Tensor, noise: Tensor, places: Tensor
    ) -> Tensor:
        """Each sample's mean squared error, over what its mask leaves."""
        noisy, times, target = self._noised(start, noise, places)
        words = {k: batch[k] for k in ("captions", "embeds", "pooled", "time_ids") if k in batch}
        said = model(noisy, times, **words)
        squares = (said.float() - target.float()).square()
        if "mask" not in batch:
            return squares.flatten(1).mean(1)
        mask: Tensor = batch["mask"].to(squares)
        whole = mask.flatten(1).sum(1).clamp_min(1e-6) * squares.shape[1]
        return (squares * mask).flatten(1).sum(1) / whole

    def _weights(self, times: Tensor) -> Tensor:
        ratio = self._signal[times] / (1 - self._signal[times]).clamp_min(1e-8)
        capped = ratio.clamp_max(self.snr_gamma)
        if self.scheduler.config.prediction_type == "v_prediction":
            return capped / (ratio + 1)
        return capped / ratio.clamp_min(1e-8)

    @torch.no_grad()
    def fixed_losses(
        self, model: nn.Module, samples: Sequence[EncodedSample], device: Any, seed: int
    ) -> Iterator[float]:
        """Each picture's loss at noise and timesteps that are the same whenever it is asked."""
        model.eval()
        places = torch.linspace(0, self._length() - 1, TIMESTEPS + 2)[1:-1].long()
        for number, sample in enumerate(samples):
            rng = torch.Generator().manual_seed(derive(seed, "held out", number))
            many = [sample] * TIMESTEPS
            batch = self.batches.collated(
                many, [0] * TIMESTEPS, [sample.caption] * TIMESTEPS, [False] * TIMESTEPS
            )
            batch = {k: v.to(device) if hasattr(v, "to") else v for k, v in batch.items()}
            start: Tensor = batch["mean"]
            noise = torch.randn(start.shape, generator=rng).to(start)
            yield float(self._errors(model, batch, start, noise, places).mean())
