"""The models that a project can use: shipped, in the hub's cache, made here, in folders that recipes name."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from pathlib import Path

from lorakit import resources
from lorakit.execute.run_folder import OUTPUTS
from lorakit.facts.hub.cards import CARD, license_of
from lorakit.facts.hub.cards import SHIPPED as SHIPPED_LICENSES
from lorakit.facts.models.checkpoint_file import checkpoint_family
from lorakit.facts.models.model_configs import ModelError
from lorakit.facts.models.model_folders import check_folder
from lorakit.facts.texts.text_models import MINILM_PACKAGE, minilm_folder
from lorakit.files import read_mapping
from lorakit.language.found import documents_below
from lorakit.records import record
from lorakit.store.journal import Addresses
from lorakit.store.store import FOLDER, Store
from lorakit.upkeep import model_pull
from lorakit.upkeep.standing import opened

_MOST = 10_000_000  # bytes of a configuration
SHIPPED, CACHED, MADE, LOCAL, ABSENT = "shipped", "hub's cache", "store", "folder", "not here"


@record
class ModelHere:
    """A model: what recipes call it, where it is, its bytes, and what it says of itself; "" for nothing.

    `recipes` are the documents that name it; `whole` is false where a download was cut off.
    """

    name: str
    where: str
    size: int = 0
    family: str = ""
    license: str = ""
    revision: str = ""
    path: str = ""
    recipes: tuple[str, ...] = ()
    whole: bool = True


def models_here(home: Path, tell: Callable[[str], None]) -> Iterator[ModelHere]:
    """All of them; `tell` is called with what is looked at."""
    tell("documents")
    used = _named_by(home)
    yield from _shipped(used)
    tell("the hub's cache")
    there = list(_cached(used))
    yield from there
    yield from _made(home)
    tell("folders")
    cached = {one.name for one in there}
    for source, recipes in used.items():
        if source.startswith("hub:") and source not in cached:
            yield ModelHere(source, ABSENT, recipes=recipes)
        elif not source.startswith(("hub:", "lorakit:")):
            yield _local(Path(source), recipes)


def _named_by(home: Path) -> dict[str, tuple[str, ...]]:
    """The recipes that name each source."""
    found: dict[str, list[str]] = {}
    for path, session in opened(documents_below(home, besides=home / OUTPUTS)):
        if isinstance(session, str):
            continue  # `validate` says what is wrong with it
        shown = path.relative_to(home).as_posix()
        for model in session.project.recipe.models.values():
            found.setdefault(model.source, []).append(shown)
    return {source: tuple(dict.fromkeys(recipes)) for source, recipes in found.items()}


def _shipped(used: Mapping[str, tuple[str, ...]]) -> Iterator[ModelHere]:
    folders = [("lorakit:studio", resources.path("studio"), "lorakit")]
    with contextlib.suppress(ModelError):  # it comes with an extra
        folders.append(("lorakit:minilm", minilm_folder(), MINILM_PACKAGE.replace("_", "-")))
    for name, folder, package in folders:
        yield ModelHere(
            name,
            SHIPPED,
            size_of(folder),
            family_of(folder),
            SHIPPED_LICENSES[name],
            metadata.version(package),
            str(folder),
            used.get(name, ()),
        )


def _cached(used: Mapping[str, tuple[str, ...]]) -> Iterator[ModelHere]:
    from huggingface_hub import CacheNotFound, scan_cache_dir

    try:
        repositories = scan_cache_dir().repos
    except (CacheNotFound, OSError, ValueError):
        return
    for repository in sorted(repositories, key=lambda one: one.repo_id):
        if repository.repo_type != "model":
            continue
        for revision in sorted(repository.revisions, key=lambda one: -one.last_modified):
            name, folder = f"hub:{repository.repo_id}", Path(revision.snapshot_path)
            yield ModelHere(
                name,
                CACHED,
                revision.size_on_disk,
                family_of(folder),
                license_of(folder / CARD),
                revision.commit_hash,
                str(folder),
                used.get(name, ()),
                model_pull.whole(folder),
            )


def _made(home: Path) -> Iterator[ModelHere]:
    """What trainings whose results are in the store have made, by the address that made it last."""
    store = Store(home)
    for file in sorted((home / FOLDER / "addresses").glob("*.json")):
        for address, key in Addresses(store.folder, file.stem).read().items():
            found = store.manifest(key)
            if found is None or not found.kind.startswith("train-"):
                continue
            weights = [o for o in found.outputs.values() if store.object_path(o.digest).is_file()]
            if weights:
                size = sum(output.size for output in weights)
                yield ModelHere(f"{file.stem}: {address}", MADE, size, found.kind, revision=key)


def _local(path: Path, recipes: tuple[str, ...]) -> ModelHere:
    if not path.exists():
        return ModelHere(str(path), ABSENT, recipes=recipes)
    told = license_of((path if path.is_dir() else path.parent) / CARD)
    return ModelHere(
        str(path), LOCAL, size_of(path), family_of(path), told, path=str(path), recipes=recipes
    )


def family_of(path: Path) -> str:
    """What a folder or file of weights is: sd, sdxl, a text model's type, or the class that it names."""
    try:
        if path.is_file():
            return checkpoint_family(path).name
        if not (path / "model_index.json").is_file():
            return str(read_mapping(path / "config.json", _MOST).get("model_type", ""))
        return check_folder(str(path), path).family.name
    except ModelError:
        return str(read_mapping(path / "model_index.json", _MOST).get("_class_name", ""))


def size_of(path: Path) -> int:
    """The bytes of a file, or of all files in a folder."""
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())
