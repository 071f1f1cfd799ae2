"""The run folder: new for each run, never overwritten, filled as things are made."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from lorakit.diagnostics import LorakitError
from lorakit.execute.events import Event
from lorakit.store import atomic
from lorakit.store.copies import place

OUTPUTS = "outputs"


class RunFolder:
    """`outputs/<recipe>/<NNN>/` with its events, log and manifest."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log: IO[bytes] = (path / "run.log").open("ab")
        self._events = (path / "events.jsonl").open("a", encoding="utf-8", buffering=1)

    @classmethod
    def create(cls, root: Path, recipe: str) -> RunFolder:
        """The next free number; making the folder is what claims it, so two runs never share one."""
        home = root / OUTPUTS / recipe
        try:
            home.mkdir(parents=True, exist_ok=True)
            taken = [int(p.name) for p in home.iterdir() if p.name.isdigit()]
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
            raise LorakitError(f"{home} cannot be written: {error.strerror}") from error

    def tell(self, event: Event) -> None:
        """Append an event to `events.jsonl`."""
        self._events.write(json.dumps(event.as_json(), ensure_ascii=False) + "\n")

    def put(self, source: Path, names: Sequence[str]) -> None:
        """Copy an object to its names in this folder."""
        for name in names:
            place(source, self.path / name)

    def finish(self, manifest: Mapping[str, object], *, complete: bool) -> None:
        """Write `manifest.json`, and make this the latest complete run if it is one."""
        atomic.write_json(self.path / "manifest.json", manifest)
        if complete:
            atomic.write_bytes(self.path.parent / "latest.txt", f"{self.path.name}\n".encode())

    def close(self) -> None:
        """Close events and log."""
        self._events.close()
        self.log.close()
