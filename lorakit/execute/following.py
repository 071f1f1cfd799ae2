"""A run that goes on elsewhere, followed by what it writes: its events, until it has ended or is gone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from lorakit.diagnostics import LorakitError
from lorakit.execute.events import EVENTS
from lorakit.files import open_regular
from lorakit.store.errors import why

_LATENCY = 0.1  # s between looks at new events
_PULSE = 1.0  # s between looks at whether the run lives
_GRACE = (
    10.0  # s for the last words of one that lives no more: it writes a page, having left the store
)


def events(folder: Path, lives: Callable[[], bool]) -> Iterator[Mapping[str, Any] | None]:
    """What a run tells, from its beginning, and None each time that nothing is new.

    Ends after `run-finished`, or where the run `lives` no more. Raises LorakitError.
    """
    try:
        with open_regular(folder / EVENTS) as file:
            yield from _told(file, lives)
    except OSError as error:
        raise LorakitError(f"{folder / EVENTS} cannot be read: {why(error)}") from error


def _told(file: IO[bytes], lives: Callable[[], bool]) -> Iterator[Mapping[str, Any] | None]:
    begun, looked, lived = b"", 0.0, time.monotonic()
    while True:
        line = file.readline()
        if line.endswith(b"\n"):
            event, begun = _event(begun + line), b""
            if event:
                yield event
            if event.get("type") == "run-finished":
                return
            continue
        begun += line  # the rest of it is being written
        yield None
        now = time.monotonic()
        if now - looked > _PULSE:
            looked = now
            lived = now if lives() else lived
        if now - lived > _GRACE:
            return
        time.sleep(_LATENCY)


def _event(line: bytes) -> Mapping[str, Any]:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}
