"""The run folder: new for each run that makes something, never overwritten, filled as things are made."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from lorakit.diagnostics import LorakitError
from lorakit.execute import run_record
from lorakit.execute.events import EVENTS, Event
from lorakit.files import read_regular
from lorakit.store import atomic
from lorakit.store.copies import place
from lorakit.store.errors import StoreError, why

OUTPUTS, MANIFEST, LATEST = "outputs", "manifest.json", "latest.txt"
LOG, REPORT, PREVIEWS = "run.log", "report.html", "previews"


def home_of(root: Path, recipe: str) -> Path:
    """Where the run folders of a recipe are."""
    return root / OUTPUTS / recipe


def name_latest(folder: Path) -> None:
    """Make a run folder the latest complete one. Raises OSError."""
    atomic.write_bytes(folder.parent / LATEST, f"{folder.name}\n".encode())


def latest(home: Path) -> str:
    """The name of a recipe's latest complete run; empty where none is named."""
    try:
        return read_regular(home / LATEST, 1000).decode("ascii", "replace").strip()
    except OSError:
        return ""


def numbered(home: Path) -> list[Path]:
    """The run folders of a recipe in their order; what `home` has besides, links among it, is no run."""
    try:
        with os.scandir(home) as entries:
            found = [
                Path(e.path)
                for e in entries
                if e.name.isascii() and e.name.isdecimal() and e.is_dir(follow_symlinks=False)
            ]
    except OSError:
        return []
    return sorted(found, key=lambda path: int(path.name))


class RunFolder:
    """`outputs/<recipe>/<NNN>/` with its events, log and manifest."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log: IO[bytes] = (path / LOG).open("ab")
        self._events = (path / EVENTS).open(
            "a", encoding="utf-8", errors="backslashreplace", buffering=1
        )
        self._opened = os.fstat(self._events.fileno())
        self.lost = ""
        self._previews = 0
        self._previewed: dict[str, deque[str]] = {}  # names by worker, the newest last

    @classmethod
    def create(cls, root: Path, recipe: str) -> RunFolder:
        """The next free number; making the folder is what claims it, so two runs never share one."""
        home = home_of(root, recipe)
        try:
            # `outputs` may be a link to another disk; what is in it is ours alone
            if home.is_symlink():
                raise LorakitError(f"{home} is a link: remove it, and a run makes its own")
            home.mkdir(parents=True, exist_ok=True)
            taken = [int(p.name) for p in home.iterdir() if p.name.isdecimal()]
            number = max(taken, default=0) + 1
            while True:
                path = home / f"{number:03d}"
                try:
                    path.mkdir()
                except FileExistsError:
                    number += 1
                else:
                    return cls(path)
        except OSError as error:
            raise LorakitError(f"{home} cannot be written: {why(error)}") from error

    def begin(self, record: Mapping[str, object]) -> None:
        """Write `record.json`: what is to be made, and from which documents. Raises StoreError."""
        self._write(run_record.NAME, record, indent=None)

    def tell(self, event: Event) -> None:
        """Append an event to `events.jsonl`. Once that has failed, `lost` says why and no more is written."""
        if self.lost:
            return
        try:
            self._events.write(json.dumps(event.as_json(), ensure_ascii=False) + "\n")
        except OSError as error:
            self.lost = f"{self.path} cannot be written: {why(error)}"

    def check(self) -> None:
        """Raise StoreError where this folder was removed, or cannot be written any more."""
        if self.lost:
            raise StoreError(self.lost)
        try:
            there = os.path.samestat((self.path / EVENTS).stat(), self._opened)
        except OSError:
            there = False
        if not there:
            raise StoreError(
                f"{self.path} was removed while the run went on: run again, what was made is kept"
            )

    def put(self, source: Path, names: Sequence[str]) -> None:
        """Copy an object to its names in this folder."""
        self.check()
        for name in names:
            try:
                place(source, self.path / name)
            except OSError as error:
                raise StoreError(f"{self.path / name} cannot be written: {why(error)}") from error

    def show(self, worker: str, picture: bytes) -> str:
        """Put what a worker is at where it can be looked at; its path in this folder, empty if there is none.

        Each has a name of its own, since a browser keeps what it has seen; the last but one is removed.
        """
        self._previews += 1
        last = self._previewed.setdefault(worker, deque())
        last.append(f"{PREVIEWS}/{self._previews}.webp")
        try:
            (self.path / PREVIEWS).mkdir(exist_ok=True)
            atomic.write_bytes(self.path / last[-1], picture, durable=False)
            if len(last) > 2:
                (self.path / last.popleft()).unlink(missing_ok=True)
        except OSError:
            return ""  # the frame itself will tell what is wrong with the disk
        return last[-1]

    def finish(self, manifest: Mapping[str, object], *, complete: bool) -> None:
        """Write `manifest.json`, and make this the latest complete run if it is one. Raises StoreError."""
        self.check()
        self._write(MANIFEST, manifest)
        try:
            if complete:
                name_latest(self.path)
        except OSError as error:
            raise StoreError(f"{self.path} cannot be written: {why(error)}") from error

    def _write(self, name: str, data: object, *, indent: int | None = 1) -> None:
        try:
            atomic.write_json(self.path / name, data, indent=indent)
        except OSError as error:
            raise StoreError(f"{self.path} cannot be written: {why(error)}") from error

    def close(self) -> None:
        """Close events and log; what showed how far things were is of no more use."""
        shutil.rmtree(self.path / PREVIEWS, ignore_errors=True)
        for file in (self._events, self.log):
            with contextlib.suppress(OSError):  # what a full disk has no room for
                file.close()
