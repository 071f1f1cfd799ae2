"""What a lock says of models and data sets: commit, licence, and the digests of the files that are used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from lorakit import resources
from lorakit.diagnostics import Diagnostic, LorakitError
from lorakit.facts.files.digests import Digests
from lorakit.facts.hub.cards import CARD, SHIPPED, license_of
from lorakit.facts.hub.hub_copies import Kind, commit_of, snapshot
from lorakit.facts.models import control_models, ip_adapters
from lorakit.facts.models.model_files import listing_of, serving
from lorakit.facts.texts.text_models import minilm_folder, text_files
from lorakit.language.locks import FILE, Lock, Pin, name_of, of_hub
from lorakit.language.recipe.documents import ModelSource, with_members
from lorakit.language.recipe.project import Project
from lorakit.language.recipe.trainings import DataSource

Source = ModelSource | DataSource
_COMMIT = re.compile(r"[0-9a-f]{40}\Z")


def pins_of(written: Project, settled: Project, digests: Digests, *, ask: bool = False) -> Lock:
    """A pin for every source of a project that ships with lorakit or stands on the hub, as it is here.

    Sources are called as they are `written`, and looked for at the revisions of the `settled` project. Of
    what has not been downloaded there is no pin; `ask` the hub for cards that are not here. Raises HubError,
    OSError.
    """
    ours, theirs = written.recipe, settled.recipe
    used = {getattr(step, "model", "") for step in with_members(ours.steps.values())}
    models = {
        name_of(ours.models[name]): source
        for name, source in theirs.models.items()
        if name in used or of_hub(source)  # what ships is in every recipe
    }
    data = {name_of(ours.datasets[name]): source for name, source in theirs.datasets.items()}
    return Lock(_pins(models, digests, ask=ask), _pins(data, digests, ask=ask))


def newest(written: Project) -> Lock:
    """What each source of the hub is at now: pins without files. Raises HubError."""
    recipe = written.recipe
    return Lock(_commits(recipe.models.values()), _commits(recipe.datasets.values()))


def _commits(sources: Iterable[Source]) -> dict[str, Pin]:
    return {
        name_of(source): Pin(
            {}, revision=commit_of(_repository(source), _kind(source), source.revision)
        )
        for source in sources
        if of_hub(source)
    }


def differences(project: Project, lock: Lock, digests: Digests) -> Iterator[Diagnostic]:
    """Where a project stands on something that its lock does not name, or names otherwise.

    `project` is not pinned. Files that are not here yet are not looked at: they are fetched at their commit.
    """
    for source, pin in _with_pins(project, lock):
        name = name_of(source)
        if pin is None:
            if _may_move(source):
                yield _found(project, source, "not-locked", f"{name} is not in {FILE}")
            continue
        there = _pin(source, digests, revision=pin.revision)
        if there is not None and there.files != pin.files:
            changed = sorted(dict(there.files.items() ^ pin.files.items()))
            shown = ", ".join(changed[:3]) + (", …" if len(changed) > 3 else "")
            message = f"{name} is not what {FILE} says: {shown}"
            yield _found(project, source, "not-as-locked", message)


def missing(project: Project, lock: Lock) -> bool:
    """Whether a source on the hub, which may move there, is in no lock. `project` is not pinned."""
    return any(pin is None and _may_move(source) for source, pin in _with_pins(project, lock))


def _with_pins(project: Project, lock: Lock) -> Iterator[tuple[Source, Pin | None]]:
    """Every source of a project with its pin, if the lock has one."""
    recipe = project.recipe
    for sources, pins in ((recipe.models, lock.models), (recipe.datasets, lock.datasets)):
        for source in sources.values():
            yield source, pins.get(name_of(source))


def _may_move(source: Source) -> bool:
    """Whether the hub may have something else for a source tomorrow: all but a whole commit."""
    return of_hub(source) and not _COMMIT.match(source.revision)


def _found(project: Project, source: Source, code: str, message: str) -> Diagnostic:
    hint = {
        "not-locked": "lorakit lock adds it",
        "not-as-locked": "lorakit lock --update takes it as it is now; git tells who locked it otherwise",
    }[code]
    return Diagnostic(code, message, source.place, project.excerpt(source.place), (hint,))


def _pins(sources: Mapping[str, Source], digests: Digests, *, ask: bool) -> dict[str, Pin]:
    found = {name: _pin(source, digests, ask=ask) for name, source in sources.items()}
    return {name: pin for name, pin in found.items() if pin is not None}


def _repository(source: Source) -> str:
    return name_of(source).partition("@")[0].removeprefix("hub:")


def _kind(source: Source) -> Kind:
    return "model" if isinstance(source, ModelSource) else "dataset"


def _pin(source: Source, digests: Digests, *, revision: str = "", ask: bool = False) -> Pin | None:
    """The pin of a source; None for a user's own files, which git keeps, and for what is not here."""
    told = name_of(source).partition("@")[0]
    if told in SHIPPED:
        files = _digests(_shipped_files(told), digests)
        return Pin(files, version=metadata.version("lorakit"), license=SHIPPED[told])
    if not of_hub(source):
        return None
    kind, repository = _kind(source), _repository(source)
    folder = snapshot(
        repository,
        download=False,
        repo_type=kind,
        revision=revision or source.revision or None,
        complete=lambda _: True,
    )
    if folder is None:
        return None
    used = _used(folder) if kind == "model" else _all(folder)
    card = _license(folder, repository, kind, ask=ask)
    return Pin(_digests(used, digests), revision=folder.name, license=card)


