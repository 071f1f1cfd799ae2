"""Words on the way from one prompt to another, as a pipeline's call is given them: embeds instead of texts.

Each prompt is encoded by the pipeline's own `encode_prompt`; what it says of both is mixed evenly. Where one
is longer than the other, and neither is padded, what stands behind the shorter one's end is the longer one's.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

_NAMED = "prompt"
_NOT = "negative_prompt"


@torch.no_grad()
def told_between(
    pipeline: Any, encoded: tuple[str, ...], given: Mapping[str, Any], other: str, share: float
) -> dict[str, Any]:
    """The arguments of a call with words a `share` of the way from `given`'s prompt to the `other`.

    `encoded` names what `encode_prompt` returns by the arguments that it is handed on as, "" for what is not.
    """
    here, there = (_encoded(pipeline, encoded, given, text) for text in (given[_NAMED], other))
    words = {name: _between(name, value, there[name], share) for name, value in here.items()}
    if _NOT in given:
        shunned = _encoded(pipeline, encoded, given, given[_NOT])
        words |= {f"negative_{name}": value for name, value in shunned.items()}
    texts = (_NAMED, _NOT)
    # a mask that is None hides nothing, and is not told
    told = {name: value for name, value in words.items() if value is not None}
    return {**{name: value for name, value in given.items() if name not in texts}, **told}


def _encoded(
    pipeline: Any, encoded: tuple[str, ...], given: Mapping[str, Any], text: str
) -> dict[str, Any]:
    """What a pipeline says of a text, by the arguments of a call."""
    takes = inspect.signature(pipeline.encode_prompt).parameters
    call = inspect.signature(pipeline.__call__).parameters
    more = {name: given[name] for name in ("clip_skip",) if name in given and name in takes}
    if "max_sequence_length" in takes:
        usual = call["max_sequence_length"].default
        more["max_sequence_length"] = given.get("max_sequence_length", usual)
    if "do_classifier_free_guidance" in takes:
        more["do_classifier_free_guidance"] = False
    # the texts for its other encoders: the same
    more |= {name: None for name in ("prompt_2", "prompt_3") if name in takes}
    device = pipeline._execution_device  # noqa: SLF001 - what its own call asks
    said = pipeline.encode_prompt(prompt=text, device=device, **more)
    return {name: value for name, value in zip(encoded, said, strict=False) if name}


def _between(name: str, first: Any, second: Any, share: float) -> Any:
    """What is told between two texts; of a mask what either shows, and None where nothing is hidden."""
    if not name.endswith("_mask"):
        return _mixed(first, second, share)
    return None if first is None or second is None else torch.maximum(first, second)


def _mixed(first: Any, second: Any, share: float) -> Any:
    """What lies between embeds (B, T, D) or (B, P), or lists of (T, D)."""
    if isinstance(first, list):
        return [_mixed(one, other, share) for one, other in zip(first, second, strict=True)]
    if first.shape == second.shape:
        return torch.lerp(first, second, share)
    along = first.dim() - 2  # tokens
    length = min(first.shape[along], second.shape[along])
    both = [one.narrow(along, 0, length) for one in (first, second)]
    longer: Tensor = max(first, second, key=lambda one: one.shape[along])
    rest = longer.narrow(along, length, longer.shape[along] - length)
    return torch.cat([torch.lerp(both[0], both[1], share), rest], dim=along)
