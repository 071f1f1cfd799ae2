"""How far a look has come: nothing for two seconds, then how many and for how long it goes on."""

from __future__ import annotations

import io
import sys
import time

import pytest

from lorakit.cli.progress_line import counting


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_it_is_told_once_it_takes_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    progress = counting("picture")
    for done in range(1, 1001):
        now[0] += 0.02 if done > 1 else 1.0
        progress(done, 1000)
    lines = [line for line in shown.getvalue().replace("\x1b[K", "").split("\r") if line]
    # a second until the first picture says nothing of the others
    assert lines[0] == "looks at 52 of 1,000 pictures, about 20 s left"
    assert lines[-1].endswith("under a second left")
    assert len(lines) < 100  # no more than five a second
    assert shown.getvalue().endswith("\r\x1b[K")  # and then it goes


def test_a_pipe_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    progress = counting("picture")
    for done in (1, 2, 3):
        now[0] += 5
        progress(done, 3)
    assert shown.getvalue() == ""
