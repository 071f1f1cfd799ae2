"""Ctrl-C while something is made: the first asks to stop at a frame, the second ends the process."""

from __future__ import annotations

import os
import signal

from lorakit import terminal
from lorakit.cli import outcome


class Interrupt:
    """Hears Ctrl-C from when it is made; `asked` is whether a first one came."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGINT, self._hear)

    def _hear(self, *_: object) -> None:
        if self.asked:
            # the live view may have hidden the cursor, and gets no chance to show it again
            terminal.show_cursor()
            os._exit(outcome.INTERRUPTED)  # the workers end by themselves when their input closes
        self.asked = True
