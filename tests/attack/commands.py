"""The commands, run in this process as `lorakit` runs them, and what they print."""

from __future__ import annotations

import io
import signal
import sys
from dataclasses import dataclass
from unittest import mock

from lorakit import cli


@dataclass(frozen=True)
class Said:
    """How a command ended and all that it printed."""

    code: int
    text: str


def lorakit(*words: str) -> Said:
    """`lorakit WORDS` in the current folder, its output as a pipe would get it."""
    bytes_ = io.BytesIO()
    before = signal.getsignal(signal.SIGINT)
    stream = io.TextIOWrapper(bytes_, encoding="utf-8", write_through=True)
    with (
        mock.patch.object(sys, "argv", ["lorakit", *words]),
        mock.patch.object(sys, "stdout", stream),
        mock.patch.object(sys, "stderr", stream),
    ):
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            signal.signal(signal.SIGINT, before)
        stream.flush()
    return Said(code, bytes_.getvalue().decode())
