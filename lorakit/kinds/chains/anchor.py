"""`from: anchor`: every frame begins from the scene's first, so that a sentence put in touches no other."""

from __future__ import annotations

from lorakit.kinds.chains.chain import ChainStart, Drawn


class AnchorChain:
    """Variations of one picture."""

    links = True

    def start(
        self,
        first: Drawn,
        previous: Drawn,  # noqa: ARG002
        strength: float,
        anchor_weight: float,  # noqa: ARG002
    ) -> ChainStart:
        """The scene's first frame."""
        return ChainStart(first.id, strength)
