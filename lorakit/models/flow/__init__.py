"""How transformers of flow matching are told words and called in a training: one file a family.

A family names its own in `families/`: `FlowTraining.call`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from torch import Tensor

from lorakit.families import Family

Embeds = tuple[Tensor, Tensor | None]  # (B, T, D); pooled (B, P)


class FlowCall(Protocol):
    """A denoiser of one family as latents and embeds go into it."""

    def embeds(self, prompts: Sequence[str], device: Any, limit: int) -> Embeds:
        """Prompts as embeds (B, T, D) of so many tokens, and pooled ones (B, P) where there are any."""

    def __call__(
        self, denoiser: Any, noisy: Tensor, times: Tensor, embeds: Tensor, pooled: Tensor | None
    ) -> Tensor:
        """What it says of latents (B, C, h, w) at timesteps `times` (B,) of 0..1000, of the same shape."""


def flow_call(pipeline: Any, family: Family) -> FlowCall | None:
    """That of a pipeline, which may lack the parts that are not called; None for another kind of family."""
    if family.flow is None:
        return None
    file, name = family.flow.call.split(":")
    module = importlib.import_module(f"{__name__}.{file}")
    call: FlowCall = getattr(module, name)(pipeline, family.flow)
    return call


def words_alone(pipeline: Any, prompts: Sequence[str], device: Any, limit: int) -> Embeds:
    """Embeds (B, T, D) of a pipeline whose text encoder gives no pooled ones, at most `limit` tokens each."""
    embeds, _ = pipeline.encode_prompt(
        prompt=list(prompts),
        device=device,
        num_images_per_prompt=1,
        max_sequence_length=limit,
    )
    return embeds, None


def token_limit(pipeline: Any, family: Family) -> int:
    """The most tokens that a whole pipeline reads of a prompt."""
    return family.token_limit({"": pipeline.config, **dict(_configs(pipeline))})


def _configs(pipeline: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, part in pipeline.components.items():
        told = getattr(part, "config", None)
        if told is not None:
            yield name, told if isinstance(told, Mapping) else told.to_dict()
