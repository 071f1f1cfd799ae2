"""From text to plan for 100, 1,000 and 10,000 frames, and a run of 1,000 cached ones.

    python benchmarks/planning.py [--no-run]

The run draws its 1,000 frames first, small and in two steps at most, and then times a second one that finds
them all.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def board(frames: int) -> str:
    """A storyboard of scenes of five chained frames."""
    lines = [
        "storyboard: 1",
        "look: {num_inference_steps: 2, width: 64, height: 64}",
        "chain: {from: previous, strength: 0.5}",
        "scenes:",
    ]
    for scene in range(frames // 5):
        lines += [f"  - name: scene_{scene}", "    setting: on mars", "    sentences:"]
        lines += [
            f"      - the fox finds a golden key and looks at door {scene * 5 + n}"
            for n in range(5)
        ]
    return "\n".join(lines) + "\n"


def measure(frames: int) -> None:
    """One fresh process: import, load, plan."""
    program = (
        "import json, time\nbegan = time.perf_counter()\nimport lorakit\n"
        "session = lorakit.load('board.yaml')\nloaded = time.perf_counter()\nplan = session.plan()\n"
        "print(json.dumps([loaded - began, time.perf_counter() - loaded, len(plan.actions)]))"
    )
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / ".lorakit").mkdir()
        (Path(home) / "board.yaml").write_text(board(frames))
        best = min(
            json.loads(
                subprocess.run(
                    [sys.executable, "-c", program],
                    cwd=home,
                    check=True,
                    capture_output=True,
                    text=True,
                ).stdout
            )
            for _ in range(3)
        )
    load, plan, actions = best
    print(
        f"{frames:6} frames: load {load:6.3f} s, plan {plan:6.3f} s, together {load + plan:6.3f} s "
        f"({1e3 * (load + plan) / frames:.3f} ms a frame, {actions} actions)",
        flush=True,
    )


def no_op_run() -> None:
    """A second run of 1,000 frames, all cached."""
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / ".lorakit").mkdir()
        (Path(home) / "board.yaml").write_text(board(1000))
        command = [sys.executable, "-m", "lorakit", "run", "--json", "board.yaml"]
        for name in ("first run, drawing", "second run, all cached"):
            began = time.perf_counter()
            done = subprocess.run(command, cwd=home, check=True, capture_output=True, text=True)
            finished = json.loads(done.stdout.splitlines()[-1])
            print(
                f"1,000 frames, {name}: {time.perf_counter() - began:.2f} s, made {finished['made']}, "
                f"cached {finished['cached']}, UNet calls {finished['calls'].get('unet', 0)}",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-run", action="store_true", help="leave the run of 1,000 frames out")
    args = parser.parse_args()
    for frames in (100, 1000, 10_000):
        measure(frames)
    if not args.no_run:
        no_op_run()


if __name__ == "__main__":
    main()
