"""How many tokens a data set's texts have for a model's tokenizer: of a sample, and of the longest."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lorakit.facts.models.model_configs import ModelError
from lorakit.facts.models.tokens import TokenCounter
from lorakit.records import record

_SAMPLE = 250_000  # characters that are counted for the mean: a twentieth of a second
_LONGEST = 256


@record
class TextSample:
    """Some of `count` texts: the longest, and others that stand for all."""

    count: int
    longest: tuple[str, ...]
    others: tuple[str, ...]


@record
class TextLengths:
    """Tokens, start and end among them, in falling order: of the longest of `count` texts and of a sample."""

    count: int
    longest: tuple[int, ...]
    others: tuple[int, ...]

    def mean(self, most: int) -> float:
        """Tokens of a text that is cut at `most`."""
        return sum(min(one, most) for one in self.others) / len(self.others)

    def longest_of(self, seen: int) -> int:
        """Tokens of the longest of `seen` texts, as it is to be expected."""
        share = max(1, seen)
        rank = (self.count - 1) // share  # as many are longer
        if (
            rank <= len(self.longest) // 2
        ):  # the longest by characters are not quite those by tokens
            return self.longest[rank]
        return self.others[(len(self.others) - 1) // share]


def sample_of(texts: Sequence[str]) -> TextSample:
    """Choose some texts that stand for all: the longest, and as many as are counted quickly."""
    by_length = sorted(texts, key=len, reverse=True)
    mean = sum(map(len, texts)) / max(1, len(texts))
    every = min(len(texts), math.ceil(mean * len(texts) / _SAMPLE)) or 1
    longest = by_length[:_LONGEST]
    room = max(1, _SAMPLE // max(1, len(longest[0]))) if longest else 0
    # neighbours in length are alike, so each of a few stands for those it is between
    return TextSample(len(texts), tuple(longest[:room]), tuple(by_length[every // 2 :: every]))


def text_lengths(sample: TextSample, counter: TokenCounter, name: str) -> TextLengths:
    """Count the tokens of a sample by the tokenizer of the model `name`. Raises ModelError."""
    try:
        longest, others = (
            tuple(sorted(counter.counts(texts), reverse=True))
            for texts in (sample.longest, sample.others)
        )
    except Exception as error:  # tokenizers has no exception of its own
        raise ModelError(f"tokenizer.json of {name} cannot be read: {error}") from error
    return TextLengths(sample.count, longest, others)
