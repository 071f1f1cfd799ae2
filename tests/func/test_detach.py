"""A run that goes on by itself, and who follows it: `lorakit run --detach`, `lorakit attach`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image

from lorakit.execute.following import events
from tests.support.runs import command, environment

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")

BOARD = """\
storyboard: 1
video: {fps: 24, hold: 20s}
scenes:
  - name: own
    sentences:
      - {text: A fox., image: fox.png}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A film of a picture of the user's own: no model is needed."""
    Image.effect_noise((256, 256), 40).convert("RGB").save(tmp_path / "fox.png")
    (tmp_path / "board.yaml").write_text(BOARD)
    step = "film: {kind: storyboard, storyboard: board.yaml}"
    (tmp_path / "recipe.yaml").write_text(f"recipe: 1\nname: test\nsteps:\n  {step}\n")
    return tmp_path


def lorakit(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command in a terminal of its own, which is gone when the command is."""
    return subprocess.run(
        command(*words),
        check=False,
        cwd=project,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )


def begin(project: Path, *words: str) -> subprocess.Popen[str]:
    """A command that goes on beside the test."""
    return subprocess.Popen(
        command(*words),
        cwd=project,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_a_run_goes_on_when_its_terminal_is_gone_and_is_followed_to_its_end(project: Path) -> None:
    begun = begin(project, "run", "--detach", "--json")
    assert begun.stdout is not None
    told: dict[str, Any] = json.loads(begun.stdout.readline())
    process = psutil.Process(told["pid"])
    process.suspend()  # it is under way as long as somebody asks
    begun.communicate(timeout=120)
    assert begun.returncode == 0
    assert told["folder"] == str(project / "outputs" / "test" / "001")
    assert os.getsid(process.pid) == process.pid  # no terminal's end, nor its Ctrl-C, reaches it

    follower, left = begin(project, "attach"), begin(project, "attach")
    assert follower.stdout is not None
    assert left.stdout is not None
    assert follower.stdout.readline().startswith("test is running")
    left.stdout.readline()
    left.send_signal(signal.SIGINT)
    _, errors = left.communicate(timeout=120)
    assert left.returncode == 130
    assert "left; it goes on" in errors
    assert process.is_running()
    process.resume()

    said, _ = follower.communicate(timeout=120)
    assert follower.returncode == 0, said
    assert "made film/film" in said
    assert said.rstrip().endswith(f"folder  {told['folder']}")
    assert (project / "outputs/test/001/film/film.mp4").is_file()

    again = lorakit(project, "run", "--detach")
    assert again.stdout == f"folder  {told['folder']}\nnothing was left to make\n"
    over = lorakit(project, "attach", "test/1")
    assert (over.returncode, over.stderr) == (1, "error: test/001 is not going on: it is done\n")


def test_what_is_wrong_with_a_document_is_told_before_the_terminal_is_left(project: Path) -> None:
    (project / "board.yaml").write_text(BOARD.replace("fps", "fbs"))
    said = lorakit(project, "run", "--detach")
    assert said.returncode == 3
    assert said.stderr.startswith("board.yaml:2:9: error[unknown-key]: unknown key fbs")


def test_a_run_that_was_killed_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lorakit.execute.following._GRACE", 0.2)
    file = tmp_path / "events.jsonl"
    file.write_text('{"type": "run-started"}\n["no event"]\n{"type": "act')
    told = list(filter(None, events(tmp_path, lambda: False)))
    assert told == [{"type": "run-started"}]


def test_a_line_that_is_being_written_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text('{"type": "note", ')
    told = []
    for event in events(tmp_path, lambda: True):
        if event is None:
            with file.open("a") as more:
                more.write('"text": "é"}\n{"type": "run-finished"}\n')
        else:
            told.append(event)
    assert told == [{"type": "note", "text": "é"}, {"type": "run-finished"}]
