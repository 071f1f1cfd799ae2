"""The schedulers that frames can be drawn with: one row each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from lorakit.records import record


@record
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


_PNDM = "PNDMScheduler"
_WARM_UP = 9  # calls that Runge-Kutta's four steps take beyond those that are asked for
LEAST_TO_WARM_UP = 4  # steps; diffusers fails with fewer
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


_BY_CLASS = {row.diffusers: row for row in reversed(list(SCHEDULERS.values()))}


def calls(scheduler: str, steps: int, own: Mapping[str, object] | None = None) -> int:
    """UNet calls of so many steps, by a scheduler's name; `own` is the model's own scheduler's configuration.

    One that is not known counts as one of first order.
    """
    kind = class_of(scheduler, own or {})
    if kind == _PNDM:
        return steps + (_WARM_UP if warms_up(scheduler, own or {}) else int(steps > 1))
    row = _BY_CLASS.get(kind)
    return row.calls(steps) if row else steps


def class_of(scheduler: str, own: Mapping[str, object]) -> str:
    """The class in diffusers of a scheduler by its name, or of the model's own."""
    row = SCHEDULERS.get(scheduler)
    return row.diffusers if row else str(own.get("_class_name", ""))


def warms_up(scheduler: str, own: Mapping[str, object]) -> bool:
    """Whether it begins by Runge-Kutta, as PNDM does unless the model's configuration leaves that out."""
    return class_of(scheduler, own) == _PNDM and not own.get("skip_prk_steps")
