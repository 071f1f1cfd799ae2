"""How a model is kept in memory, as a plan says it."""

from __future__ import annotations

from collections.abc import Iterator

from lorakit.facts.machine.this_machine import Card
from lorakit.plan import numbers
from lorakit.plan.memory_modes import GROUP, MODEL, MemoryMode

_WAITS = {MODEL: "one network at a time on the card", GROUP: "block by block on the card"}


def weights(mode: MemoryMode, precision: str) -> str:
    """What the weights of large layers are: `bf16`, `8 bits`."""
    return f"{mode.bits} bits" if mode.bits else precision


def on_a_card(mode: MemoryMode, precision: str, *, trains: bool = False) -> str:
    """`bf16, block by block on the card: 2.5 GB, 34 GB beside it`, or that the card is too small."""
    how = "frozen weights" if trains else _WAITS.get(mode.offload, "all of it on the card")
    need = numbers.size(mode.card)
    kept = (
        f"{how} in {weights(mode, precision)}" if trains else f"{weights(mode, precision)}, {how}"
    )
    if not mode.enough:
        return f"too small: {kept} takes {need}"
    return f"{kept}: {need}" + (f", {numbers.size(mode.beside)} beside it" if mode.beside else "")


def training(mode: MemoryMode, frozen: str, card: Card | None) -> Iterator[str]:
    """`frozen weights in 4 bits: 14 GB of 26 GB`; nothing where they are as ever."""
    if not frozen:
        return
    need = numbers.size(mode.card)
    there = f"{need} of {numbers.size(card.memory)}" if card else f"about {need} of memory"
    short = "" if mode.enough else ", which is too little"
    yield f"frozen weights in {weights(mode, frozen)}: {there}{short}"


def drawing(mode: MemoryMode, precision: str, card: Card | None) -> str:
    """`bf16, block by block on the card: 3.2 GB of 8.6 GB, 34 GB beside it`."""
    need = numbers.size(mode.card)
    if card is None:
        return f"{weights(mode, precision)}, about {need} of memory"
    how = _WAITS.get(mode.offload, "all of it on the card")
    beside = f", {numbers.size(mode.beside)} beside it" if mode.beside else ""
    short = "" if mode.enough else ", which is too little"
    return (
        f"{weights(mode, precision)}, {how}: {need} of {numbers.size(card.memory)}{beside}{short}"
    )
