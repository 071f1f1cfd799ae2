"""Running lorakit as its own process, as a user does, and reading what the run says of itself."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def command(*words: str) -> list[str]:
    """The command line of lorakit in this environment."""
    return [sys.executable, "-m", "lorakit", *words]


def environment() -> dict[str, str]:
    """The tests' environment; a traceback in a child is as loud as one here."""
    return {**os.environ, "PYTHONUTF8": "1", "COLUMNS": "120", "NO_COLOR": "1"}


@dataclass(frozen=True)
class Ran:
    """A run that is over."""

    code: int
    events: list[dict[str, Any]]
    folder: Path
    errors: str

    @property
    def finished(self) -> dict[str, Any]:
        return self.events[-1]

    @property
    def calls(self) -> dict[str, int]:
        """How often the networks' forward passes ran, by their own hooks."""
        return self.finished["calls"]

    def made(self, kind: str = "") -> list[str]:
        """Addresses of what was made, not taken from the store; `kind` is `frame`, `film`, ..."""
        kinds = {a["id"]: a["kind"] for a in self.manifest["actions"]}
        ended = [e for e in self.events if e["type"] == "action-finished"]
        return [
            e["action"]
            for e in ended
            if e["outcome"] == "made" and kind in ("", kinds[e["action"]])
        ]

    @property
    def manifest(self) -> dict[str, Any]:
        return json.loads((self.folder / "manifest.json").read_text())

    def pictures(self) -> dict[str, str]:
        """SHA-256 of every picture in the scene folders, by its path in the run folder."""
        return {
            path.relative_to(self.folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.folder.rglob("*.png"))
            if path.name != "contact_sheet.png"
        }


def run(home: Path, *words: str, timeout: float = 300) -> Ran:
    """`lorakit run --json ...` in `home`, to its end."""
    done = subprocess.run(
        command("run", "--json", *words),
        cwd=home,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    folder = Path(events[0]["folder"]) if events else home
    return Ran(done.returncode, events, folder, done.stderr)


def lorakit(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Any command in `home`, to its end."""
    return subprocess.run(
        command(*words),
        cwd=home,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
