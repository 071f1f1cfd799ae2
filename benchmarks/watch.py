"""`lorakit watch`: from a save to its picture, one frame of the studio model.

    python benchmarks/watch.py [--saves 5]

A storyboard of two frames; each save changes the words of the second. Seconds by the clock from the save
until the picture is told, and of the processor for `watch` and its workers, which others change less.
"""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

BOARD = """storyboard: 1
look: {{style: soft 3d illustration}}
characters:
  bunny: {{anchor: a white bunny with a magic hat, pronouns: he}}
chain: {{from: anchor, strength: 0.7}}
scenes:
  - name: meadow
    setting: in a green meadow
    sentences:
      - The bunny looks at a wooden door
      - He finds a {word}
video: {{fps: 12, hold: 0.5, height: 256}}
"""
WORDS = ("golden key", "red apple", "silver ring", "blue ball", "green hat", "small boat", "map")


def processor(process: psutil.Process) -> float:
    """Seconds of the processor that it and its children have had."""
    every = [process, *process.children(recursive=True)]
    return sum(sum(one.cpu_times()[:2]) for one in every)


def told(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--saves", type=int, default=5)
    saves = parser.parse_args().saves
    with tempfile.TemporaryDirectory() as folder:
        board = Path(folder, "board.yaml")
        board.write_text(BOARD.format(word="wooden box"))
        process = subprocess.Popen(
            [sys.executable, "-m", "lorakit", "watch", "board.yaml", "--json", "--no-open"],
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
        )
        every, root = told(process), psutil.Process(process.pid)
        clock, busy = [], []
        next(e for e in every if e["type"] == "waiting")
        for number in range(saves + 1):
            time.sleep(1)
            began, had = time.monotonic(), processor(root)
            board.write_text(BOARD.format(word=WORDS[number % len(WORDS)] + "!" * (number // 7)))
            next(e for e in every if e["type"] == "action-finished" and e["outcome"] == "made")
            if number:  # the first save still tries sizes of calls
                clock.append(time.monotonic() - began)
                busy.append(processor(root) - had)
            next(e for e in every if e["type"] == "waiting")
        process.send_signal(signal.SIGINT)
        process.wait()
    print(
        f"save to picture, {saves} saves: {statistics.median(clock):.2f} s by the clock (median),"
    )
    print(f"  {statistics.median(busy):.2f} s of the processor, {min(busy):.2f} at best")


if __name__ == "__main__":
    main()
