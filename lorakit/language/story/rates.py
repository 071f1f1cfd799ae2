"""Rates of films as authors write them: `24`, `23.976`, `30000/1001`; kept exactly."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from lorakit.patterns import later

if TYPE_CHECKING:
    from lorakit.language.yaml.nodes import Node

SLOWEST, FASTEST = 1, 120  # frames a second; the schema says the same of plain numbers
_LARGEST = 1_000_000  # of a ratio's terms: what containers count time in has 32 bits
_RATIO = later(r"([0-9]{1,9})\s*[/:]\s*([0-9]{1,9})\Z")
_NUMBER = later(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)\Z")
# broadcast rates as everyone writes them -> what they are: a thousandth less than a whole number
_BROADCAST = {
    Fraction(written): Fraction(whole * 1000, 1001)
    for whole, spellings in (
        (15, ("14.985", "14.99")),
        (24, ("23.976", "23.98", "23.9760")),
        (30, ("29.97",)),
        (48, ("47.952", "47.95")),
        (60, ("59.94",)),
        (120, ("119.88",)),
    )
    for written in spellings
}


class Rate(Fraction):
    """Film frames a second, exactly; shown as people write it: `24`, `23.976`."""

    __slots__ = ()

    @property
    def written(self) -> int | str:
        """Exactly, as keys and workers are told: 24, or "24000/1001"."""
        return self.numerator if self.denominator == 1 else f"{self.numerator}/{self.denominator}"

    @property
    def number(self) -> float:
        """As a plain number: 24, or 23.976023976023978."""
        return self.numerator if self.denominator == 1 else float(self)

    def __str__(self) -> str:
        return f"{float(self):.5g}"

    def __repr__(self) -> str:
        return f"Rate({self.written!r})"

    @classmethod
    def decoded(cls, node: Node) -> Rate | None:
        """The rate that a node holds, if it is one."""
        return parse(node.value)


def of(value: float | str | Fraction) -> Rate:
    """A rate that is known to be one, such as a schema's default."""
    rate = Rate(value) if isinstance(value, Fraction) else parse(value)
    assert rate is not None
    return rate


def parse(value: object) -> Rate | None:
    """A rate from a document's value; None if it is none, or out of bounds."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(value).strip()
    if match := _RATIO.match(text):
        if not int(match[2]):
            return None
        rate = Fraction(int(match[1]), int(match[2]))
    elif match := _NUMBER.match(text):
        rate = Fraction(match[1])
        rate = _BROADCAST.get(rate, rate)
    else:
        return None
    fits = SLOWEST <= rate <= FASTEST and max(rate.numerator, rate.denominator) <= _LARGEST
    return Rate(rate) if fits else None
