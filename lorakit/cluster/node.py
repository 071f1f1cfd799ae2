"""A node: the worker process that a run would start itself, on another machine, with the files it names.

What comes in names files by digest and by their paths in the run's eyes. A node asks for those that it has
not got, lays them out, and hands the worker messages that name them where they are here. What the worker
tells goes back as it is, with the files that it made in front of it.
"""

from __future__ import annotations

import os
import platform
import socket
import threading
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

from lorakit.cluster.blobs import Blobs, known_again, moved
from lorakit.cluster.frames import Frame, Message, pack, unpack
from lorakit.cluster.node_disk import NodeDisk
from lorakit.cluster.node_jobs import NodeJobs
from lorakit.cluster.own_words import OwnWords
from lorakit.diagnostics import in_words
from lorakit.execute.channels import LocalProcess
from lorakit.execute.seats import Seat
from lorakit.facts.files.user_cache import user_cache
from lorakit.facts.machine.environment import environment
from lorakit.facts.machine.this_machine import this_machine
from lorakit.store.sources import Read, names_in

_TOLD = ("error", "detail", "text")  # texts with paths in them, perhaps
_LOOKS = 1.0  # s between looks at a training's checkpoints
GB = 10**9  # bytes


def node_folder(told: str = "") -> Path:
    """Where a node keeps files: what the user's config says, or a folder of this user's cache."""
    return Path(told).expanduser() if told else user_cache() / "node"


