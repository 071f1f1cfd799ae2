"""How long documents take: from text to project, and from nothing to a usable interpreter.

    python benchmarks/language.py [--repeats 5]

Prints the time to load storyboards of 100, 1,000 and 10,000 sentences in three spellings, what the stages of
the largest take, and the start-up of the language and of `lorakit` commands against the bare import of the
libraries that they stand on.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lorakit.language import FolderReader, load
from lorakit.language.story import build_board
from lorakit.language.yaml import schemas, source, validation
from lorakit.language.yaml.findings import Findings

HEAD = """\
storyboard: 1
look: {style: soft 3d illustration}
characters:
  bunny: {anchor: a white bunny with a magic hat, name: the bunny, aliases: [rabbit], pronouns: he}
  fox: {anchor: a red fox with a golden crown, pronouns: she}
video: {fps: 24, captions: true}
scenes:
"""
SENTENCES = (
    "The bunny finds a golden key and a door",
    "He holds glowing lamp number {n} in the forest",
    "A robot looks at the crescent moon",
    "The fox meets the rabbit",
)
SIZES = (100, 1_000, 10_000)
BARE = "import yaml, jsonschema, rich, click"
PER_SCENE = 20


def as_texts(number: int) -> str:
    return f"      - {SENTENCES[number % 4].format(n=number)}\n"


def as_mappings(number: int) -> str:
    return (
        f'      - {{text: "{SENTENCES[number % 4].format(n=number)}", strength: 0.7, hold: 2.0}}\n'
    )


def as_paragraphs(number: int) -> str:
    return f"      {SENTENCES[number % 4].format(n=number)}.\n"


def board(sentences: int, spelling: Callable[[int], str]) -> str:
    parts = [HEAD]
    key = "text: >" if spelling is as_paragraphs else "sentences:"
    for first in range(0, sentences, PER_SCENE):
        parts.append(f"  - name: scene_{first}\n    setting: in a green meadow\n    {key}\n")
        parts += [spelling(number) for number in range(first, min(sentences, first + PER_SCENE))]
    return "".join(parts)


def seconds(work: Callable[[], object], repeats: int) -> float:
    """The best of several runs: what the machine can do when nothing else is in its way."""
    times = []
    for _ in range(repeats):
        gc.collect()
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def load_times(folder: Path, repeats: int) -> None:
    print(
        "load, s".ljust(24), *(f"{size:>8,}" for size in SIZES), "  of the largest, µs a sentence"
    )
    for spelling in (as_texts, as_mappings, as_paragraphs):
        row = []
        for size in SIZES:
            path = folder / f"{spelling.__name__}_{size}.yaml"
            path.write_text(board(size, spelling), encoding="utf-8")
            row.append(seconds(lambda path=path: load(path), repeats))  # type: ignore[misc]
        label = f"  sentences {spelling.__name__.replace('_', ' ')}"
        print(
            label.ljust(24), *(f"{one:8.3f}" for one in row), f"{row[-1] / SIZES[-1] * 1e6:10.0f}"
        )


def stage_times(folder: Path, repeats: int) -> None:
    path = folder / f"as_mappings_{SIZES[-1]}.yaml"
    reader = FolderReader()
    text = source.read(reader, path, Findings())
    root = source.compose(text, Findings())
    stages: dict[str, Callable[[], object]] = {
        "read": lambda: source.read(reader, path, Findings()),
        "compose": lambda: source.compose(text, Findings()),
        "schema": lambda: validation.check(root, schemas.STORYBOARD, Findings(), "a storyboard"),
        "build": lambda: build_board.storyboard(root, path, Findings(), lambda _node, _what: None),
    }
    print(f"\nstages of {SIZES[-1]:,} sentences as mappings, s")
    for name, work in stages.items():
        print(f"  {name}".ljust(24), f"{seconds(work, repeats):8.3f}")
    print(
        "  jsonschema's schema".ljust(24),
        f"{seconds(library_check(path), 1):8.3f}   (the reference, in Python)",
    )


def library_check(path: Path) -> Callable[[], object]:
    import jsonschema
    import yaml

    value = yaml.load(
        path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    )
    validator = jsonschema.Draft201909Validator(schemas.load("storyboard.schema.json"))
    return lambda: list(validator.iter_errors(value))


def start_times(folder: Path, repeats: int) -> None:
    path = folder / "small.yaml"
    path.write_text(board(20, as_texts), encoding="utf-8")
    commands = {
        "python alone": ["-c", "pass"],
        BARE: ["-c", BARE],
        "import lorakit.language": ["-c", "import lorakit.language"],
        "load 20 sentences": [
            "-c",
            f"from pathlib import Path; from lorakit.language import load; load(Path({str(path)!r}))",
        ],
        "lorakit --help": ["-m", "lorakit", "--help"],
        "lorakit validate": ["-m", "lorakit", "validate", str(path)],
    }
    # As installed: pip compiles all that it installs, where an environment may forbid writing bytecode.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
    for arguments in commands.values():
        subprocess.run(
            [sys.executable, *arguments], env=environment, capture_output=True, check=False
        )
    # taken in turns, so that a busy moment of the machine falls on all alike
    times: dict[str, list[float]] = {name: [] for name in commands}
    failed: set[str] = set()
    for _ in range(2 * repeats):
        for name, arguments in commands.items():
            began = time.perf_counter()
            done = subprocess.run(
                [sys.executable, *arguments], env=environment, capture_output=True, check=False
            )
            times[name].append(time.perf_counter() - began)
            if done.returncode:
                failed.add(name)
    bare = statistics.median(times[BARE])
    print("\nstart-up, ms".ljust(45), "median", "  of the bare import")
    for name, taken in times.items():
        middle = statistics.median(taken)
        told = "   (failed)" if name in failed else f"{middle / bare:8.2f}"
        print(f"  {name}".ljust(42), f"{middle * 1e3:8.0f}", told)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        load_times(folder, repeats)
        stage_times(folder, repeats)
        start_times(folder, repeats)


if __name__ == "__main__":
    main()
