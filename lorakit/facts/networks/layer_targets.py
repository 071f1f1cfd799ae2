"""Which layers a recipe means by `target_modules` and `modules_to_save`, by PEFT's rules for names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lorakit.language.yaml import names
from lorakit.patterns import any_of, pattern

ALL_LINEAR = "all-linear"  # every linear layer but the head


def hit(name: str, targets: Sequence[str] | str, *, linear: bool = True) -> bool:
    """Whether a layer gets an adapter: ends of names, a whole regular expression, or all that is `linear`."""
    if targets == ALL_LINEAR:
        return linear
    if isinstance(targets, str):
        return pattern(targets).matches(name)
    return any(name == target or name.endswith(f".{target}") for target in targets)


def settled(layers: Iterable[str], targets: Sequence[str] | str) -> list[str] | str:
    """The same targets as a library may be given: an expression becomes one of the names that it means.

    A library tries expressions with Python's engine, which some keep busy for ever.
    """
    if not isinstance(targets, str):
        return list(targets)
    return any_of(n for n in layers if hit(n, targets))


def meant(target: str, layers: Iterable[str]) -> str | None:
    """The end of a layer's name that `target` was probably meant to be, with as many dots if need be."""
    ends = [_end(layer, target.count(".") + 1) for layer in layers]
    return names.nearest(target, dict.fromkeys(ends))


def ends(layers: Iterable[str]) -> list[str]:
    """What layers are called at the end of their names, each once, tables of embeddings last."""
    found = dict.fromkeys(_end(layer, 1) for layer in layers)
    return sorted(found, key=lambda end: end.endswith("embeddings"))


def _end(layer: str, parts: int) -> str:
    split = layer.split(".")
    if split[-1].isdecimal():  # to_out.0
        parts += 1
    return ".".join(split[-parts:])
