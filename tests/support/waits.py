"""What the host waited for while something ran on the simulated accelerator, by the line that asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from tests.support.simulated import Wait


def asked(waits: Iterable[Wait]) -> Counter[str]:
    """How often each function had the host wait: the innermost that is no part of torch or of the tests."""
    return Counter(_by(wait) for wait in waits)


def not_allowed(found: Mapping[str, int], allowed: Mapping[str, str]) -> dict[str, int]:
    """Those of them that no reason is given for."""
    return {place: times for place, times in found.items() if times and place not in allowed}


def _by(wait: Wait) -> str:
    return next((place for place in wait.places if not place.startswith("tests/")), "?")
