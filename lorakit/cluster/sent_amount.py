"""How much of what a node lacks has gone there, told while it goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from lorakit.plan import numbers

_WORTH_TELLING = 32 << 20  # bytes that take a while, on most networks
_PARTS = 100  # it is told at most so often


class SentAmount:
    """The bytes that a node asked for and those that went there, since it last had all; `clock` in s."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wanted: dict[str, int] = {}  # bytes, by digest
        self._whole: set[str] = set()  # digests of those that are through
        self._gone = self._part = 0
        self._began = 0.0

    def wants(self, sizes: Mapping[str, int]) -> None:
        """It asked for files of so many bytes, by digest."""
        if not self._wanted:
            self._began = self._clock()
        self._wanted |= sizes

    def sent(self, size: int) -> Mapping[str, Any] | None:
        """So many more went there: a worker's state, where that is worth telling."""
        self._gone += size
        total = sum(self._wanted.values())
        if not total > self._gone or total < _WORTH_TELLING:
            return None
        part = 1 + self._gone * _PARTS // total
        if part == self._part:
            return None
        self._part = part
        left = (self._clock() - self._began) / self._gone * (total - self._gone)
        detail = f"{numbers.size(self._gone)} of {numbers.size(total)}"
        return {"event": "state", "state": "sending", "detail": detail, "seconds": left}

    def over(self, digest: str) -> Mapping[str, Any] | None:
        """A file is through, or cannot be sent: a worker's state, if it was the last and any was told."""
        self._whole.add(digest)
        if not self._wanted.keys() <= self._whole:
            return None
        told = self._part > 0
        self._wanted, self._whole, self._gone, self._part = {}, set(), 0, 0
        return {"event": "state", "state": "sent"} if told else None
