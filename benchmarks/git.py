"""How long `lorakit diff` takes where 10 of 10,000 frames change, beside what one plan takes.

    python benchmarks/git.py [--scenes 1000]

Each command is a process of its own. Of several runs the least is told, in seconds of the processor: a busy
machine lengthens those less than the clock's.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SUBJECTS = ("the bunny", "a fox", "an owl", "a robot", "an alien")
DEEDS = ("finds a key", "holds a key", "looks at a castle", "meets a fox", "rides a rocket")
FRAMES = 10  # of a scene
TRIES = 5


def board(scenes: int, changed: int | None = None) -> str:
    """A storyboard of so many scenes; in one of them every sentence may be another."""
    lines = [
        "storyboard: 1",
        "characters:",
        "  bunny: {anchor: a white bunny with a magic hat, pronouns: he}",
        "chain: {from: anchor, strength: 0.7}",
        "scenes:",
    ]
    for scene in range(scenes):
        place = "a rock" if scene == changed else "a tree"
        lines += [f"  - name: scene_{scene}", "    setting: in a green meadow", "    sentences:"]
        lines += [
            f"      - {SUBJECTS[(scene + n) % 5]} {DEEDS[n % 5]} near {place} {scene}"
            for n in range(FRAMES)
        ]
    return "\n".join([*lines, "video: {fps: 24, hold: 1.5, height: 720}", ""])


def project(home: Path, scenes: int) -> None:
    """A repository with one commit, and a scene rewritten since."""
    from dulwich import porcelain

    (home / "recipe.yaml").write_text(
        "recipe: 1\nsteps: {film: {kind: storyboard, storyboard: board.yaml}}\n"
    )
    (home / ".gitignore").write_text(".lorakit/\noutputs/\n")
    (home / ".lorakit").mkdir()
    (home / "board.yaml").write_text(board(scenes))
    porcelain.init(str(home))
    porcelain.add(str(home), [str(home / n) for n in ("recipe.yaml", ".gitignore", "board.yaml")])
    author = b"a <a@example.org>"
    porcelain.commit(str(home), message=b"one", author=author, committer=author)
    (home / "board.yaml").write_text(board(scenes, scenes // 2))


def timed(home: Path, *words: str) -> tuple[float, float, str]:
    """Seconds of the processor and of the clock of a command, the least of several runs; its output."""
    best = (float("inf"), float("inf"), "")
    for _ in range(TRIES):
        before, began = os.times(), time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "lorakit", *words],
            cwd=home,
            check=True,
            capture_output=True,
            text=True,
        )
        gone, after = time.perf_counter() - began, os.times()
        worked = sum(after[2:4]) - sum(before[2:4])
        best = min(best, (worked, gone, done.stdout))
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=1000)
    scenes = parser.parse_args().scenes
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        project(home, scenes)
        plan, plan_clock, _ = timed(home, "plan")
        diff, diff_clock, said = timed(home, "diff")
        assert f"{FRAMES} frames drawn again" in said
        assert f"{(scenes - 1) * FRAMES:,} frames stay" in said
    print(f"{scenes:,} scenes of {FRAMES} frames, one scene rewritten")
    print(f"plan of one side  {plan:5.2f} s of the processor, {plan_clock:5.2f} s of the clock")
    print(f"diff of both      {diff:5.2f} s of the processor, {diff_clock:5.2f} s of the clock")
    print(f"diff / plan       {diff / plan:5.2f}")


if __name__ == "__main__":
    main()
