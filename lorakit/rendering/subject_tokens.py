"""Which tokens of a prompt a character's words are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from lorakit.language.story.weights import plain

# that say nothing of what is seen
_FILLING = frozenset(
    ["a", "an", "the", "of", "in", "on", "at", "with", "and", "or", "to", "by", "for"]
)


def subject_tokens(tokenizer: Any, prompt: str, phrases: Sequence[str]) -> Tensor:
    """For each token of a prompt 1 where it is one of the phrases', else 0: (T,) in fp32.

    A phrase that stands in the prompt as it is counts there; of another its words do, wherever they stand.
    """
    told = _ids(tokenizer, plain(prompt))
    found: set[int] = set()
    for phrase in phrases:
        words = [word for word in plain(phrase).split() if word.lower() not in _FILLING]
        whole = _places(told, _ids(tokenizer, plain(phrase)))
        inside = set(whole) if whole else None
        for word in words or plain(phrase).split():
            places = _places(told, _ids(tokenizer, word))
            found |= {one for one in places if inside is None or one in inside}
    tokens = torch.zeros(tokenizer.model_max_length)
    # behind the mark at the beginning; what is cut off has no token
    tokens[[one + 1 for one in sorted(found) if one + 1 < len(tokens)]] = 1.0
    return tokens


def _ids(tokenizer: Any, text: str) -> list[int]:
    ids: list[int] = tokenizer(text, add_special_tokens=False).input_ids
    return ids


def _places(told: Sequence[int], part: Sequence[int]) -> list[int]:
    """Where the tokens of a part stand, each time that it does."""
    if not part:
        return []
    begins = [
        n for n in range(len(told) - len(part) + 1) if list(told[n : n + len(part)]) == [*part]
    ]
    return [begin + n for begin in begins for n in range(len(part))]
