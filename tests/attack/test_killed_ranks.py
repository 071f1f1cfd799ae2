"""A training in two processes, the other one killed: it is gone on with, to the same bytes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.attack.test_flipped_trainings import weights
from tests.support.runs import Ran, command, environment, run
from tests.support.small_projects import write_text_training


def _rank_of(parent: int) -> psutil.Process | None:
    """The one process that a worker of the run has started."""
    below = psutil.Process(parent).children(recursive=True)
    found = [one for one in below if any("rank_process" in word for word in one.cmdline())]
    return found[0] if found else None


@pytest.mark.slow  # eight processes that each import torch
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.usefixtures("real_starts")
def test_a_killed_rank_is_started_again_and_the_bytes_are_the_same(tmp_path: Path) -> None:
    home = tmp_path / "project"
    (home / ".lorakit").mkdir(parents=True)
    write_text_training(home, steps=120, every=10, processes=2)
    other = home.with_name("whole")
    shutil.copytree(home, other)
    events: list[dict[str, object]] = []
    killed = 0
    with subprocess.Popen(
        command("run", "--json"), cwd=home, env=environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            events.append(json.loads(line))
            if (
                not killed
                and events[-1]["type"] == "action-progress"
                and int(str(events[-1]["done"])) > 15
            ):
                rank = _rank_of(process.pid)
                assert rank is not None
                killed = rank.pid
                with contextlib.suppress(ProcessLookupError):
                    os.kill(killed, signal.SIGKILL)
    assert process.returncode == 0, events[-3:]
    assert killed
    assert any("starting it again" in str(one.get("text", "")) for one in events), events
    done = Ran(0, [], Path(str(events[0]["folder"])), "")
    whole = run(other)
    assert whole.code == 0, whole.errors
    assert weights(done) == weights(whole) != {}
