"""What ComfyUI and A1111 call the schedulers that are here."""

from __future__ import annotations

from typing import NamedTuple

from lorakit.language.yaml import names
from lorakit.plan.schedulers import SCHEDULERS


class ComfySampler(NamedTuple):
    """ComfyUI's names for one: who takes the steps, and where they lie; `near` where it is not the same."""

    sampler: str
    scheduler: str = "normal"
    near: bool = False


# ours -> those of KSampler in ComfyUI's comfy/samplers.py
COMFY = {
    "ddim": ComfySampler("ddim", "ddim_uniform"),
    "ddpm": ComfySampler("ddpm"),
    "pndm": ComfySampler("ipndm", near=True),  # it has no PNDM; this one improves on it
    "euler_discrete": ComfySampler("euler"),
    "euler_ancestral_discrete": ComfySampler("euler_ancestral"),
    "heun_discrete": ComfySampler("heun"),
    "dpm_solver_multistep": ComfySampler("dpmpp_2m"),
    "unipc_multistep": ComfySampler("uni_pc_bh2"),
    "kdpm2_discrete": ComfySampler("dpm_2"),
    "lcm": ComfySampler("lcm", "sgm_uniform"),
}
_THEIRS = {one.sampler: name for name, one in COMFY.items()}
_KARRAS = "karras"


def ours(sampler: str) -> str | None:
    """The scheduler here that is called so in ComfyUI or A1111; None where there is none."""
    word = sampler.strip()
    if word in SCHEDULERS:
        return word
    return _THEIRS.get(word) or names.foreign(word, SCHEDULERS)


def takes_karras(sampler: str, scheduler: str) -> bool:
    """Whether a sampler, or what stands beside it, asks for the sigmas of Karras et al."""
    return scheduler.casefold() == _KARRAS or sampler.casefold().endswith(f" {_KARRAS}")


def of_class(name: object) -> str | None:
    """Our name of a scheduler that a model's own configuration gives as diffusers' class."""
    return next((ours for ours, row in SCHEDULERS.items() if row.diffusers == name), None)
