"""A transformer that learns the way from noise to pictures (flow matching), from cached latents and embeds.

    x_s = (1 - s) x_0 + s noise,  said: noise - x_0

The s are those of the model's own scheduler at its training timesteps, its shift in them, as diffusers'
published scripts have it; these scripts' names stand in families/.
Lipman et al. 2023, https://arxiv.org/abs/2210.02747.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from lorakit.training.image_task import ImageTask


@dataclass(slots=True)
class FlowTask(ImageTask):
    """An `ImageTask` whose scheduler is a FlowMatchEulerDiscreteScheduler.

    Places of its schedule are drawn evenly, or from the middle more often (`logit_normal`). Where it is
    `preconditioned`, the pictures x_s - s said are compared, whose error is s times as large.
    """

    weighting: Literal["none", "logit_normal"] = "none"
    preconditioned: bool = False

    def __post_init__(self) -> None:
        self._signal = self.scheduler.sigmas[: len(self.scheduler.timesteps)].float()

    def _places(self, count: int, generator: torch.Generator) -> Tensor:
        from diffusers.training_utils import compute_density_for_timestep_sampling

        shares = compute_density_for_timestep_sampling(
            self.weighting, count, logit_mean=0.0, logit_std=1.0, generator=generator
        )
        return (shares * self._length()).long()

    def _errors(
        self, model: nn.Module, batch: Any, start: Tensor, noise: Tensor, places: Tensor
    ) -> Tensor:
        each = super(FlowTask, self)._errors(model, batch, start, noise, places)
        return each * self._signal[places].to(each).square() if self.preconditioned else each

    def _noised(
        self, start: Tensor, noise: Tensor, places: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        shares = self._signal[places].to(start).reshape(-1, *[1] * (start.dim() - 1))
        times = self.scheduler.timesteps[places].to(start.device)
        return (1.0 - shares) * start + shares * noise, times, noise - start
