"""Which frame a frame starts from, as its scene's chain has it, and how many it has behind it."""

from __future__ import annotations

from lorakit.kinds.chains import CHAINS
from lorakit.kinds.chains.chain import ChainStart, Drawn
from lorakit.language.story.documents import Scene, Sentence


def start_of(
    scene: Scene, sentence: Sentence, previous: Drawn | None, first: Drawn | None
) -> ChainStart | None:
    """The frame this one starts from; None is text-to-image."""
    if previous is None or sentence.strength >= 1:
        return None
    if first is None:  # the scene's first frame, begun from another scene
        return ChainStart(previous.id, sentence.strength)
    chain = CHAINS[scene.chain.start]
    start = chain.start(first, previous, sentence.strength, sentence.anchor_weight)
    pulls = start is not None and start.anchor is not None and scene.chain.color == "anchor"
    return start._replace(anchor_color=True) if start is not None and pulls else start


def hop_of(start: ChainStart | None, first: Drawn | None, previous: Drawn | None) -> int:
    """How many frames a frame's chain has behind it."""
    if start is None or previous is None:
        return 0
    return 1 if first is not None and start.frame == first.id else previous.hop + 1