def _used(folder: Path) -> dict[str, Path]:
    """Those files of a model that lorakit reads."""
    if (folder / "model_index.json").is_file():
        names: Sequence[str] = serving(listing_of(folder))
    elif ip_adapters.is_ip_adapter(folder):
        names = ip_adapters.used_files(folder)
    elif control_models.stands_beside(str(folder)):
        names = control_models.used_files(folder)
    else:
        names = text_files(folder)
    return {name: folder / name for name in names}


def _all(folder: Path) -> dict[str, Path]:
    files = (path for path in folder.rglob("*") if path.is_file())
    named = {path.relative_to(folder).as_posix(): path for path in files}
    return {n: path for n, path in named.items() if n != CARD and not n.startswith(".")}


def _shipped_files(told: str) -> dict[str, Path]:
    name = told.removeprefix("lorakit:")
    if name == "studio":
        return _used(resources.path("studio"))
    if name == "minilm":
        return _used(minilm_folder())
    folder = resources.path("data") / name
    return {n: path for n, path in _all(folder).items() if not n.endswith(".py")}


def _digests(files: Mapping[str, Path], digests: Digests) -> dict[str, str]:
    return {name: digests.file(path) for name, path in sorted(files.items())}


def _license(folder: Path, repository: str, kind: Kind, *, ask: bool) -> str:
    """What a card says of the licence; `unknown` where it says nothing or is not here."""
    from huggingface_hub import hf_hub_download

    card = folder / CARD
    try:
        if not card.is_file() and ask:
            fetched = hf_hub_download(repository, CARD, repo_type=kind, revision=folder.name)
            card = Path(fetched)
    except Exception:  # noqa: BLE001 - a lock without a licence is still a lock
        return "unknown"
    return license_of(card) or "unknown"


def save(folder: Path, lock: Lock) -> None:
    """Write the lock of a project's folder at once. Raises LorakitError."""
    from lorakit.language.locks import write
    from lorakit.store.atomic import write_bytes
    from lorakit.store.errors import why

    try:
        write_bytes(folder / FILE, write(lock).encode())
    except OSError as error:
        raise LorakitError(f"{folder / FILE} cannot be written: {why(error)}") from error
