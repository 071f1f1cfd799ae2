"""Values that change over a scene's frames: `{first: 0.7, last: 0.4}`, or `[[1, 0.7], [5, 0.5]]`.

They are resolved to a value for each sentence, so that a frame's key is of its value alone. Numbers are
interpolated linearly between the frames that are named, and stay as they are before and behind them; words
hold from a frame on. Frames are numbered as everywhere, from 1, repeated ones among them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lorakit.language.yaml import access

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorakit.diagnostics import Place
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node

Value = float | str


class OverFrames(NamedTuple):
    """Values by frame, in order; of `ends` the frames are a scene's first and last that are drawn."""

    pairs: tuple[tuple[int, Value], ...]
    ends: bool
    place: Place

    def at(self, number: int, drawn: Sequence[int]) -> Value:
        """The value for a frame; `drawn` are the numbers of those of its scene that are drawn."""
        pairs = self.pairs
        if self.ends:
            pairs = ((min(drawn), pairs[0][1]), (max(drawn), pairs[1][1]))
        before = [pair for pair in pairs if pair[0] <= number] or [pairs[0]]
        behind = [pair for pair in pairs if pair[0] > number] or [pairs[-1]]
        (start, one), (end, other) = before[-1], behind[0]
        if isinstance(one, str) or isinstance(other, str) or end <= number or start > number:
            return one
        share = (number - start) / (end - start)
        return round(one + (other - one) * share, 6)

    def first(self) -> float:
        """The first number, by which what changes is known where no frame is meant."""
        return float(self.pairs[0][1])


def schedule(node: Node | None, findings: Findings | None = None) -> OverFrames | None:
    """The schedule that a value is, if it is one; frames that are not in order are an error."""
    if node is None:
        return None
    if isinstance(node.value, dict):
        ends = [access.number(node, key) for key in ("first", "last")]
        if any(end is None for end in ends):
            return None
        return OverFrames(tuple((0, end) for end in ends if end is not None), True, node.place)
    if not isinstance(node.value, list):
        return None
    pairs: list[tuple[int, Value]] = []
    for item in node.value:
        both = item.value if isinstance(item.value, list) else []
        if len(both) != 2 or not isinstance(both[0].value, int):
            return None
        if not isinstance(both[1].value, int | float | str):
            return None
        value = both[1].value
        if pairs and both[0].value <= pairs[-1][0] and findings is not None:
            findings.error(
                "wrong-value",
                f"frame {both[0].value} stands behind frame {pairs[-1][0]}",
                both[0],
                "write the frames in order, each once",
            )
        pairs.append((both[0].value, value if isinstance(value, str) else float(value)))
    return OverFrames(tuple(pairs), False, node.place) if pairs else None


def inherited(blocks: Sequence[Node | None], key: str, findings: Findings) -> OverFrames | None:
    """The schedule that holds for a scene: of its board's block and its own the last that has the key."""
    for block in reversed(blocks):
        node = access.child(block, key) if block is not None else None
        if node is not None:
            return schedule(node, findings)
    return None
