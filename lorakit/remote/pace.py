"""How long a cache may keep a command waiting, and work that goes on beside each other within that.

No answer for the time-out, or less than a megabyte in it, and a file counts as not to be had. Where nothing
at all comes for so long, or three files in a row do not, the cache is left alone for the rest of the command:
so an absent one costs its time-out once, whatever was to be asked.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
WIDTH = 16  # files under way at once
_MEGABYTE = 1_000_000
_IN_A_ROW = 3  # files that do not come
_LATENCY = 0.1  # s between looks at Ctrl-C


class GaveUp(OSError):
    """The cache did not answer in time, or kept failing; nothing more is asked of it."""


class Pulse:
    """When something last came from a cache, of whatever file."""

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self._last = time.monotonic()

    def beat(self) -> None:
        """Something came."""
        self._last = time.monotonic()

    @property
    def stopped(self) -> bool:
        """Whether nothing has come for as long as may be waited."""
        return time.monotonic() - self._last > self.timeout


class Pace:
    """How far one file is. Counts its bytes and raises OSError where it has too many, or comes too slowly."""

    def __init__(self, pulse: Pulse, most: int) -> None:
        self._pulse, self._most = pulse, most
        self._began = time.monotonic()
        self.bytes = 0

    @property
    def seconds(self) -> float:
        """How long it may take in all, by what it has at most."""
        return self._pulse.timeout * (1 + self._most / _MEGABYTE)

    def expect(self, size: int) -> None:
        """The other side says how many bytes there are. Raises TooLong before they come."""
        self._pulse.beat()
        if size > self._most:
            raise TooLong(f"it has {size:,} bytes, not {self._most:,}")

    def count(self, more: int) -> None:
        """So many bytes more have come."""
        self._pulse.beat()
        self.bytes += more
        if self.bytes > self._most:
            raise TooLong(f"it has more than {self._most:,} bytes")
        allowed = self._pulse.timeout * (1 + self.bytes / _MEGABYTE)
        if time.monotonic() - self._began > allowed:
            raise TimeoutError(f"{self.bytes:,} bytes in {allowed:.0f} s are too few")


class TooLong(ValueError):
    """A file has more bytes than it was said to have."""


class Beside(Generic[T]):
    """Work on threads that keep no process alive: one that hangs in a library is left to itself."""

    def __init__(self, work: Sequence[Callable[[], T]], pulse: Pulse) -> None:
        self._todo: queue.SimpleQueue[tuple[int, Callable[[], T]]] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[int, T | Exception]] = queue.SimpleQueue()
        self._pulse, self._count = pulse, len(work)
        self._over = threading.Event()
        for one in enumerate(work):
            self._todo.put(one)

    def results(
        self, stop: Callable[[], bool] = lambda: False
    ) -> Iterator[tuple[int, T | Exception]]:
        """Each piece's number with what it came to, as they end.

        What is missing, or not whole, is no failure of the cache. Raises GaveUp where the cache does not
        answer, or `stop` says so.
        """
        self._pulse.beat()
        for _ in range(min(WIDTH, self._count)):
            threading.Thread(target=self._work, daemon=True).start()
        failed = 0
        try:
            for _ in range(self._count):
                number, result = self._next(stop)
                self._pulse.beat()
                failed = failed + 1 if _is_failure(result) else 0
                yield number, result
                if failed >= _IN_A_ROW:
                    raise GaveUp(said(result)) from (
                        result if isinstance(result, Exception) else None
                    )
        finally:
            self._over.set()

    def _next(self, stop: Callable[[], bool]) -> tuple[int, T | Exception]:
        while True:
            try:
                return self._done.get(timeout=_LATENCY)
            except queue.Empty:
                if stop():
                    raise GaveUp("it was stopped") from None
                if self._pulse.stopped:
                    raise GaveUp(f"no answer within {self._pulse.timeout:g} s") from None

    def _work(self) -> None:
        while not self._over.is_set():
            try:
                number, piece = self._todo.get_nowait()
            except queue.Empty:
                return
            result: T | Exception
            try:
                result = piece()
            except Exception as error:  # noqa: BLE001 - whatever a library raises is the cache's failure
                result = error
            self._done.put((number, result))


def _is_failure(result: object) -> bool:
    return isinstance(result, Exception) and not isinstance(result, FileNotFoundError | ValueError)


def said(result: object) -> str:
    """An error of a library in a few words of ours, and nothing secret."""
    from lorakit.diagnostics import shortened
    from lorakit.remote.address import redacted

    if isinstance(result, GaveUp):
        return str(result)
    if isinstance(result, TimeoutError):
        ours = type(result) is TimeoutError and str(result)
        return ours or "no answer in time"  # a library's own words name its sockets
    if isinstance(result, PermissionError):
        return "permission denied"
    if isinstance(result, OSError) and result.strerror:
        return result.strerror.lower()
    words = " ".join(str(result).split()) or type(result).__name__
    return shortened(redacted(words))
