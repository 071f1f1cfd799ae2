"""Which run folder is meant: a path, a recipe's name, a recipe and a number, or the newest of all."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path

from lorakit.diagnostics import LorakitError
from lorakit.execute.run_folder import MANIFEST, OUTPUTS
from lorakit.execute.run_record import NAME


def run_folders(home: Path) -> Iterator[tuple[str, Path]]:
    """The run folders below a project's home, as `recipe/number`; those of a recipe in order."""
    recipes = sorted(_folders(home / OUTPUTS))
    for recipe in recipes:
        numbers = [path for path in _folders(recipe) if path.name.isdecimal()]
        for path in sorted(numbers, key=lambda p: int(p.name)):
            if is_run(path):
                yield f"{recipe.name}/{path.name}", path


def is_run(folder: Path) -> bool:
    """Whether a run has begun in a folder, or ended."""
    return any((folder / name).is_file() for name in (NAME, MANIFEST))


def find(home: Path, words: str | None) -> Path:
    """The run folder that words mean: the newest of a recipe, or of all. Raises LorakitError."""
    if words and is_run(Path(words)):
        return Path(words).resolve()
    found = dict(run_folders(home))
    if not found:
        raise LorakitError(f"there is no run below {home / OUTPUTS}: lorakit run makes one")
    if words is None:
        return max(found.values(), key=lambda path: path.stat().st_mtime)
    wanted = words.replace("\\", "/").strip("/").removeprefix(f"{OUTPUTS}/")
    matching = [path for name, path in found.items() if wanted in (name, name.partition("/")[0])]
    if not matching:
        known = [*found, *dict.fromkeys(name.partition("/")[0] for name in found)]
        close = difflib.get_close_matches(wanted, known, n=1, cutoff=0.5)
        meant = close[0] if close else next(reversed(found))
        raise LorakitError(f"there is no run {words}: name one, such as {meant}")
    return matching[-1]


def _folders(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_dir()]
    except OSError:
        return []