class ClusterNode:
    """One worker on this machine for a run on another; `tell` takes frames to it, from any thread.

    `disk` is how much all workers of a folder may leave in it, in GB.
    """

    def __init__(
        self,
        seat: Seat,
        folder: Path,
        tell: Callable[[bytes], None],
        *,
        shared: bool,
        disk: float,
        name: str = "",
        address: str = "127.0.0.1",
    ) -> None:
        self._disk = NodeDisk(folder, int(disk * GB))
        self._home = self._disk.own
        self._blobs = Blobs(self._disk, shared=shared, fetches=self._tell_fetch)
        self._tell = tell
        self._name = name or platform.node()
        self._waiting: list[Message] = []  # for files, in the order in which they came
        self._asked: dict[str, str] = {}  # paths of files that were asked for, by digest
        self._fetching = False  # a model, from the hub
        self._words = OwnWords(self._blobs.as_told)
        self._jobs = NodeJobs(self._home, self._words, self._send)
        self._told = 0  # bytes of the log
        self._lock = threading.RLock()
        self._log = self._home / "log"
        with self._log.open("ab") as log:
            # whoever started this node chose the GPUs
            self._process = LocalProcess(seat._replace(gpus=()), log)
        self._over = threading.Event()
        self._meeting = _held_port()
        machine = this_machine()
        self._send(
            {
                "event": "node",
                "name": self._name,
                "device_class": machine.device_class,
                "device": machine.name,
                "environment": dict(environment()),
                "address": address,
                "port": self._meeting.getsockname()[1],
            }
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        threading.Thread(target=self._look, daemon=True).start()

    def _send(self, message: Message, body: bytes = b"") -> None:
        texts = {k: self._words.as_told(v) for k, v in message.items() if k in _TOLD}
        self._tell(pack({**message, **texts}, body))

    # -- what comes in ---------------------------------------------------------------------------

    def receive(self, frame: Frame) -> None:
        """Take a frame from the run. What goes wrong here ends the worker, and is told."""
        message, body = unpack(frame)
        try:
            self._receive(message, body)
        except Exception as error:  # noqa: BLE001 - the run must hear of it, whatever it is
            with self._log.open("a") as log:
                traceback.print_exc(file=log)
            self._send({"event": "broken", "error": f"on {self._name}: {in_words(error)}"})
            self._process.kill()

    def _receive(self, message: Message, body: memoryview) -> None:
        with self._lock:
            match message["do"]:
                case "content":
                    self._take(message, body)
                case "changed":
                    self._drop(str(message["digest"]))
                case "end":
                    self._process.close()
                case "leave":
                    self._waiting.clear()
                    self._process.send(message)
                case _ if "failed" in message:
                    self._refuse(message, str(message["failed"]))
                case _:
                    self._waiting.append(message)
                    self._ask(message)
            self._go_on()

    def _ask(self, message: Message) -> None:
        """Ask the run for the files of a message that are not here and were not asked for."""
        self._disk.use(message.get("files", {}).values())
        lacks = {
            digest: path
            for path, digest in message.get("files", {}).items()
            if digest not in self._asked and self._blobs.find(digest, path) is None
        }
        if self._fetching:
            self._fetching = False
            self._send({"event": "state", "state": "fetched"})
        self._asked |= lacks
        for digest in lacks:
            self._send({"event": "wants", "digest": digest, "beside": list(lacks)})

    def _tell_fetch(self, model: str) -> None:
        if not self._fetching:
            self._fetching = True
            self._send({"event": "state", "state": "fetching", "detail": model})

    def _take(self, message: Message, body: memoryview) -> None:
        digest, last = str(message["digest"]), bool(message["last"])
        whole = self._blobs.take(digest, body, last=last)
        if last and whole:
            self._asked.pop(digest, None)
        elif last:
            self._drop(digest)

    def _drop(self, digest: str) -> None:
        """A file is not what it was when the plan was made: what needs it cannot be done."""
        path = self._asked.pop(digest, "a file")
        error = (
            f"{path} has changed since the plan was made, or was damaged on its way to "
            f"{self._name}: nothing was kept of it; run again"
        )
        for message in [m for m in self._waiting if digest in m.get("files", {}).values()]:
            self._waiting.remove(message)
            self._refuse(message, error)

    def _refuse(self, message: Message, error: str) -> None:
        if message["do"] == "open":
            self._send({"event": "refused", "engine": message["engine"], "error": error})
        else:
            self._send({"event": "ended", "id": message["id"], "error": error})

    def _go_on(self) -> None:
        """Hand the worker what waits no longer, in order."""
        while self._waiting:
            message = self._waiting[0]
            files = message.get("files", {})
            if any(digest in self._asked for digest in files.values()):
                return
            self._process.send(self._here(self._waiting.pop(0)))

    def _here(self, message: Message) -> Message:
        """A message as this machine's worker is told it: with the files where they are here."""
        told = dict(message)
        files: Mapping[str, str] = told.pop("files", {})
        if told["do"] == "begin":
            return told | {"lock": "", "log": str(self._log)}
        inputs: Mapping[str, str] = told.pop("inputs", {})
        read = {path for path, *_ in told["reads"]}
        named = {p: digest for p, digest in files.items() if p in read or p not in inputs.values()}
        tree = self._blobs.laid_out(named)
        told = moved(told, tree, [*named, *(read[0].rstrip(os.sep) for read in told["reads"])])
        # an object of the store is read by whatever path
        told["inputs"] = {role: str(self._blobs.place(files[p])) for role, p in inputs.items()}
        told["reads"] = [_known(read) for read in told["reads"]]
        if told["do"] == "open":
            if told["spec"].get("batch_sizes"):
                told["spec"]["batch_sizes"] = str(self._disk.folder / "widths.json")
            return told
        # what the recipe calls a model, which a result may name, stays as it is there
        told["task"] |= {k: v for k, v in message["task"].items() if k == "source"}
        return self._jobs.begin(told)

    # -- what goes out ---------------------------------------------------------------------------

    def _listen(self) -> None:
        for message in self._process.messages():
            with self._lock:
                if message["event"] == "ended" and message["id"] in self._jobs:
                    self._jobs.tell_kept(str(message["id"]))
                    self._tell_log(last=True)  # while it is known what its folders are called
                    self._jobs.hand_back(message)
                elif message["event"] == "gone":
                    self._tell_log(last=True)
                    self._jobs.tell_all_kept()
                    self._send(message)
                else:
                    self._send(message)
        with self._lock:  # nobody looks for anything in it
            self._disk.close()
            self._meeting.close()
            self._over.set()

    def _look(self) -> None:
        """Checkpoints go to the run as they are written, so that another node can go on from them."""
        while not self._over.wait(_LOOKS):
            with self._lock:
                if self._over.is_set():
                    return
                self._jobs.tell_all_kept()
                self._tell_log()

    def _tell_log(self, *, last: bool = False) -> None:
        with self._log.open("rb") as file:
            file.seek(self._told)
            text = file.read()
        if not last:
            text = text[: max(text.rfind(b"\n"), text.rfind(b"\r")) + 1]  # no half a path
        self._told += len(text)
        if text:
            self._send({"event": "log"}, os.fsencode(self._words.as_told(os.fsdecode(text))))

    # -- the end ---------------------------------------------------------------------------------

    def close(self) -> None:
        """The run needs this node no more: its worker ends at the next step."""
        self._process.close()

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within so many seconds, and told all."""
        return self._over.wait(seconds)

    def kill(self) -> None:
        """End the worker at once."""
        self._process.kill()


def _held_port() -> socket.socket:
    """A port where processes of other machines may meet this one's worker; nobody else is given it meanwhile.

    The worker, whose torch asks for the address again as well, can listen there since this only holds it.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("", 0))
    return held


def _known(read: Read) -> Read:
    """A file that a worker reads as it is here; of a folder, the names that are in it here."""
    path, digest, _ = read
    if path.endswith(os.sep):
        Path(path).mkdir(parents=True, exist_ok=True)
        return path, names_in(path.rstrip(os.sep)), []
    return path, digest, known_again(Path(path))
