"""A schedule for each row: the timesteps a frame goes through, and the step between two."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from lorakit.facts.machine.devices import HOST
from lorakit.plan.schedulers import SCHEDULERS


class Schedule:
    """One frame's way through the noise levels, on a diffusers scheduler of its own.

    diffusers' schedulers hold the state of one trajectory, so rows at different places of different
    schedules can share a UNet call only if each has its own.
    """

    def __init__(
        self,
        template: Any,
        name: str,
        steps: int,
        strength: float,
        generator: torch.Generator,
        *,
        karras: bool | None = None,
        device: str = HOST,
    ) -> None:
        """`template` is the pipeline's scheduler; `name` is of plan/schedulers.py; `strength` in (0, 1].

        `karras` None leaves its sigmas as the template has them. The latents of a step are on `device`,
        and so is `told`, what the denoiser is told of the time; noise levels are numbers of the CPU's, so
        that no step waits for a device.
        """
        self.scheduler = scheduler_of(template, name, karras=karras)
        self.scheduler.set_timesteps(steps, device=HOST)
        order = getattr(self.scheduler, "order", 1)
        first = 0
        if strength < 1:
            # img2img's rule for SD and SDXL: the last int(steps * strength) of them
            first = max(steps - min(int(steps * strength), steps), 0) * order
            if hasattr(self.scheduler, "set_begin_index"):
                self.scheduler.set_begin_index(first)
        self.timesteps: Tensor = self.scheduler.timesteps[first:]
        self.told: Tensor = self.timesteps.to(device)
        self._device = device
        self._extra = _step_options(self.scheduler, generator)

    def __len__(self) -> int:
        """UNet calls this frame takes."""
        return len(self.timesteps)

    def begin(self, noise: Tensor, start: Tensor | None) -> Tensor:
        """The first noisy latents (1, C, H, W): pure noise, or `start` noised to the first timestep.

        `noise` and `start` are on the CPU.
        """
        if start is None:
            return (noise * self.scheduler.init_noise_sigma).to(self._device)
        result: Tensor = self.scheduler.add_noise(start, noise, self.timesteps[:1])
        return result.to(self._device)

    def noised(self, latents: Tensor, noise: Tensor, index: int) -> Tensor:
        """Finished latents (1, C, H, W) with as much noise as there is before call `index`, the next one.

        What it is given is on the CPU.
        """
        result: Tensor = self.scheduler.add_noise(latents, noise, self.timesteps[index : index + 1])
        return result.to(self._device)  # to ask the scheduler there would be to wait for the device

    def scaled(self, latents: Tensor, index: int) -> Tensor:
        """The latents as the UNet wants them at call `index`."""
        result: Tensor = self.scheduler.scale_model_input(latents, self.timesteps[index])
        return result

    def step(self, prediction: Tensor, latents: Tensor, index: int) -> Tensor:
        """The latents after call `index`."""
        result: Tensor = self.scheduler.step(
            prediction, self.timesteps[index], latents, return_dict=False, **self._extra
        )[0]
        return result


def scheduler_of(template: Any, name: str, *, karras: bool | None = None) -> Any:
    """The scheduler of a name of plan/schedulers.py, with what `template`, the model's own, has settled.

    `karras` None leaves its sigmas as the template has them.
    """
    import diffusers

    row = SCHEDULERS.get(name)
    kind = getattr(diffusers, row.diffusers) if row else type(template)
    options = dict(row.options) if row else {}
    if karras is not None:
        options["use_karras_sigmas"] = karras
    return kind.from_config(template.config, **options)


def _step_options(scheduler: Any, generator: torch.Generator) -> dict[str, Any]:
    import inspect

    parameters = inspect.signature(scheduler.step).parameters
    return {"generator": generator} if "generator" in parameters else {}
