"""No file of the repository holds what git could not merge."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_MARKS = re.compile(rb"^(?:<{7}|>{7}) \S", re.MULTILINE)


def test_no_conflict_was_committed() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("no checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    names = [name for name in listed.stdout.decode().split("\0") if name]
    held = [
        name
        for name in names
        if (ROOT / name).is_file() and _MARKS.search((ROOT / name).read_bytes())
    ]
    # one document of the corpus is about them
    assert held == ["tests/corpus/merge-conflict/two_places.yaml"]
