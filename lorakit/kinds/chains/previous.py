"""`from: previous`: each frame begins from the one before, pulled a little towards the scene's first."""

from __future__ import annotations

from lorakit.kinds.chains.chain import ChainStart, Drawn


class PreviousChain:
    """A story that moves on, step by step."""

    links = True

    def start(
        self, first: Drawn, previous: Drawn, strength: float, anchor_weight: float
    ) -> ChainStart:
        """The frame before."""
        return ChainStart(previous.id, strength, first.id, anchor_weight)
