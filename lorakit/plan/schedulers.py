"""The schedulers that frames can be drawn with: one row each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SchedulerRow:
    """A scheduler by diffusers' class.

    One of second order calls the UNet twice for each step but the last. `karras` says whether it can take
    the sigmas of Karras et al. 2022; `options` are laid over the model's own scheduler's.
    """

    diffusers: str
    order: int = 1
    karras: bool = False
    options: Mapping[str, object] = field(default_factory=dict)

    def calls(self, steps: int) -> int:
        """How often it calls the UNet in so many steps."""
        return self.order * steps - (self.order - 1)


DEFAULT = "default"  # the model's own, whatever it is
SCHEDULERS: Mapping[str, SchedulerRow] = {
    "ddim": SchedulerRow("DDIMScheduler"),
    "ddpm": SchedulerRow("DDPMScheduler"),
    "pndm": SchedulerRow("PNDMScheduler"),
    "euler_discrete": SchedulerRow("EulerDiscreteScheduler", karras=True),
    "euler_ancestral_discrete": SchedulerRow("EulerAncestralDiscreteScheduler"),
    "heun_discrete": SchedulerRow("HeunDiscreteScheduler", order=2, karras=True),
    "dpm_solver_multistep": SchedulerRow("DPMSolverMultistepScheduler", karras=True),
    "unipc_multistep": SchedulerRow("UniPCMultistepScheduler", karras=True),
    "kdpm2_discrete": SchedulerRow("KDPM2DiscreteScheduler", order=2, karras=True),
    "lcm": SchedulerRow("LCMScheduler"),
}


def calls(scheduler: str, steps: int) -> int:
    """UNet calls of so many steps, by a scheduler's name; the model's own counts as one of first order."""
    row = SCHEDULERS.get(scheduler)
    return row.calls(steps) if row else steps
