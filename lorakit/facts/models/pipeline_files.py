"""Which files of a folder in diffusers' layout a pipeline is made of, by its parts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from lorakit.facts.models.model_files import check_weights, named_weights
from lorakit.families.family import Part

INDEX = "model_index.json"
SCHEDULER = "scheduler"
_DESCRIBING = (".json", ".txt", ".model")


def files_of(folder: Path, part: str) -> frozenset[str]:
    """The paths of a part's files on this machine; of the folder's own for an empty name."""
    try:
        inside = [file.name for file in (folder / part).iterdir() if file.is_file()]
    except OSError:
        return frozenset()
    return frozenset(f"{part}/{name}" if part else name for name in inside)


def served(
    folder: Path, parts: Iterable[Part], schedulers: Sequence[str] = (SCHEDULER,)
) -> list[str]:
    """The files of a folder that its pipeline is made of. Raises ModelError where weights are missing."""
    told = [INDEX, *map(config_of, schedulers)]
    names = [name for name in told if (folder / name).is_file()]
    for part in parts:
        listing = files_of(folder, part.name)
        names += sorted(n for n in listing if n.endswith(_DESCRIBING) and n != INDEX)
        if not part.stem or (part.optional and not listing):
            continue
        names += check_weights(folder, part.name, listing, part.stem).files
    return list(dict.fromkeys(names))


def wanted(
    listing: Collection[str], parts: Iterable[Part], schedulers: Sequence[str] = (SCHEDULER,)
) -> list[str]:
    """What is fetched of a repository: one form of each part's weights, and what describes it."""
    stems: dict[str, set[str]] = {}
    for part in parts:
        stems.setdefault(part.name, set()).add(part.stem)
    chosen = [name for name in (INDEX, *map(config_of, schedulers)) if name in listing]
    for name, several in stems.items():
        if name == "" and INDEX in listing:
            continue
        mine = [n for n in listing if n.rpartition("/")[0] == name]
        chosen += sorted(n for n in mine if n.endswith(_DESCRIBING))
        for stem in sorted(several - {""}):
            found = named_weights(name, stem, mine)
            chosen += found.files if found else ()
    return list(dict.fromkeys(chosen))


def config_of(scheduler: str) -> str:
    """The file that describes a scheduler, by its folder."""
    return f"{scheduler}/scheduler_config.json"
