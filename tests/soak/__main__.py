"""Kills and flipped bytes, each ended by one more run: `python -m tests.soak kills|flips KIND --count N`.

One line an accident on the standard output; exit code 1 where a promise was not kept. An accident is a function
of its number, so `--first` goes on where an earlier soak stopped, or shows a single one again.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.soak import forks
from tests.soak.projects import KINDS, build
from tests.soak.runs import Run, Wrong, clear, damaged, finished, hold, outputs, reap, run

# prctl: what killed processes leave behind becomes ours, so that we can wait for it
_SUBREAPER = 36


class Soak:
    """One project, made whole once, and what its processes do on the disk meanwhile."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind, self.folder = kind, folder
        self.home = folder / "project"
        build(kind, self.home, folder / "sd" / "model", folder / "bert")
        clear(self.home)
        self.notes = folder / "notes"
        self.notes.mkdir()
        forks.death = forks.Death(self.home, "", 0, self.notes)
        end = run(self.home)
        forks.death = None
        if end.code:
            raise Wrong(f"the first run failed: {end.words}")
        self.whole, self.lines = outputs(end), len(end.events)
        self.deeds = {path.name: path.stat().st_size for path in sorted(self.notes.iterdir())}
        self.seconds = end.seconds
        shutil.copytree(self.home, folder / "made", symlinks=True)
        if kind != "film":
            self._stop()

    def _stop(self) -> None:
        """A training stopped in its middle, with two checkpoints to go on from."""
        for _ in range(40):
            clear(self.home)
            begun = Run(self.home)
            if begun.wait(lambda: len(self._checkpoints()) > 1) is None:
                os.kill(begun.pid, signal.SIGINT)
                begun.wait()
            reap()
            if self._checkpoints():
                shutil.copytree(self.home, self.folder / "stopped", symlinks=True)
                return
        raise Wrong("no training could be stopped in its middle")

    def _checkpoints(self) -> list[Path]:
        return list((self.home / ".lorakit" / "checkpoints").glob("*/step-*.safetensors"))

    # -- kills ------------------------------------------------------------------------------------

    def kill(self, number: int) -> str:
        """Kill something at some moment, and run again; says what and when."""
        chance = random.Random(f"{self.kind} {number}")
        clear(self.home)
        (self.notes / "died").unlink(missing_ok=True)
        if number % 5 < 3:
            role = chance.choice(sorted(self.deeds))
            at = chance.randint(1, self.deeds[role])
            what = f"{role} before deed {at} of {self.deeds[role]}"
            forks.death = forks.Death(self.home, role, at, self.notes)
            end = Run(self.home).wait()
            died = (self.notes / "died").exists()
            forks.death = None
            assert end is not None
            parent = role == "parent"
        else:
            end, what, died, parent = self._kill_by_chance(chance)
        if not parent and end.code:
            raise Wrong(f"{what}: the run did not go on: exit {end.code}: {end.words[-1500:]}")
        before = finished(self.home)
        again = run(self.home)
        hold(self.home, again, self.whole, before)
        if damaged(self.home):
            raise Wrong(f"{what}: damaged objects: {damaged(self.home)}")
        return f"{what}{'' if died else ' (not reached)'}; {len(before)} kept"

    def _kill_by_chance(self, chance: random.Random) -> tuple[object, str, bool, bool]:
        begun = Run(self.home)
        moment = time.monotonic() + chance.uniform(0.0, 1.05 * self.seconds)
        end = begun.wait(lambda: time.monotonic() >= moment)
        whom = chance.choice(["parent", "child", "all"])
        if end is not None:
            return end, "too late", False, True
        below = psutil.Process(begun.pid).children(recursive=True)
        victims = [chance.choice(below).pid] if below and whom == "child" else []
        victims += [p.pid for p in below] if whom == "all" else []
        if whom != "child":
            victims.insert(0, begun.pid)
        for pid in victims:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        end = begun.wait()
        return end, f"{whom} by chance, {len(below)} children", bool(victims), whom != "child"

    # -- flips ------------------------------------------------------------------------------------

    def flip(self, number: int) -> str:
        """Flip one bit of one file that is kept, and run again; says which."""
        chance = random.Random(f"{self.kind} flip {number}")
        stopped = self.kind != "film" and number % 4 != 3
        origin = self.folder / ("stopped" if stopped else "made")
        if stopped or number % 50 == 0 or not (self.home / "outputs").exists():
            clear(self.home)
            shutil.copytree(origin / ".lorakit", self.home / ".lorakit", dirs_exist_ok=True)
            if not stopped:
                run(self.home)  # what is there is remembered as verified
        store = self.home / ".lorakit"
        kept = [
            p
            for p in sorted(store.rglob("*"))
            if p.is_file() and p.stat().st_size and p.suffix != ".lock"
        ]
        folders = sorted({p.relative_to(store).parts[0] for p in kept})
        # as often in each kind of what is kept, however many files it has
        folder = chance.choice(folders)
        path = chance.choice([p for p in kept if p.relative_to(store).parts[0] == folder])
        data = bytearray(path.read_bytes())
        at, bit = chance.randrange(len(data)), chance.randrange(8)
        data[at] ^= 1 << bit
        path.write_bytes(bytes(data))
        what = f"{path.relative_to(store)} byte {at} bit {bit}"
        hold(self.home, run(self.home), self.whole, set())
        handed_out = [f for f in (self.home / "outputs").rglob("*") if f.is_file()]
        if folder == "objects" and any(f.read_bytes() == bytes(data) for f in handed_out):
            raise Wrong(f"{what}: its bytes were handed out")
        left = damaged(self.home)
        if left:
            # nobody needed it: then it must be found once somebody does
            hold(self.home, run(self.home, "--force", "all"), self.whole, set())
            if damaged(self.home):
                raise Wrong(f"{what}: a damaged object is kept: {damaged(self.home)}")
        shutil.rmtree(self.home / "outputs")
        (self.home / "outputs").mkdir()
        return what + ("; was not needed, and mended by --force" if left else "")


