"""The way to a worker on another machine, as a run sees it: files go there by content, results come back."""

from __future__ import annotations

import contextlib
import itertools
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lorakit.cluster.frames import PIECE, Message, pack, pieces, unpack
from lorakit.cluster.node_link import LinkLost, NodeLink
from lorakit.cluster.sent_amount import SentAmount
from lorakit.facts.machine.nodes import Nodes, like_here
from lorakit.plan.workers import WORKERS
from lorakit.store.errors import why
from lorakit.store.seen import digest_and_identity
from lorakit.store.sources import SourceChanged, SourceReading

_numbers = itertools.count(1 << 40)  # no process has such an id
_BYTES = ("out", "keep", "logs")
# what a worker tells that the run hears as it is, and what it finds in that
_TOLD: Mapping[str, frozenset[str]] = {
    "state": frozenset({"state"}),
    "started": frozenset({"id"}),
    "progress": frozenset({"id", "done", "total", "figures"}),
    "refused": frozenset({"engine", "error"}),
    "broken": frozenset({"error"}),
    "note": frozenset({"text"}),
    "left": frozenset(),
    "gone": frozenset({"code"}),
}


class RemoteWorker:
    """A worker on a node, a `Channel` of the run. `where` is what the node calls itself, once it is there.

    `nodes` is what the plan is for.
    """

    def __init__(self, kind: str, link: NodeLink, nodes: Nodes | None = None) -> None:
        self._kind, self._link = kind, link
        self._nodes = nodes or like_here("")
        self._number = next(_numbers)
        self._ended = False
        self._files: dict[str, str] = {}  # paths of what was named, by digest
        self._sent: set[str] = set()  # digests of what went there already
        self._folders: dict[str, Mapping[str, Path]] = {}  # of jobs, by id
        self._amount = SentAmount()
        self._log: Path | None = None
        self._open: dict[tuple[str, str, str], Path] = {}  # files under way
        self.where = ""

    @property
    def pid(self) -> int:
        """A number of its own."""
        return self._number

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return not self._ended

    def begin(self, lock: Path | None, log: Path) -> None:  # noqa: ARG002 - the run holds its lock here
        """Work for a run, whose log gets what libraries print there."""
        self._log = log
        self._link.send(pack({"do": "begin"}))

    def send(self, message: Message) -> None:
        """Send a message with the digests of the files that it names."""
        if message["do"] not in ("open", "job"):
            self._link.send(pack(message))
            return
        ahead: list[bytes] = []
        try:
            SourceReading(message["reads"]).begin()
            told = self._with_files(message)
            if message["do"] == "job" and not self._link.shared:
                ahead = list(self._ahead(message["inputs"].values()))
        except SourceChanged as error:
            # the worker would say so: what it cannot be told of fails by itself
            told = {**message, "files": {}, "reads": (), "failed": str(error)}
        self._link.send(*ahead, pack(told))

    def _with_files(self, message: Message) -> dict[str, Any]:
        files = {path: digest for path, digest, _ in message["reads"] if not path.endswith(os.sep)}
        told = dict(message)
        if message["do"] == "job":
            inputs: Mapping[str, str] = message["inputs"]
            files |= {path: _digest(path) for path in inputs.values()}
            folders = {name: Path(message[name]) for name in _BYTES}
            self._folders[message["id"]] = folders
            kept = {p.relative_to(folders["keep"]).as_posix(): p for p in _files(folders["keep"])}
            files |= {str(path): digest_and_identity(path)[0] for path in kept.values()}
            told["kept"] = {name: str(path) for name, path in kept.items()}
        self._files |= {digest: path for path, digest in files.items()}
        return told | {"files": files}

    def _ahead(self, made: Iterable[str]) -> Iterator[bytes]:
        """What a run has made itself a node will hardly have: what is small goes there before it asks."""
        for path in made:
            digest = _digest(path)
            with contextlib.suppress(OSError):
                if digest not in self._sent and Path(path).stat().st_size <= PIECE:
                    yield from self._content(digest)

    def messages(self) -> Iterator[Message]:
        """What the worker tells; files are where the run wants them before it is told of them."""
        try:
            for frame in self._link.frames():
                last: Message = {"event": ""}
                try:
                    for last in self._heard(*unpack(frame)):
                        yield last
                except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
                    self._link.kill()
                    raise LinkLost("what it told makes no sense") from error
                except OSError as error:
                    self._link.kill()
                    raise LinkLost(f"{error.filename or 'here'}: {why(error)}") from error
                if last["event"] == "gone":
                    self._ended = True
                    return
        except LinkLost as lost:
            self._ended = True
            yield {"event": "gone", "code": -9, "lost": f"{self.where or 'a node'}: {lost}"}
            return
        self._ended = True
        yield {"event": "gone", "code": 0}

    def _heard(self, message: Message, body: memoryview) -> Iterator[Message]:
        """What the run is told of a frame, none of which it has to check again."""
        match message["event"]:
            case "node":
                self.where = str(message["name"])
                why_not = self._why_not(message)
                if why_not:
                    yield {"event": "broken", "error": why_not}
                    self._link.kill()
            case "wants":
                yield from self._hand(str(message["digest"]), message.get("beside", ()))
            case "file":
                self._take(message, body)
            case "dropped":
                self._target("keep", message).unlink(missing_ok=True)
            case "log":
                self._note(body)
            case "ended":
                folders = self._folders[str(message["id"])]
                told = dict(message)
                if "error" not in message:
                    made = message["outputs"].items()
                    told["outputs"] = {n: str(_inside(folders["out"], p)) for n, p in made}
                yield told
            case other:
                missing = _TOLD[other] - message.keys()
                if missing or ("id" in message and message["id"] not in self._folders):
                    raise ValueError(other)
                yield {**message, "where": self.where} if other == "state" else message

    def _why_not(self, node: Message) -> str:
        """Why a node's results cannot stand under this run's keys; empty where they can.

        Those are made for a class of devices. Versions of libraries are recorded beside a result and may
        differ from run to run, but not within one: its record has one set of them.
        """
        machine, planned, there = (
            self._nodes.machine,
            self._nodes.environment,
            node["environment"],
        )
        if node["device_class"] != machine.device_class:
            return (
                f"the node {self.where} computes as {node['device_class']}, and this plan is for "
                f"{machine.device_class}, whose results have other bits"
            )
        differing = [
            f"{name} {there.get(name, 'absent')} (planned for {planned[name]})"
            for name in ("lorakit", *WORKERS[self._kind].packages)
            if name in planned and there.get(name) != planned[name]
        ]
        if differing:
            return f"the node {self.where} has other versions: {', '.join(differing)}"
        return ""

    def _hand(self, digest: str, beside: Iterable[str]) -> Iterator[Message]:
        """A file that the node has not got, unless it has changed meanwhile: then it sees by the digest.

        It lacks others `beside` it; how much of all has gone there is told.
        """
        lacks = {digest, *beside} - (self._sent - {digest})
        self._amount.wants({one: _size(self._files.get(one, "")) for one in lacks})
        try:
            for frame in self._content(digest):
                self._link.send(frame)
                yield from self._state(self._amount.sent(len(unpack(frame)[1])))
        except (OSError, KeyError):
            self._link.send(pack({"do": "changed", "digest": digest}))
        yield from self._state(self._amount.over(digest))

    def _state(self, told: Message | None) -> Iterator[Message]:
        if told is not None:
            yield {**told, "where": self.where}

    def _content(self, digest: str) -> Iterator[bytes]:
        self._sent.add(digest)
        for piece, last in pieces(Path(self._files[digest])):
            yield pack({"do": "content", "digest": digest, "last": last}, piece)

    def _target(self, of: str, message: Message) -> Path:
        return _inside(self._folders[str(message["id"])][of], str(message["name"]))

    def _take(self, message: Message, body: memoryview) -> None:
        """A piece of a file; under its own name once it is whole."""
        name = (str(message["of"]), str(message["id"]), str(message["name"]))
        target = self._target(name[0], message)
        if message["first"]:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._open[name] = target.with_name(f".{uuid.uuid4().hex}.tmp")
        with self._open[name].open("ab") as file:
            file.write(body)
        if message["last"]:
            self._open.pop(name).replace(target)

    def _note(self, text: memoryview) -> None:
        if self._log is not None:
            with contextlib.suppress(OSError), self._log.open("ab") as file:
                file.write(text)

    def close(self) -> None:
        """Ask it to end at the next step."""
        self._link.close()

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within so many seconds."""
        if not self.where:
            return self._ended  # it has not begun, and nobody waits for that
        return self._ended or self._link.wait(seconds)

    def kill(self) -> None:
        """End it at once."""
        self._link.kill()


def _files(folder: Path) -> Iterator[Path]:
    return (p for p in sorted(folder.rglob("*")) if p.is_file() and not p.name.endswith(".tmp"))


def _size(path: str) -> int:
    """Bytes of a file; 0 where it is gone."""
    with contextlib.suppress(OSError):
        return Path(path).stat().st_size
    return 0


def _digest(path: str) -> str:
    """What an object of the store is called after."""
    return Path(path).parent.name + Path(path).name


def _inside(folder: Path, name: str) -> Path:
    """A file below a folder, whatever a node calls it. Raises LinkLost for one that is not below it."""
    target = Path(os.path.normpath(folder / name))
    if not target.is_relative_to(folder) or target == folder:
        raise LinkLost(f"it told of a file outside of its folder: {name!r}")
    return target
