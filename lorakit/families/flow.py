"""How a family made by flow matching is trained: what diffusers' published scripts have as defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple


class FlowTraining(NamedTuple):
    """A published training `script`, and what it does.

    `call` is the file of models/flow/ and the class in it that calls the denoiser. Timesteps are drawn by
    `weighting`: evenly, or in the middle more often. `guidance` is what a denoiser is told that is told a
    scale. Latents are drawn from the autoencoder's `spread`, or are its means. Where it is
    `preconditioned`, what is compared is the picture that a prediction leads to, and not the prediction.
    `distilled` says whether a model learns badly, being distilled to few steps.
    """

    script: str
    call: str
    weighting: Literal["none", "logit_normal"] = "none"
    guidance: float = 3.5
    spread: bool = True
    preconditioned: bool = False
    distilled: Callable[[Mapping[str, Mapping[str, Any]], str], bool] = lambda _configs, _name: (
        False
    )
