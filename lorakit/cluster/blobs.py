"""The files of a node: whole ones under their digest, and trees that lay them out as a run has them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from lorakit.cluster.frames import Frame
from lorakit.cluster.node_disk import NodeDisk
from lorakit.store.canonical import digest_of
from lorakit.store.seen import digest_and_identity, identity

_SHOWN = "name"  # what a user reads of a model
_HUB = re.compile(r"models--([^/\\]+)[/\\]snapshots[/\\]([0-9a-f]{40})[/\\](.+)\Z")


class Blobs:
    """The files that a node has, and trees of one worker's; with `shared` also those at the run's paths.

    `fetches` is called with the name of a model before a file of it comes from the hub.
    """

    def __init__(
        self, disk: NodeDisk, *, shared: bool, fetches: Callable[[str], None] = lambda _: None
    ) -> None:
        self._fetches = fetches
        self._disk = disk
        self._shared = shared
        self._found: dict[str, Path] = {}  # by digest, where they were whole
        self._named: dict[str, str] = {}  # the run's paths
        self._parts: dict[str, tuple[Path, hashlib._Hash]] = {}
        self._trees, self._drafts = disk.own / "trees", disk.own / "parts"
        for part in (self._trees, self._drafts):
            part.mkdir()

    def find(self, digest: str, path: str) -> Path | None:
        """A file with these bytes, `path` in the run's eyes; None where it must be fetched."""
        self._named[digest] = path
        for place in (self._found.get(digest), self._disk.blob(digest), *self._elsewhere(path)):
            if place is None or not place.is_file():
                continue
            if self._found.get(digest) == place or self._whole(place, digest):
                self._found[digest] = place
                return place
        return None

    @staticmethod
    def _whole(place: Path, digest: str) -> bool:
        try:
            return digest_and_identity(place)[0] == digest
        except OSError:
            return False

    def as_told(self, text: str) -> str:
        """A text of the worker's with the run's own paths in it."""
        text = re.sub(re.escape(str(self._trees) + os.sep) + "[0-9a-f]+", "", text)
        blob = re.escape(str(self._disk.blob("0" * 64).parents[1]) + os.sep)
        return re.sub(f"{blob}([0-9a-f]{{2}}).([0-9a-f]{{62}})", self._name, text)

    def _name(self, blob: re.Match[str]) -> str:
        return self._named.get(blob[1] + blob[2], "a file")

    def _elsewhere(self, path: str) -> Iterable[Path]:
        if self._shared:
            yield Path(path)
        found = _HUB.search(path)
        if found is not None:
            name = found[1].replace("--", "/", 1)
            place = _of_the_hub(name, found[2], found[3], here=True)
            if place is None:
                self._fetches(name)
                place = _of_the_hub(name, found[2], found[3], here=False)
            if place is not None:
                yield place

    def take(self, digest: str, piece: Frame, *, last: bool) -> bool:
        """Take a piece of a file; whether the last one made it what its digest says. Raises OSError."""
        if digest not in self._parts:
            self._disk.use([digest])
            self._parts[digest] = self._drafts / uuid.uuid4().hex, hashlib.sha256()
        part, hashed = self._parts[digest]
        with part.open("ab") as file:
            file.write(piece)
        hashed.update(piece)
        if not last:
            return True
        del self._parts[digest]
        if hashed.hexdigest() != digest:
            part.unlink()
            return False
        target = self._disk.blob(digest)
        target.parent.mkdir(exist_ok=True)
        try:
            os.link(part, target)
        except OSError:  # it is there, or this disk knows no links
            if self._whole(target, digest):
                part.unlink()  # another worker may be reading the one that it fetched
            else:
                part.replace(target)
        else:
            part.unlink()
        self._found[digest] = target
        self._disk.came(target.stat().st_size)
        return True

    def place(self, digest: str) -> Path:
        """Where a file is that has been found."""
        return self._found[digest]

    def laid_out(self, files: Mapping[str, str]) -> Path:
        """A folder in which files, digests by absolute paths, stand at those paths; all have been found."""
        tree = self._trees / digest_of(sorted(files.items()))
        if not tree.is_dir():
            draft = self._drafts / uuid.uuid4().hex
            for path, digest in files.items():
                target = draft / _below(path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to(
                    self._found[digest]
                )  # one more link would be a change of the file
            draft.mkdir(exist_ok=True)
            draft.replace(tree)
        return tree


def _of_the_hub(name: str, revision: str, file: str, *, here: bool) -> Path | None:
    """A file of a model at the locked revision, from this machine's cache, or the hub if it answers."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    with contextlib.suppress(LocalEntryNotFoundError, HfHubHTTPError, OSError, ValueError):
        return Path(
            hf_hub_download(name, Path(file).as_posix(), revision=revision, local_files_only=here)
        )
    return None


def _below(path: str) -> Path:
    """An absolute path as one below a folder, wherever it came from."""
    parts = [part for part in Path(path).parts[1:] if part not in ("..", ".")]
    return Path(*parts)


def moved(value: Mapping[str, Any], tree: Path, files: Iterable[str]) -> dict[str, Any]:
    """JSON data whose texts name files, or folders of files, as it names them where they are laid out."""
    known = {parent for path in files for parent in (path, *map(str, Path(path).parents))}
    known -= {Path(path).anchor for path in files}

    def moved_in(inner: Any) -> Any:
        if isinstance(inner, str):
            plain = inner.rstrip(os.sep)
            there = plain in known and Path(plain).is_absolute()
            return str(tree / _below(plain)) + inner[len(plain) :] if there else inner
        if isinstance(inner, Mapping):
            return {key: one if key == _SHOWN else moved_in(one) for key, one in inner.items()}
        if isinstance(inner, list | tuple):
            return [moved_in(one) for one in inner]
        return inner

    return {key: moved_in(one) for key, one in value.items()}


def known_again(path: Path) -> list[int]:
    """A file's identity, by which a worker knows that nobody has touched it since."""
    return list(identity(path.stat()))
