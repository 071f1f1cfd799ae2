"""The jobs of a node's worker: folders of this machine, and the files that go to the run from them."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lorakit.cluster.frames import Message, pieces
from lorakit.cluster.own_words import OwnWords

_Files = dict[str, tuple[int, int]]  # size and time of change, by path below a folder


class NodeJobs:
    """The jobs that the worker has in hand, by id; `send` takes messages, and bytes with them, to the run."""

    def __init__(self, home: Path, words: OwnWords, send: Callable[[Message, bytes], None]) -> None:
        self._home = home
        self._words = words
        self._send = send
        self._folders: dict[str, dict[str, Path]] = {}
        self._kept: dict[str, _Files] = {}  # checkpoints that the run has

    def __contains__(self, id_: object) -> bool:
        return id_ in self._folders

    def begin(self, told: dict[str, Any]) -> Message:
        """A job with folders of this machine, and the checkpoints that the run has. Raises OSError."""
        id_ = str(told["id"])
        # a training is called after the folder that its logs are in
        home = self._home / uuid.uuid4().hex / (Path(told["logs"]).parent.name or "job")
        folders = {name: home / name for name in ("out", "keep", "logs")}
        folders["out"].mkdir(parents=True)
        kept: Mapping[str, str] = told.pop("kept")
        for below, path in kept.items():
            target = folders["keep"] / below
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)  # a worker writes to those
        self._words.begin({folder: str(told[name]) for name, folder in folders.items()})
        self._folders[id_] = folders
        self._kept[id_] = _files(folders["keep"])
        return told | {name: str(folder) for name, folder in folders.items()}

    def tell_all_kept(self) -> None:
        """The checkpoints of all jobs go to the run, as far as it lacks them."""
        for id_ in list(self._folders):
            self.tell_kept(id_)

    def tell_kept(self, id_: str) -> None:
        """The checkpoints of a job that have changed go to the run; what is gone is told."""
        folder, before = self._folders[id_]["keep"], self._kept[id_]
        now = _files(folder)
        changed = {name: None for name, seen in now.items() if before.get(name) != seen}
        with contextlib.suppress(FileNotFoundError):  # it made way for the next one
            self._hand("keep", id_, folder, changed)
            for name in before.keys() - now.keys():
                self._send({"event": "dropped", "id": id_, "name": name}, b"")
            self._kept[id_] = now

    def hand_back(self, message: Message) -> None:
        """What a job came to: its files, then the message, whose paths are below the run's own folder."""
        id_ = str(message["id"])
        folders = self._folders.pop(id_)
        self._kept.pop(id_)
        told = dict(message)
        if "error" not in message:
            made = {
                name: _below(Path(path), folders["out"])
                for name, path in message["outputs"].items()
            }
            if figures := made.get("metrics"):
                self._words.put_right(folders["out"] / figures)
            self._hand("out", id_, folders["out"], dict.fromkeys(made.values()))
            told["outputs"] = made
        for file in list(folders["logs"].rglob("*.yaml")):
            self._words.put_right(file)
        self._hand("logs", id_, folders["logs"], _files(folders["logs"]))
        self._send(told, b"")
        self._words.end(folders)
        shutil.rmtree(folders["out"].parents[1], ignore_errors=True)

    def _hand(self, what: str, id_: str, folder: Path, names: Mapping[str, object]) -> None:
        for name in names:
            first = True
            for piece, last in pieces(folder / name):
                told = {"event": "file", "of": what, "id": id_, "name": name}
                self._send({**told, "first": first, "last": last}, piece)
                first = False


def _files(folder: Path) -> _Files:
    """The finished files below a folder: those under a passing name are being written."""
    return {below: (status.st_size, status.st_mtime_ns) for below, status in _walk(folder)}


def _walk(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    for path in sorted(folder.rglob("*")):
        with contextlib.suppress(FileNotFoundError):
            if path.is_file() and not path.is_symlink() and not path.name.endswith(".tmp"):
                yield path.relative_to(folder).as_posix(), path.stat()


def _below(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