def main() -> int:
    """The soak of one kind."""
    words = argparse.ArgumentParser()
    words.add_argument("accident", choices=["kills", "flips"])
    words.add_argument("kind", choices=KINDS)
    words.add_argument("--count", type=int, default=10)
    words.add_argument("--first", type=int, default=0)
    words.add_argument("--folder", type=Path, default=None, help="a quick disk: /dev/shm")
    told = words.parse_args()
    ctypes.CDLL(None).prctl(_SUBREAPER, 1)
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="soak-", dir=told.folder) as folder:
        os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_CACHE_HOME"] = f"{folder}/user"
        program = (
            "import sys; from tests.soak.projects import save_models; save_models(sys.argv[1])"
        )
        subprocess.run([sys.executable, "-c", program, folder], check=True, capture_output=True)
        forks.prepare()
        soak = Soak(told.kind, Path(folder))
        print(f"# {told.kind}: whole in {soak.seconds:.2f} s; deeds {soak.deeds}", flush=True)
        began = time.monotonic()
        for number in range(told.first, told.first + told.count):
            try:
                said = soak.kill(number) if told.accident == "kills" else soak.flip(number)
                print(f"{told.kind} {told.accident} {number} ok: {said}", flush=True)
            except Wrong as error:
                wrong += 1
                print(f"{told.kind} {told.accident} {number} WRONG: {error}", flush=True)
                reap()
                shutil.rmtree(soak.home / "outputs", ignore_errors=True)
        spent, usage = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        print(
            f"# {told.count} {told.accident} of {told.kind}: {wrong} wrong; {spent:.0f} s, of which a core "
            f"worked {usage.ru_utime + usage.ru_stime:.0f}",
            flush=True,
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
