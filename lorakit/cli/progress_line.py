"""A line on the error stream that says what is looked at, and goes again."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from lorakit import terminal

_QUIET = 2.0  # seconds that need no word
_EVERY = 0.2


def tell(what: str) -> None:
    """Show what is looked at, on a terminal alone; nothing takes the line away."""
    _show(f"looks at {terminal.line(what)}" if what else "")


def _show(words: str) -> None:
    if not sys.stderr.isatty():
        return
    stream = getattr(sys.stderr, "stream", sys.stderr)
    stream.write(f"\r\x1b[K{words}")
    stream.flush()


def fetching(what: str = "fetched from the cache") -> Callable[[int, int], None]:
    """What tells how many of how many bytes are through, and for how long it goes on."""
    from lorakit.plan import numbers

    began, last = time.monotonic(), 0.0

    def progress(done: int, every: int) -> None:
        nonlocal last
        now = time.monotonic()
        if done >= every:
            _show("")
        elif now - last > _EVERY and done:
            last = now
            left = numbers.about((now - began) * (every - done) / done)
            _show(f"{numbers.size(done)} of {numbers.size(every)} {what}, {left} left")

    return progress


def counting(what: str) -> Callable[[int, int], None]:
    """What tells how many of how many are done, and for how long it goes on, once that takes a while."""
    from lorakit.plan import numbers

    began = last = time.monotonic()
    first: list[tuple[float, int]] = []  # what came before the first says nothing of the others

    def progress(done: int, every: int) -> None:
        nonlocal last
        now = time.monotonic()
        if not first:
            first.append((now, done))
        if done == every:
            tell("")
        elif now - began > _QUIET and now - last > _EVERY and done > first[0][1]:
            last = now
            since, before = first[0]
            left = numbers.about((now - since) * (every - done) / (done - before))
            tell(f"{done:,} of {numbers.count(every, what)}, {left} left")

    return progress


def waiting() -> Callable[[str], None]:
    """What tells what is waited for, and for how long already, where nobody knows how long it takes.

    Where nobody sees a line that goes again, it is said once.
    """
    from lorakit.plan import numbers

    began, said = time.monotonic(), False

    def tell_it(what: str) -> None:
        nonlocal said
        seconds = time.monotonic() - began
        if seconds < _QUIET:
            return
        if sys.stderr.isatty():
            _show(f"waits for {terminal.line(what)}, for {numbers.duration(seconds)} now")
        elif not said:
            said = True
            sys.stderr.write(f"waits for {terminal.line(what)}\n")

    return tell_it
