"""How a scene's frames hang together: a chain is one file beside this one, and one line in the table."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class ChainStart(NamedTuple):
    """Where a chained frame begins: another frame's latents, pulled towards an anchor's.

    With `anchor_color` they have the anchor's colours.
    """

    frame: str
    strength: float
    anchor: str | None = None
    anchor_weight: float = 0.0
    anchor_color: bool = False


class Drawn(NamedTuple):
    """A frame as those after it see it: its address, and its hops from where its chain began."""

    id: str
    hop: int


class ChainRule(Protocol):
    """One way of going on from the frames before; `links` says whether frames begin from others at all."""

    links: bool

    def start(
        self, first: Drawn, previous: Drawn, strength: float, anchor_weight: float
    ) -> ChainStart | None:
        """What a frame begins from, given its scene's first frame and the one before; None for noise."""
