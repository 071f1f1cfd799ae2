"""One process's part of each batch, where several train together.

Every process draws the same whole batch and the same noise for it, and keeps every n-th row. Losses are
weighed by the rows that they stand for, so that the mean over processes is the whole batch's mean, ragged
last batches and all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from lorakit.records import record


@record
class RankShard:
    """The rows `rank`, `rank + of`, ... of every batch."""

    rank: int = 0
    of: int = 1

    def weight(self, rows: int) -> float:
        """What this part's mean counts for in the mean over processes; 0 where no row is left for it."""
        return len(range(self.rank, rows, self.of)) * self.of / rows

    def cut(self, batch: Any) -> Any:
        """Part of a tensor, a list, or a mapping of such; never empty: a spare row counts for 0."""
        if self.of == 1:
            return batch
        if isinstance(batch, Mapping):
            return {name: self.cut(value) for name, value in batch.items()}
        if isinstance(batch, torch.Tensor | list):
            first = self.rank if self.rank < len(batch) else 0
            return batch[first :: self.of][: 1 if self.rank >= len(batch) else None]
        return batch


WHOLE = RankShard()


def rows_of(batch: Any) -> int:
    """How many samples a batch holds."""
    if isinstance(batch, Mapping):
        return next(rows_of(v) for v in batch.values() if isinstance(v, torch.Tensor | list))
    return len(batch)
