"""What lorakit finds in a project: room on its disk, its store, its documents for editors, and for git."""

from __future__ import annotations

import functools
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from lorakit.execute.run_folder import OUTPUTS
from lorakit.facts.files import modelines
from lorakit.language import FolderReader, locks
from lorakit.language.found import documents_below
from lorakit.language.yaml.schemas import FILES
from lorakit.plan import numbers
from lorakit.store import scratch
from lorakit.store.store import FOLDER, Store
from lorakit.store.walking import stored
from lorakit.upkeep.condition import Condition, Examination, Level

_FULL, _NARROW = 500e6, 5e9  # bytes
_NAMED = 3  # documents
_FREE = ("`lorakit gc` says what may go", "`hf cache ls` lists what was downloaded")


def examinations(home: Path) -> Mapping[str, Examination]:
    """What is looked at in a project."""
    looks = {
        "disk": disk,
        "store": store,
        "cache": cache,
        "lock": lock,
        "editors": editors,
        "ignored": ignored,
    }
    return {area: functools.partial(look, home) for area, look in looks.items()}


def disk(home: Path) -> Iterator[Condition]:
    """Room for what is made, and for what is downloaded."""
    from huggingface_hub import constants

    cache = Path(constants.HF_HUB_CACHE)
    there = next(folder for folder in (cache, *cache.parents) if folder.is_dir())
    same = os.stat(there).st_dev == os.stat(home).st_dev  # noqa: PTH116
    for what, folder in (("the project", home), ("the hub's cache", there))[: 1 if same else 2]:
        free = shutil.disk_usage(folder).free
        words = f"{numbers.size(free)} free for {what}"
        level: Level = "error" if free < _FULL else "warning" if free < _NARROW else "ok"
        yield Condition("disk", level, words, () if level == "ok" else _FREE)


def store(home: Path) -> Iterator[Condition]:
    """Whether the store can be written and locked, and holds what its manifests say."""
    there = Store(home)
    if not there.folder.exists():
        yield Condition("store", "note", f"none in {home}: a run makes it")
        return
    there.prepare()  # raises StoreError with a way out
    with scratch.swept(there.folder) as mine:
        going = scratch.living(there.folder)
        if not mine:
            yield Condition("store", "note", "`lorakit gc` is clearing it now")
    for one in going:
        message = f"{one.get('recipe', 'a run')} is running (process {one.get('pid', 'unknown')})"
        yield Condition("store", "note", message, ("`lorakit status` says how far it is",))
    results, objects, size, damaged = _contents(there)
    if damaged:
        yield Condition(
            "store",
            "error",
            f"{numbers.count(damaged, 'object')} of {there.folder} have another size than their results say",
            ("`lorakit run --verify` reads all of it, and makes what is damaged again",),
        )
        return
    words = f"{numbers.count(results, 'result')}, {numbers.count(objects, 'object')}"
    yield Condition("store", "ok", f"{words}, {numbers.size(size)} in {there.folder}")


def _contents(there: Store) -> tuple[int, int, int, int]:
    """How many results and objects there are, the objects' bytes, and how many are damaged by their size."""
    sizes: dict[str, int] = {}
    for digest, _, status in stored(there.objects):
        if stat.S_ISREG(status.st_mode):
            sizes[digest] = status.st_size
    results, damaged = 0, set()
    for name, _, _ in stored(there.actions):
        manifest = there.manifest(name.removesuffix(".json")) if name.endswith(".json") else None
        if manifest is None:
            continue
        results += 1
        for output in manifest.outputs.values():
            if sizes.get(output.digest, output.size) != output.size:
                damaged.add(output.digest)
    return results, len(sizes), sum(sizes.values()), len(damaged)


def cache(home: Path) -> Iterator[Condition]:
    """Whether the team's cache answers, where the project has one. Raises InvalidDocument, LorakitError."""
    from lorakit.remote.looking import looked_at

    found = looked_at(home, Store(home))
    if found is None:
        return
    account = found.account()
    for words in account.troubles:
        yield Condition("cache", "warning", f"{account.url}: {words}")
    if not found.lost:
        how = account.why or "read and written"
        offers = numbers.count(account.results, "result")
        yield Condition("cache", "ok", f"{account.url}: {offers}; {how}; named in {account.source}")


def lock(home: Path) -> Iterator[Condition]:
    """Whether the lock can be read. Raises InvalidDocument."""
    if not (home / locks.FILE).exists():
        return
    found = locks.read(home)
    pins = numbers.count(len(found.models) + len(found.datasets), "pin")
    way = "`lorakit lock --check` holds all files against them"
    yield Condition("lock", "ok", f"{pins} in {locks.FILE}; {way}")


def editors(home: Path) -> Iterator[Condition]:
    """Whether editors find the schemas of the documents."""
    reader = FolderReader()
    found = [modelines.modeline_of(path) for path in documents_below(home, besides=home / OUTPUTS)]
    if not found:
        return
    way = "`lorakit schema --install` writes the schemas, and says what to put on top of which document"
    broken = [one for one in found if one.written and not one.resolves]
    without = [one for one in found if not one.written]
    old = {
        one.schema
        for one in found
        if one.schema is not None and one.schema.name in FILES and modelines.differs(one.schema)
    }
    told: tuple[tuple[Level, list[modelines.Modeline], str], ...] = (
        ("warning", broken, "have a $schema line that leads to no file"),
        ("note", without, "have no $schema line for editors"),
    )
    for level, many, words in told:
        names = [reader.display(one.document) for one in many]
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        if names:
            message = f"{', '.join(names[:_NAMED])}{more} {words}"
            yield Condition("editors", level, message, (way,))
    for path in sorted(old):
        message = f"{reader.display(path)} is of another version of lorakit"
        yield Condition("editors", "warning", message, (way,))
    if not (broken or without or old):
        yield Condition("editors", "ok", f"{numbers.count(len(found), 'document')} with schemas")


def ignored(home: Path) -> Iterator[Condition]:
    """Whether git would take up what is made."""
    git = shutil.which("git")
    if git is None or not (home / ".git").exists():
        return
    for name in (OUTPUTS, FOLDER):
        asked = [git, "-C", str(home), "check-ignore", "-q", f"{name}/x"]
        try:
            code = subprocess.run(asked, capture_output=True, timeout=20, check=False).returncode
        except (OSError, subprocess.SubprocessError):
            return
        # the store has a .gitignore of its own
        if code == 1 and (name == OUTPUTS or (home / name).exists()):
            way = f"echo {name}/ >> .gitignore"
            yield Condition("git", "warning", f"git does not ignore {name}/", (way,))
