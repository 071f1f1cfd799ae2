"""Whose results are taken from a cache. The class of device is in the key; this is about all else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from lorakit.facts.machine.environment import OF_GPUS

if TYPE_CHECKING:
    from lorakit.remote.settings import Accept

# what a plan says of each
IN_WORDS: Mapping[str, str] = {
    "any": "takes results of equal keys, so of the same class of device, whatever made them",
    "same-gpu": "takes results of equal keys from GPUs of this name alone",
    "same-versions": "takes results of equal keys from the same versions of libraries, GPU and driver alone",
}


def refusal(
    accept: Accept, then: Mapping[str, str], now: Mapping[str, str], packages: Iterable[str]
) -> str:
    """Why a result that was made in the surroundings `then` is not taken `now`; empty where it is.

    `packages` are those that can change its bits. What a result does not tell counts as another.
    """
    card = OF_GPUS[:1] if accept == "same-gpu" else OF_GPUS
    asked = (*(packages if accept == "same-versions" else ()), *card) if accept != "any" else ()
    others = [
        f"{name} {then.get(name, 'unknown')} -> {now.get(name, 'none')}"
        for name in dict.fromkeys(asked)
        if then.get(name) != now.get(name)
    ]
    return ", ".join(others)
