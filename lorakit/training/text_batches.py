"""Texts as token ids, in batches of like length: a plain loader wastes most on padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from lorakit.plan.padding import padded
from lorakit.plan.seeds import derive

_POOL = 32  # batches that are sorted by length together: little padding, and still a different mix each epoch


@dataclass(slots=True)
class TextBatches:
    """Token ids and labels, in an order that is a function of (seed, epoch); ragged last batches are kept.

    No batch is longer than `most` tokens, nor padded further than `precision` wants.
    """

    ids: Sequence[Sequence[int]]
    labels: Sequence[int]
    pad: int
    batch_size: int
    seed: int
    most: int
    precision: str = "fp32"
    _epoch: int = -1
    _order: list[np.ndarray[Any, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.ids:
            raise ValueError("there are no texts to train on")

    @property
    def per_epoch(self) -> int:
        """Batches in one epoch."""
        return -(-len(self.ids) // self.batch_size)

    def members(self, number: int) -> list[int]:
        """Which samples are in batch `number`, counted over all epochs."""
        epoch, place = divmod(number, self.per_epoch)
        if epoch != self._epoch:
            self._order, self._epoch = self._shuffled(epoch), epoch
        return [int(member) for member in self._order[place]]

    def _shuffled(self, epoch: int) -> list[np.ndarray[Any, Any]]:
        rng = np.random.Generator(np.random.PCG64(derive(self.seed, "order", epoch)))
        lengths = np.array([len(ids) for ids in self.ids])
        order = rng.permutation(len(self.ids))
        pool = self.batch_size * _POOL
        batches: list[np.ndarray[Any, Any]] = []
        for start in range(0, len(order), pool):
            part = order[start : start + pool]
            part = part[np.argsort(lengths[part], kind="stable")]
            batches += [
                part[at : at + self.batch_size] for at in range(0, len(part), self.batch_size)
            ]
        return [batches[place] for place in rng.permutation(len(batches))]

    def batch(self, number: int) -> dict[str, torch.Tensor]:
        """`input_ids` and `labels`, and `attention_mask` where something is padded: (B, L) and (B,)."""
        return self.collate(self.members(number))

    def collate(self, members: Sequence[int]) -> dict[str, torch.Tensor]:
        """A batch of the samples named."""
        rows = [self.ids[number] for number in members]
        longest = padded(max(map(len, rows)), self.precision, self.most)
        ids = torch.full((len(rows), longest), self.pad, dtype=torch.long)
        mask = torch.zeros((len(rows), longest), dtype=torch.long)
        for place, row in enumerate(rows):
            ids[place, : len(row)] = torch.tensor(row, dtype=torch.long)
            mask[place, : len(row)] = 1
        batch = {
            "input_ids": ids,
            "labels": torch.tensor([self.labels[number] for number in members], dtype=torch.long),
        }
        if min(map(len, rows)) < longest:
            batch["attention_mask"] = mask
        return batch

    def by_length(self, batch_size: int) -> list[list[int]]:
        """All samples, the longest first, for evaluation."""
        order = sorted(range(len(self.ids)), key=lambda number: -len(self.ids[number]))
        return [order[at : at + batch_size] for at in range(0, len(order), batch_size)]


def tokenized(tokenizer: Any, texts: Sequence[str], max_length: int) -> list[list[int]]:
    """Token ids of each text, cut at `max_length`; done once, for all epochs."""
    encoded = tokenizer(
        list(texts), truncation=True, max_length=max_length, return_attention_mask=False
    )
    return [list(ids) for ids in encoded["input_ids"]]
