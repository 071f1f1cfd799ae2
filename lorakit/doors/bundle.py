"""A run in one archive: documents, lock, environment, adapters, and what came of it.

run/       record.json, manifest.json, and with them the adapters that were trained
project/   the documents and the lock as they were, adapters and pictures of the user's own
approved/  results that were held, which nothing in the run could make again
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from lorakit.diagnostics import LorakitError
from lorakit.facts.files.roots import UserRoots
from lorakit.files import open_regular, within
from lorakit.language.story.build_board import PICTURES
from lorakit.language.story.controls import FILMS
from lorakit.store.errors import why
from lorakit.store.store import FOLDER, Store

if TYPE_CHECKING:
    from lorakit.execute.past_run import WholeRun

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same run is the same archive
_STORED = frozenset({".png", ".safetensors", ".mp4", ".gif"})
_TABLES = ("record.json", "manifest.json")
_SEEN = (*PICTURES, *FILMS)
_ADAPTERS = (".safetensors", "adapter_config.json")
_MOST_FILES = 100_000
APPROVED = "approved"  # a folder with a store in it


def pack(run: WholeRun, target: Path, *, pictures: bool = False) -> list[str]:
    """Write a run and its documents to `target`; gives the names of what is in it. Raises LorakitError.

    With `pictures` the frames and films are in it as well, so that what differs can be measured elsewhere.
    """
    entries: dict[str, bytes | Path] = {
        name: text.encode("utf-8", "replace") for name, text in sorted(_texts(run).items())
    }
    try:
        for name, path in sorted(_files(run, pictures=pictures)):
            entries.setdefault(name, path)
    except OSError as error:
        raise LorakitError(f"{run.folder} cannot be packed: {why(error)}") from error
    beside = target.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with (
            within([run.folder, run.root, run.home / FOLDER], UserRoots().values),
            beside.open("xb") as out,
            zipfile.ZipFile(out, "w") as archive,
        ):
            for name, source in entries.items():
                _add(archive, name, source)
        beside.replace(target)
    except OSError as error:
        of = error.filename
        which = f"{of}: " if of and os.fspath(of) not in map(os.fspath, (beside, target)) else ""
        raise LorakitError(f"{target} cannot be written: {which}{why(error)}") from error
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()
    return list(entries)


def _texts(run: WholeRun) -> dict[str, str]:
    documents = {
        f"project/{_inside(path)}": run.documents[name]
        for name, path in run.request.paths.items()
        if name in run.documents
    }
    return {**documents, "environment.json": json.dumps(dict(run.environment), indent=1)}


def _files(run: WholeRun, *, pictures: bool) -> Iterator[tuple[str, Path]]:
    for name in _TABLES:
        if (run.folder / name).is_file():
            yield f"run/{name}", run.folder / name
    for action in run.actions:
        for files in action.files.values():
            for file in files:
                path = run.folder / file
                if path.is_file() and (pictures or path.name.endswith(_ADAPTERS)):
                    yield f"run/{file}", path
    yield from _held(run)
    for name in run.request.adapters:
        own = run.root / _inside(name)
        for part in sorted(own.rglob("*")) if own.is_dir() else [own]:
            # a record may name anything: what goes into an archive is what adapters are made of
            if part.is_file() and part.name.endswith(_ADAPTERS):
                yield f"project/{_inside(part.relative_to(run.root).as_posix())}", part
    for name in run.request.pictures:
        # one outside the project is called by a root of the user's, who has it elsewhere too
        if _is_inside(name) and name.lower().endswith(_SEEN) and (run.root / name).is_file():
            yield f"project/{_inside(name)}", run.root / name


def _held(run: WholeRun) -> Iterator[tuple[str, Path]]:
    store = Store(run.home)
    for key in run.held:
        manifest = store.manifest(key)
        if manifest is None:
            continue
        files = [store.manifest_path(key)]
        files += [store.object_path(output.digest) for output in manifest.outputs.values()]
        for file in files:
            if file.is_file():
                yield f"{APPROVED}/{file.relative_to(run.home).as_posix()}", file


def _inside(path: str) -> str:
    """A path below the project. Raises LorakitError for another, which a bundle has no place for."""
    if not _is_inside(path):
        raise LorakitError(
            f"{path} is outside the project, and a bundle holds what is inside; put it into the project"
        )
    return "/".join(PurePosixPath(path).parts)


def _is_inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    within = bool(parts) and ".." not in parts and not PurePosixPath(path).is_absolute()
    return within and ":" not in parts[0]


def _add(archive: zipfile.ZipFile, name: str, source: bytes | Path) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    stored = PurePosixPath(name).suffix in _STORED
    info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    if isinstance(source, bytes):
        archive.writestr(info, source)
        return
    with open_regular(source) as file:
        info.file_size = os.fstat(file.fileno()).st_size
        with archive.open(info, "w") as entry:
            shutil.copyfileobj(file, entry)


def opened(bundle: Path, folder: Path) -> tuple[WholeRun, Path]:
    """Unpack a bundle into a new folder: its run, and the root of its documents.

    Raises LorakitError for what is none, would write elsewhere, or calls its documents by other places.
    """
    from lorakit.execute import past_run

    unpack(bundle, folder)
    run, root = past_run.read(folder / "run"), folder / "project"
    # documents make a project of the folder that they stand in, and may read what is in there
    for path in (run.request.document, *run.request.paths.values()):
        if path and not _is_inside(path):
            raise LorakitError(f"{bundle} does not say how it was made: {path} is outside of it")
    root.mkdir(exist_ok=True)
    (root / FOLDER).mkdir(exist_ok=True)  # a mark: their project ends here
    return run, root


def unpack(bundle: Path, folder: Path) -> None:
    """Unpack a bundle into a new folder. Raises LorakitError for what is none, or would write elsewhere."""
    try:
        with zipfile.ZipFile(bundle) as archive:
            entries = archive.infolist()
            if "run/record.json" not in archive.namelist():
                raise LorakitError(f"{bundle} is no bundle of lorakit: it has no run/record.json")
            size = sum(entry.file_size for entry in entries)
            folder.mkdir(parents=True)
            free = shutil.disk_usage(folder).free
            if len(entries) > _MOST_FILES or size > free:
                much = f"{len(entries)} files of {size / 1e9:.1f} GB"
                raise LorakitError(f"{bundle} holds {much}; {free / 1e9:.1f} GB are free")
            for entry in entries:
                target = folder / _inside(entry.filename)
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(entry) as file, target.open("xb") as out:
                    shutil.copyfileobj(file, out)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise LorakitError(f"{bundle} is no bundle of lorakit, or is damaged: {error}") from error
    except OSError as error:
        raise LorakitError(f"{bundle} cannot be unpacked: {why(error)}") from error
