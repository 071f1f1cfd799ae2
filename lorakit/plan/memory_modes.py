"""How a model is kept in a card's memory: what of it is rounded, and what waits beside the card.

What bits depend on (rounding) is chosen by all of a card's memory, and never moves; what they do not depend
on (who waits, and where) by what of it is free. Both are choices among few, the least costly that fits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from lorakit.facts.machine.this_machine import Card, Machine
from lorakit.language.recipe.documents import MemoryWish
from lorakit.records import record

Offload = Literal["none", "model", "group"]
NONE: Offload = "none"
MODEL: Offload = "model"  # one network at a time is on the card
GROUP: Offload = "group"  # of the denoiser one block at a time, of the text encoders one layer

# bits of the weights of large linear layers, by what a recipe asks for: 0 leaves them as they are
BITS: Mapping[MemoryWish, tuple[int, ...]] = {"auto": (0, 8, 4), "low": (8,), "minimal": (4,)}
_WAITING: tuple[Offload, ...] = (NONE, MODEL, GROUP)  # what costs the least time first
_USABLE = 0.95  # of a card's memory: its driver and the screen have the rest
_BESIDE = 0.85  # of the machine's memory, for what waits in it


class Needs(NamedTuple):
    """What a way to keep a model takes, in bytes: at the peak on the card, and in the machine's memory."""

    card: int
    beside: int = 0


@record
class MemoryMode:
    """The way that was chosen; `enough` says whether it fits as well. `bits` 0 leaves weights as they are."""

    bits: int = 0
    offload: Offload = NONE
    card: int = 0
    beside: int = 0
    enough: bool = True


PLAIN = MemoryMode()  # loaded as it is


def rounding(wish: MemoryWish, machine: Machine) -> tuple[int, ...]:
    """The bits that a recipe leaves to choose from on a machine, the finest first.

    Unasked nothing is rounded where there is no card that it would have to fit, nor without what rounds.
    """
    if wish != "auto":
        return BITS[wish]
    return BITS[wish] if machine.card and machine.rounds else (0,)


def fits(need: Needs, card: Card, there: float | None = None) -> bool:
    """Whether a card can hold what is needed, or so much of it as is `there`."""
    most = card.memory * _USABLE
    here = most if there is None else min(there, most)
    return need.card <= here and need.beside <= card.beside * _BESIDE


def chosen(
    needs: Mapping[tuple[int, Offload], Needs], bits: Sequence[int], card: Card | None
) -> MemoryMode:
    """The first of the ways, least rounding first and then what waits least, that a `card` can hold.

    `needs` has those that there are, `bits` what may be chosen of them. Without a card of its own memory
    nothing waits. Where none fits it is that which needs least.
    """
    ways = [(b, o) for b in bits for o in _WAITING if (b, o) in needs]
    if card is None:
        first = (bits[0], NONE)
        return _mode(first, needs[first], enough=True)
    able = [way for way in ways if fits(needs[way], card)]
    if not able:
        least = min(ways, key=lambda way: needs[way].card)
        return _mode(least, needs[least], enough=False)
    same = [way for way in able if way[0] == able[0][0]]
    # what fits the card fits it once other programs make way: until then as much waits as can
    now = [way for way in same if fits(needs[way], card, card.free)]
    way = (now or same[-1:])[0]
    return _mode(way, needs[way], enough=bool(now))


def _mode(way: tuple[int, Offload], need: Needs, *, enough: bool) -> MemoryMode:
    return MemoryMode(*way, card=need.card, beside=need.beside, enough=enough)
