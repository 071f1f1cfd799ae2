"""How long this checkout takes beside another one, over the same documents, in turns.

    git worktree add ../before 3138ae0      # with lorakit installed into ../before/.venv
    python benchmarks/against.py ../before [--rounds 9] [--only "no-op"]

Every figure is of a process of its own, in milliseconds of the processor with all that it started: what
else a machine does lengthens those little. The least and the median are told, and how they compare. The runs
draw their frames first, each side its own.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from language import as_mappings, as_paragraphs, as_texts
from language import board as story
from planning import board as scenes

_LOAD = (
    "import resource, sys\nfrom pathlib import Path\nfrom lorakit.language import load\n"
    "def spent():\n    use = resource.getrusage(resource.RUSAGE_SELF)\n"
    "    return use.ru_utime + use.ru_stime\n"
    "began = spent()\nload(Path(sys.argv[1]))\nprint(spent() - began)"
)
_PLAN = (
    "import resource, sys\nbare = resource.getrusage(resource.RUSAGE_SELF)\nimport lorakit\n"
    "lorakit.load(sys.argv[1]).plan()\nuse = resource.getrusage(resource.RUSAGE_SELF)\n"
    "print(use.ru_utime + use.ru_stime - bare.ru_utime - bare.ru_stime)"
)


@dataclass(frozen=True)
class Line:
    """One figure: a command; it tells its seconds itself, or all that its process had are counted."""

    name: str
    arguments: tuple[str, ...]
    document: str
    tells: bool = False
    first: bool = False  # it has to run once before


def lines() -> list[Line]:
    """All that is compared."""
    command = ("-m", "lorakit")
    found = [
        Line("import lorakit.language", ("-c", "import lorakit.language"), "", first=True),
        Line("lorakit --version", (*command, "--version"), "", first=True),
        Line("lorakit --help", (*command, "--help"), "", first=True),
        Line("lorakit validate", (*command, "validate"), story(20, as_texts), first=True),
    ]
    for spelling in (as_texts, as_mappings, as_paragraphs):
        name = f"load 10,000 {spelling.__name__.removeprefix('as_')}"
        found.append(Line(name, ("-c", _LOAD), story(10_000, spelling), tells=True))
    found += [
        Line(f"plan of {frames:,}", ("-c", _PLAN), scenes(frames), tells=True)
        for frames in (100, 1_000, 10_000)
    ]
    run = (*command, "run", "--json")
    found += [
        Line(f"no-op run of {frames:,}", run, scenes(frames), first=True) for frames in (100, 1_000)
    ]
    return found


def once(python: Path, line: Line, home: Path) -> float:
    """Milliseconds of the processor for one go."""
    document = ["board.yaml"] if line.document else []
    # as installed: what is compiled is kept, and nothing that stands here decides what is imported
    skipped = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH")
    environment = {key: value for key, value in os.environ.items() if key not in skipped}
    with tempfile.TemporaryFile("w+") as told:
        process = subprocess.Popen(
            [str(python), *line.arguments, *document],
            cwd=home,
            env=environment,
            stdout=told,
            stderr=subprocess.DEVNULL,
        )
        _, status, use = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{line.name} failed with {python}")
        told.seek(0)
        return 1e3 * (float(told.read()) if line.tells else use.ru_utime + use.ru_stime)


def compare(line: Line, sides: Sequence[Path], rounds: int) -> None:
    """One line of the table."""
    with tempfile.TemporaryDirectory() as folder:
        homes = [Path(folder, name) for name in ("before", "now")]
        for home, python in zip(homes, sides, strict=True):
            (home / ".lorakit").mkdir(parents=True)
            (home / "board.yaml").write_text(line.document, encoding="utf-8")
            if line.first:
                once(python, line, home)
        taken: list[list[float]] = [[], []]
        for number in range(rounds):
            for side in (0, 1) if number % 2 else (1, 0):
                taken[side].append(once(sides[side], line, homes[side]))
    least, middle = [min(each) for each in taken], [statistics.median(each) for each in taken]
    print(
        f"{line.name:26} {least[0]:8.0f} {least[1]:8.0f} {middle[0]:9.0f} {middle[1]:8.0f}"
        f" {least[1] / least[0]:9.2f} {middle[1] / middle[0]:8.2f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", type=Path, help="a checkout with a .venv, or an interpreter")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", default="", help="the lines that have this in their name")
    given = parser.parse_args()
    other = given.other.absolute()
    before = other if other.is_file() else other / ".venv" / "bin" / "python"
    print(f"{'ms of the processor':26}    least of each        median of each   now / before")
    print(f"{'':26} {'before':>8} {'now':>8} {'before':>9} {'now':>8} {'least':>9} {'median':>8}")
    for line in lines():
        if given.only in line.name:
            compare(line, (before, Path(sys.executable)), given.rounds)


if __name__ == "__main__":
    main()
