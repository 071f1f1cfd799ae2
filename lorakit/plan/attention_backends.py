"""What computes a transformer's attention: diffusers' backends, what each needs, which of them is taken."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from lorakit.facts.machine.this_machine import Machine
from lorakit.families import Family
from lorakit.language.recipe.documents import AttentionWish, Speed

NATIVE = "native"  # torch's own, which takes a flash or memory-efficient kernel where there is one
_ROUNDING = "sage"  # multiplies in 8 bits


class Backend(NamedTuple):
    """What a backend needs: an `nvidia` GPU, 16-bit numbers (`low`), a module and the package that brings it.

    Where it takes no `masks`, it is not for transformers that hand it one.
    """

    nvidia: bool = False
    low: bool = False
    masks: bool = True
    module: str = ""
    package: str = ""


# by diffusers' names (`set_attention_backend`)
BACKENDS: Mapping[str, Backend] = {
    NATIVE: Backend(),
    "_native_math": Backend(),
    "_native_cudnn": Backend(nvidia=True, low=True),
    "_native_flash": Backend(nvidia=True, low=True, masks=False),
    "flash": Backend(True, True, masks=False, module="flash_attn", package="flash-attn"),
    "sage": Backend(True, True, masks=False, module="sageattention", package="sageattention"),
    "xformers": Backend(nvidia=True, module="xformers", package="xformers"),
}


def chosen(
    wish: AttentionWish, speed: Speed, family: Family, machine: Machine, precision: str
) -> str:
    """The backend that is taken: torch's own, unless another is asked for.

    `speed: fast` takes SageAttention (Zhang et al. 2024, https://arxiv.org/abs/2410.02367), which is not to
    the bit, where it is installed and can be used.
    """
    if not family.attention:
        return NATIVE
    if wish != "auto":
        return wish
    usable = not any(lacks(_ROUNDING, family, machine, precision)) and not missing(_ROUNDING)
    return _ROUNDING if speed == "fast" and usable else NATIVE


def lacks(name: str, family: Family, machine: Machine, precision: str) -> Iterator[str]:
    """Why a backend cannot compute a family's attention on a machine, in words, without its package."""
    backend = BACKENDS[name]
    if backend.nvidia and not machine.kind.own_memory:
        yield f"is for NVIDIA GPUs, and this computes on {machine.device}"
    if backend.low and precision == "fp32":
        yield "computes in bf16 and fp16, and the model is in fp32"
    if not backend.masks and family.attention == "masked":
        yield f"takes no masks, and {family.title} needs one"


def missing(name: str) -> str:
    """The package of a backend that is not installed; empty where nothing is missing."""
    backend = BACKENDS[name]
    absent = backend.module and importlib.util.find_spec(backend.module) is None
    return backend.package if absent else ""
