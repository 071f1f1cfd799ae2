"""`lorakit runs` and `lorakit status` over 1,000 run folders.

    python benchmarks/runs.py [--runs 1000] [--files 20]

Run folders as films have them; each command is a process of its own, the best of three. Seconds by the clock,
and of the processor: on a busy machine the second says more.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def folder(home: Path, recipe: str, number: int, files: int) -> None:
    """One run folder of several files with its events."""
    path = home / "outputs" / recipe / f"{number:03d}"
    (path / "film").mkdir(parents=True)
    began = f"2026-05-{1 + number % 28:02d}T08:00:00+00:00"
    start = {
        "type": "run-started",
        "at": 0.0,
        "folder": str(path),
        "recipe": recipe,
        "began": began,
    }
    events: list[dict[str, object]] = [start]
    for frame in range(files):
        (path / "film" / f"frame_{frame:03d}.png").write_bytes(b"x" * 1000)
        action = f"film/one/{frame}"
        events += [
            {
                "type": "action-progress",
                "at": 1.0,
                "action": action,
                "done": step,
                "total": 20,
                "figures": {},
            }
            for step in range(20)
        ]
        events.append({"type": "action-finished", "at": 1.0, "action": action, "outcome": "made"})
    end = {
        "type": "run-finished",
        "at": 9.0,
        "ending": "done",
        "seconds": 9.0,
        "made": files,
        "cached": 0,
    }
    text = "".join(json.dumps(event) + "\n" for event in [*events, end])
    (path / "events.jsonl").write_text(text)
    (path / "run.log").write_text("")
    (path / "manifest.json").write_text("{}")


def measure(home: Path, *words: str) -> None:
    """A command's best times."""
    clock, processor = [], []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.perf_counter()
        command = [sys.executable, "-m", "lorakit", *words]
        subprocess.run(command, cwd=home, stdout=subprocess.DEVNULL, check=True)
        clock.append(time.perf_counter() - began)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    name = " ".join(("lorakit", *words))
    print(f"{name:24} {min(clock):6.2f} s by the clock {min(processor):6.2f} s of the processor")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--files", type=int, default=20)
    given = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        (home / ".lorakit").mkdir()
        (home / "film0.yaml").write_text("storyboard: 1\nscenes: [{sentences: [A fox runs.]}]\n")
        for number in range(given.runs):
            folder(home, f"film{number % 4}", number // 4 + 1, given.files)
        print(f"{given.runs:,} runs of {given.files} frames")
        for words in (["runs"], ["runs", "--all"], ["runs", "--json"], ["status"]):
            measure(home, *words)
        measure(home, "--version")


if __name__ == "__main__":
    main()
