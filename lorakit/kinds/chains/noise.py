"""`from: noise`: frames share their first noise and nothing else, which keeps the composition."""

from __future__ import annotations

from lorakit.kinds.chains.chain import Drawn


class NoiseChain:
    """Frames that are drawn each by itself."""

    links = False

    def start(
        self,
        first: Drawn,
        previous: Drawn,
        strength: float,
        anchor_weight: float,
    ) -> None:
        """Nothing: text to image."""
