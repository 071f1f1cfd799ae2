"""A line on the error stream that says what is looked at, and goes again."""

from __future__ import annotations

import sys

from lorakit import terminal


def tell(what: str) -> None:
    """Show what is looked at, on a terminal alone; nothing takes the line away."""
    if not sys.stderr.isatty():
        return
    stream = getattr(sys.stderr, "stream", sys.stderr)
    stream.write(f"\r\x1b[Klooks at {terminal.line(what)}" if what else "\r\x1b[K")
    stream.flush()
