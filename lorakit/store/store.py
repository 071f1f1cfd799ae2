"""The store, `.lorakit/`: objects by content, and for each key a manifest of the action that made them.

Objects are written first, the manifest last, so that what has a manifest is whole. A manifest outlives
its objects: keys further down stay known when an object was cleared away.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from lorakit.files import read_regular
from lorakit.language.projects import FOLDER
from lorakit.store import atomic, manifests, scratch
from lorakit.store.errors import StoreError, why
from lorakit.store.manifests import Manifest, Output, is_digest
from lorakit.store.scratch import Scratch
from lorakit.store.seen import Memory, digest_and_identity, identity
from lorakit.store.walking import stored

__all__ = ["FOLDER", "Manifest", "Output", "Scratch", "Store", "StoreError"]

_PARTS = ("objects", "actions", "locks", "tmp", "checkpoints", "addresses", "tables")
_SMALL = 1_000_000  # bytes of an object that is read whole into memory
_MOST_MANIFEST = 50_000_000  # bytes; one with all words of a training has a few thousand


def _check_links(folder: Path) -> None:
    """Raise StoreError where something within a folder of ours is a link, to others."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_symlink():
                raise StoreError(f"{entry.path} is a link: remove it, and the store makes its own")


class Store:
    """The objects and manifests below one project's `.lorakit/`.

    What is in there is believed only as far as it proves itself: an object by the digest it is called after,
    a manifest by its form. Bytes that were read once are not read again while their file is untouched.
    """

    def __init__(self, root: Path) -> None:
        self.folder = root / FOLDER
        self.objects = self.folder / "objects"
        self.actions = self.folder / "actions"
        self._memory = Memory(self.folder / "verified.json")

    def refuse_linked_folders(self) -> None:
        """Raise StoreError where a folder of the store is a link: what is in there is another's."""
        # `.lorakit` itself may be a link to another disk
        for folder in (self.folder / part for part in _PARTS):
            if folder.is_symlink():
                raise StoreError(f"{folder} is a link: remove it, and the store makes its own")

    def refuse_links(self) -> None:
        """Raise StoreError where a folder of the store is a link or holds one: what is in it is ours."""
        self.refuse_linked_folders()
        for folder in (self.folder / part for part in _PARTS):
            if folder.is_dir():
                _check_links(folder)

    def prepare(self) -> None:
        """Make the folders, with a note to git and to backup programs that this can be made again."""
        self.refuse_links()
        try:
            for part in _PARTS:
                folder = self.folder / part
                folder.mkdir(parents=True, exist_ok=True)
                if not os.access(folder, os.W_OK):
                    raise PermissionError(errno.EACCES, "permission denied")
            ignore = self.folder / ".gitignore"
            if not ignore.exists():
                atomic.write_bytes(ignore, b"*\n", durable=False)
            tag = self.folder / "CACHEDIR.TAG"
            if not tag.exists():
                signature = b"Signature: 8a477f597d28d172789f06886806bc55\n"
                atomic.write_bytes(tag, signature, durable=False)
        except (FileExistsError, NotADirectoryError) as error:
            raise StoreError(
                f"the store {self.folder} cannot be written: {error.filename or self.folder} is a file "
                "where a folder belongs; move it away"
            ) from error
        except OSError as error:
            raise StoreError(f"the store {self.folder} cannot be written: {why(error)}") from error

    def object_path(self, digest: str) -> Path:
        """Where the object with this digest stands, if it is there. Raises ValueError for no digest."""
        if not is_digest(digest):
            raise ValueError(f"{digest!r} is no digest")
        return self.objects / digest[:2] / digest[2:]

    def manifest_path(self, key: str) -> Path:
        """Where the manifest for a key stands, or would."""
        return self.actions / key[:2] / f"{key[2:]}.json"

    def text(self, output: Output) -> str:
        """What a small object says; empty where it is gone, or not whole."""
        if output.size > _SMALL or not self.has(output):
            return ""
        return self.object_path(output.digest).read_text("utf-8", errors="replace")

    def has(self, output: Output) -> bool:
        """Whether an object is there with the bytes of its digest; they are read unless they were before."""
        path = self.object_path(output.digest)
        try:
            status = path.lstat()
            if status.st_size != output.size or not stat.S_ISREG(status.st_mode):
                return False
            if self._memory.get(output.digest, identity(status)) == output.digest:
                return True
            digest, seen = digest_and_identity(path, follow=False)
        except OSError:
            return False
        if digest != output.digest:
            return False
        self._memory.set(output.digest, seen, digest)
        return True

    def remember(self) -> None:
        """Keep in mind which objects were verified."""
        self._memory.save()

    def verify(self) -> list[str]:
        """Read every object anew; those whose bytes are not their digest's are removed and returned."""
        self._memory.forget()
        damaged = []
        for digest, path, status in sorted(stored(self.objects)):
            if not is_digest(digest) or stat.S_ISLNK(status.st_mode):
                continue
            try:
                if not self.has(Output(digest, status.st_size)):
                    path.unlink()
                    damaged.append(digest)
            except OSError:
                continue  # it is gone, or no file: nothing that would be used
        self.remember()
        return damaged

    def manifest(self, key: str) -> Manifest | None:
        """The manifest for a key; None if there is none, or none that is whole."""
        if not is_digest(key):
            return None
        try:
            text = read_regular(self.manifest_path(key), _MOST_MANIFEST)
        except OSError:
            return None
        return manifests.read(text, key)

    def scratch(
        self, told: Mapping[str, object] | None = None, wait: Callable[[], None] = lambda: None
    ) -> Scratch:
        """A fresh folder for workers' files, on the same disk as the objects; clears dead runs' ones.

        `told` is what the run says of itself for as long as it lives; `wait` is called where the store is
        being cleared, which is waited for.
        """
        try:
            return scratch.fresh(self.folder, told or {}, wait)
        except OSError as error:
            raise StoreError(f"{self.folder / 'tmp'} cannot be written: {why(error)}") from error

    def adopt(self, file: Path) -> Output:
        """Move a finished file in among the objects; a damaged one that stands there makes way."""
        try:
            with file.open("rb+") as handle:
                os.fsync(handle.fileno())
            digest, seen = digest_and_identity(file, follow=False)
            output = Output(digest, seen[0])
            if self.has(output):
                file.unlink()
                return output
            target = self.object_path(digest)
            self._clear(target)
            file.replace(target)
            atomic.sync_folder(target.parent)
        except OSError as error:
            raise StoreError(f"{file.name} cannot be stored: {why(error)}") from error
        return output

    def put(self, data: bytes) -> Output:
        """Keep bytes among the objects; a damaged object that stands there makes way."""
        output = Output.of(data)
        if not self.has(output):
            target = self.object_path(output.digest)
            try:
                self._clear(target)
                atomic.write_bytes(target, data)
            except OSError as error:
                raise StoreError(f"a file cannot be stored: {why(error)}") from error
        return output

    def _clear(self, target: Path) -> None:
        """Make room for an object where something else than a file stands."""
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)

    def record(self, manifest: Manifest) -> None:
        """Write a manifest: from here on the action counts as done."""
        try:
            target = self.manifest_path(manifest.key)
            atomic.write_bytes(target, manifests.to_bytes(manifest))
        except OSError as error:
            raise StoreError(f"a manifest cannot be written: {why(error)}") from error
