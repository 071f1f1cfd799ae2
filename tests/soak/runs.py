"""One run in a process that may die, and what a store holds when all is over."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.soak import forks

# what is equal from one training to the next: its figures tell of seconds, its settings of folders
_TRAINED = ("adapter", "latents", "embeds")
_PATIENCE = 300.0  # s for a run on a machine that others use


class Wrong(Exception):
    """A promise was not kept."""


@dataclass(frozen=True)
class End:
    """How a run ended."""

    code: int
    events: list[dict[str, Any]]
    errors: str
    seconds: float

    @property
    def words(self) -> str:
        """All that it said went wrong."""
        told = [str(e.get("detail") or e.get("text") or "") for e in self.events]
        return " ".join([*filter(None, told), self.errors])

    @property
    def folder(self) -> Path:
        return Path(self.events[0]["folder"])

    def made(self) -> set[str]:
        """Keys of what was made by this run."""
        ended = (e for e in self.events if e["type"] == "action-finished")
        return {e["key"] for e in ended if e["outcome"] == "made"}


class Run:
    """`lorakit run --json WORDS` in `home`, in a fork."""

    def __init__(self, home: Path, *words: str) -> None:
        self.out, self._err = home.parent / "out.jsonl", home.parent / "err.txt"
        self._began = time.monotonic()

        def main() -> None:
            from lorakit import cli

            os.chdir(home)
            cli.main()

        with (
            Path(os.devnull).open("rb") as nothing,
            self.out.open("wb") as out,
            self._err.open("wb") as err,
        ):
            self.pid = forks.fork(
                main,
                ["lorakit", "run", "--json", *words],
                role="parent",
                pipes=(nothing.fileno(), out.fileno(), err.fileno()),
            )

    def wait(self, until: Callable[[], bool] = lambda: False) -> End | None:
        """Its end; None where `until` came true first. Raises Wrong where it hangs."""
        while time.monotonic() - self._began < _PATIENCE:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                seconds = time.monotonic() - self._began
                return End(code, self.events(), self._err.read_text(errors="replace"), seconds)
            if until():
                return None
            time.sleep(0.005)
        raise Wrong(f"it has not ended after {_PATIENCE} s: {self.events()[-3:]}")

    def events(self) -> list[dict[str, Any]]:
        """What it has told so far; a line that a kill cut short is left out."""
        found = []
        for line in self.out.read_text(errors="replace").splitlines():
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
        return found


def run(home: Path, *words: str) -> End:
    """A run to its end. Raises Wrong where it hangs, or leaves processes behind."""
    end = Run(home, *words).wait()
    assert end is not None
    reap()
    return end


def reap() -> None:
    """Wait until all that killed processes have left behind has ended by itself."""
    began = time.monotonic()
    while time.monotonic() - began < _PATIENCE:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            time.sleep(0.005)
    raise Wrong("processes are left that nobody waits for")


def clear(home: Path) -> None:
    """A project that nothing was made in yet."""
    for name in (".lorakit", "outputs"):
        shutil.rmtree(home / name, ignore_errors=True)
    (home / ".lorakit").mkdir()


def outputs(end: End) -> dict[str, str]:
    """Digests of all that a run handed out that are equal each time, by address and name."""
    manifest = json.loads((end.folder / "manifest.json").read_text())
    trains = any(one["kind"].startswith("train-") for one in manifest["actions"])
    return {
        f"{one['id']}/{name}": digest
        for one in manifest["actions"]
        for name, digest in one["outputs"].items()
        if not trains or name in _TRAINED
    }


def finished(home: Path) -> set[str]:
    """Keys that count as done: those with a manifest of their name."""
    return {p.parent.name + p.stem for p in (home / ".lorakit" / "actions").glob("??/*.json")}


def damaged(home: Path) -> list[Path]:
    """Objects whose bytes are not those of their name, of those that a manifest names.

    A training that was made again has other figures and another log, which tell of seconds: what is left of
    the damaged ones leads nowhere, and `--verify` and `gc` remove it.
    """
    manifests = (home / ".lorakit" / "actions").glob("??/*.json")
    named = "".join(path.read_text(errors="replace") for path in manifests)
    return [
        path
        for path in (home / ".lorakit" / "objects").glob("??/*")
        if path.parent.name + path.name in named
        and hashlib.sha256(path.read_bytes()).hexdigest() != path.parent.name + path.name
    ]


def hold(home: Path, end: End, whole: dict[str, str], before: set[str]) -> None:
    """Raise Wrong unless a run after an accident left all as it should be; `before` was done before it."""
    if end.code != 0:
        raise Wrong(f"exit {end.code}: {end.words[-1500:]}")
    if outputs(end) != whole:
        raise Wrong(f"other bytes: {set(outputs(end).items()) ^ set(whole.items())}")
    if end.made() & before:
        raise Wrong(f"made twice: {end.made() & before}")
    if "a fault inside" in end.words or "Traceback" in end.words:
        raise Wrong(end.words)
    if list((home / ".lorakit" / "tmp").iterdir()):
        raise Wrong("scratch is left")
    for line in (
        (end.folder / "manifest.json").read_text(),
        (end.folder / "events.jsonl").read_text(),
    ):
        if not line:
            raise Wrong("an empty record")
