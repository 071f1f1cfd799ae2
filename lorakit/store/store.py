"""The store, `.lorakit/`: objects by content, and for each key a manifest of the action that made them.

Objects are written first, the manifest last, so that what has a manifest is whole. A manifest outlives
its objects: keys further down stay known when an object was cleared away.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lorakit.diagnostics import LorakitError
from lorakit.store import atomic
from lorakit.store.canonical import file_digest

FOLDER = ".lorakit"


class StoreError(LorakitError):
    """The store cannot be read or written (a full disk, a folder without permission)."""


@dataclass(frozen=True, slots=True)
class Output:
    """One file an action made: the digest of its bytes, and its size in bytes."""

    digest: str
    size: int

    @classmethod
    def of(cls, data: bytes) -> Output:
        """What a file of these bytes is."""
        return cls(hashlib.sha256(data).hexdigest(), len(data))


@dataclass(frozen=True, slots=True)
class Manifest:
    """How an action was done: what decided it, what came out, in what surroundings, how long (s)."""

    key: str
    kind: str
    params: Mapping[str, object]
    inputs: Mapping[str, str]
    outputs: Mapping[str, Output]
    seconds: float
    environment: Mapping[str, str]


class Scratch:
    """A folder for unfinished files that lives as long as its run: a kernel lock says which are dead."""

    def __init__(self, folder: Path) -> None:
        from filelock import FileLock

        self.folder = folder
        self._lock = FileLock(folder.with_suffix(".lock"))
        self._lock.acquire(timeout=0)
        folder.mkdir(parents=True)

    def close(self) -> None:
        """Remove the folder and let go of it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.release()
        self.folder.with_suffix(".lock").unlink(missing_ok=True)


class Store:
    """The objects and manifests below one project's `.lorakit/`."""

    def __init__(self, root: Path) -> None:
        self.folder = root / FOLDER
        self.objects = self.folder / "objects"
        self.actions = self.folder / "actions"

    def prepare(self) -> None:
        """Make the folders, with a note to git and to backup programs that this can be made again."""
        try:
            for folder in (self.objects, self.actions, self.folder / "locks", self.folder / "tmp"):
                folder.mkdir(parents=True, exist_ok=True)
            ignore = self.folder / ".gitignore"
            if not ignore.exists():
                atomic.write_bytes(ignore, b"*\n", durable=False)
            tag = self.folder / "CACHEDIR.TAG"
            if not tag.exists():
                signature = b"Signature: 8a477f597d28d172789f06886806bc55\n"
                atomic.write_bytes(tag, signature, durable=False)
        except OSError as error:
            raise StoreError(
                f"the store {self.folder} cannot be written: {error.strerror}"
            ) from error

    def object_path(self, digest: str) -> Path:
        """Where the object with this digest stands, if it is there."""
        return self.objects / digest[:2] / digest[2:]

    def has(self, output: Output) -> bool:
        """Whether an object is there with its full size (its bytes are checked before they are used)."""
        try:
            return self.object_path(output.digest).stat().st_size == output.size
        except OSError:
            return False

    def intact(self, output: Output) -> bool:
        """Whether an object's bytes are still those of its digest; a damaged one is put out of the way."""
        path = self.object_path(output.digest)
        try:
            if file_digest(path) == output.digest:
                return True
            path.unlink()
        except OSError:
            pass
        return False

    def manifest(self, key: str) -> Manifest | None:
        """The manifest for a key; None if there is none, or none that can be read."""
        try:
            data = json.loads((self.actions / key[:2] / f"{key[2:]}.json").read_bytes())
            outputs = {name: Output(**output) for name, output in data.pop("outputs").items()}
            return Manifest(outputs=outputs, **data)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def scratch(self) -> Scratch:
        """A fresh folder for workers' files, on the same disk as the objects; clears dead runs' ones."""
        from filelock import FileLock, Timeout

        folder = self.folder / "tmp"
        for lock in folder.glob("*.lock"):
            claim = FileLock(lock)
            try:
                claim.acquire(timeout=0)
            except (Timeout, OSError):
                continue  # its run is alive
            shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
            claim.release()
            lock.unlink(missing_ok=True)
        return Scratch(folder / uuid.uuid4().hex)

    def adopt(self, file: Path) -> Output:
        """Move a finished file in among the objects."""
        try:
            with file.open("rb+") as handle:
                os.fsync(handle.fileno())
            output = Output(file_digest(file), file.stat().st_size)
            target = self.object_path(output.digest)
            if target.exists():
                file.unlink()
                return output
            target.parent.mkdir(parents=True, exist_ok=True)
            file.replace(target)
            atomic.sync_folder(target.parent)
        except OSError as error:
            raise StoreError(f"{file.name} cannot be stored: {error.strerror}") from error
        return output

    def put(self, data: bytes) -> Output:
        """Keep bytes among the objects."""
        output = Output.of(data)
        if not self.has(output):
            try:
                atomic.write_bytes(self.object_path(output.digest), data)
            except OSError as error:
                raise StoreError(f"a file cannot be stored: {error.strerror}") from error
        return output

    def record(self, manifest: Manifest) -> None:
        """Write a manifest: from here on the action counts as done."""
        data = {
            "key": manifest.key,
            "kind": manifest.kind,
            "params": manifest.params,
            "inputs": manifest.inputs,
            "outputs": {
                n: {"digest": o.digest, "size": o.size} for n, o in manifest.outputs.items()
            },
            "seconds": manifest.seconds,
            "environment": manifest.environment,
        }
        try:
            target = self.actions / manifest.key[:2] / f"{manifest.key[2:]}.json"
            atomic.write_json(target, data, indent=None)
        except OSError as error:
            raise StoreError(f"a manifest cannot be written: {error.strerror}") from error
