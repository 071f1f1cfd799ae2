"""The soak as a test: kills at moments and places of chance, single flipped bits, each ended by one more run.

`LORAKIT_KILLS` and `LORAKIT_FLIPS` set how many there are in all: half of them befall a film, the others trainings.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_SHARES = {"film": 0.5, "text": 0.2, "image": 0.2, "ranks": 0.1}
_MEMORY = Path("/dev/shm")
pytestmark = pytest.mark.slow


@pytest.mark.skipif(
    sys.platform != "linux", reason="it forks, and waits for what killed processes leave"
)
@pytest.mark.parametrize("accident", ["kills", "flips"])
@pytest.mark.parametrize("kind", _SHARES)
def test_accidents_end_in_equal_bytes(accident: str, kind: str, tmp_path: Path) -> None:
    count = int(int(os.environ.get(f"LORAKIT_{accident.upper()}", "20")) * _SHARES[kind])
    folder = _MEMORY if os.access(_MEMORY, os.W_OK) else tmp_path
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak", accident, kind, "--count", str(count), "--folder", str(folder)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, [line for line in done.stdout.splitlines() if " ok: " not in line]
    assert done.stdout.count(" ok: ") == count
