"""Parameters of a transformer's layers, names and shapes, as its configuration has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

Shapes = Mapping[str, tuple[int, ...]]
Named = Iterator[tuple[str, tuple[int, ...]]]


def linear(at: str, out: int, into: int, *, bias: bool = True) -> Named:
    """A linear layer."""
    yield f"{at}.weight", (out, into)
    if bias:
        yield f"{at}.bias", (out,)


def norms(at: str, names: tuple[str, ...], width: int) -> Named:
    """Norms that have a scale alone."""
    for name in names:
        yield f"{at}.{name}.weight", (width,)


def linears(at: str, names: tuple[str, ...], out: int, into: int, *, bias: bool = True) -> Named:
    """Linear layers of one size."""
    for name in names:
        yield from linear(f"{at}.{name}", out, into, bias=bias)
