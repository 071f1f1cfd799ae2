"""A classifier that learns the labels of texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lorakit.training.rank_shard import RankShard
from lorakit.training.task import trainable
from lorakit.training.text_batches import TextBatches

_SHOWN = 40  # characters of a text that an error names it by


@dataclass(slots=True)
class TextTask:
    """A classifier and what it learns from."""

    model: nn.Module
    batches: TextBatches
    texts: Sequence[str]
    weights: Tensor | None = None  # of each label's loss

    def parameters(self) -> Mapping[str, nn.Parameter]:
        """The trainable parameters by name."""
        return trainable(self.model)

    def batch(self, number: int) -> dict[str, torch.Tensor]:
        """Token ids, mask and labels."""
        return self.batches.batch(number)

    def names(self, number: int) -> list[str]:
        """The beginnings of the texts."""
        shown = [self.texts[member] for member in self.batches.members(number)]
        return [f"'{text[:_SHOWN]}…'" if len(text) > _SHOWN else f"'{text}'" for text in shown]

    def loss(
        self,
        model: nn.Module,
        batch: Any,
        generator: torch.Generator,  # noqa: ARG002
        shard: RankShard,
    ) -> torch.Tensor:
        """Cross-entropy of the labels, each text's weighed by its label's weight."""
        rows = shard.cut(batch)
        if self.weights is None:
            loss: Tensor = model(**rows).loss
            return loss
        labels = rows["labels"]
        logits = model(**{name: value for name, value in rows.items() if name != "labels"}).logits
        each = nn.functional.cross_entropy(logits.float(), labels, reduction="none")
        # by the number of texts, and not of weights: a batch's mean is its shards' and its parts' mean
        return (each * self.weights.to(each)[labels]).mean()


def balanced_weights(labels: Sequence[int], count: int) -> Tensor:
    """Samples / (labels * samples of a label) for each of `count` labels; 0 for one without any."""
    each = torch.bincount(torch.tensor(labels), minlength=count).float()
    return torch.where(each > 0, len(labels) / (count * each), 0.0)
