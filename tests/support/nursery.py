"""Children of lorakit that begin with the large libraries imported: most of what the tests took was imports.

While it is installed, a process that `lorakit.children` describes is forked from one that has imported torch,
diffusers, transformers and peft and has done nothing else (`nursery_process.py`), as multiprocessing's
`forkserver` does it. It has an id, a session and files of its own like any other, and runs the same module.
Those that test the start itself, or whose children find other settings, use `real_starts`.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lorakit import children

ADDRESS = "TESTS_NURSERY"  # the variable with the address of one that stands
_PREFIX = children.python("")[:-1]
_Started = subprocess.Popen
_SETTINGS = ("LORAKIT", "HF_", "OMP_", "MKL_", "CUDA", "TORCH", "XDG_DATA", "XDG_CACHE", "HOME")
# of the hub's and read again after a fork, or of what starts workers
_AGAIN = (
    *("HF_HOME", "HF_HUB_CACHE", "HF_DATASETS_CACHE", "XDG_CACHE_HOME"),
    *("HF_ENDPOINT", "HF_HUB_OFFLINE", "LORAKIT_WORKERS", "OMP_WAIT_POLICY"),
)
# torch sets the first itself, wherever its compiler is imported, and workers set the others
_OWN = ("TORCHINDUCTOR_CACHE_DIR", "HF_HUB_DISABLE_")


def settings(given: Any = None) -> tuple[tuple[str, str], ...]:
    """What lorakit and the libraries read of an environment in a worker.

    Each test has a config folder of its own (XDG_CONFIG_HOME), which no worker reads.
    """
    every = os.environ if given is None else given
    kept = {k: v for k, v in every.items() if k.startswith(_SETTINGS) and not k.startswith(_OWN)}
    return tuple(sorted(kept.items()))


def _of_imports(given: Any) -> tuple[tuple[str, str], ...]:
    """Those settings that decide what an import leaves behind; where the hub and its caches are is read again."""
    return tuple((k, v) for k, v in settings(given) if k not in _AGAIN)


def _connected(address: str) -> socket.socket:
    """A connection for one child; raises OSError where nobody listens."""
    link = socket.socket(socket.AF_UNIX)
    try:
        link.connect(address)
    except OSError:
        link.close()
        raise
    return link


class _Parent:
    """The nursery, as those see it who were forked from it themselves."""

    def __init__(self, address: str) -> None:
        self.address = address

    def connect(self) -> socket.socket:
        """A connection for one child."""
        return _connected(self.address)


class _Nursery:
    """The process that forks, begun when it is first asked."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="lorakit-")
        self.address = os.path.join(self._folder, "s")  # noqa: PTH118 - sockets have short names
        code = str(Path(__file__).with_name("nursery_process.py"))
        self._process = _Started(
            [sys.executable, "-P", code, self.address],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=_environment,
            start_new_session=True,
        )

    def connect(self) -> socket.socket:
        """A connection for one child."""
        while self._process.poll() is None:
            try:
                return _connected(self.address)
            except OSError:  # it has not begun to listen
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(0.02)
        raise OSError("the nursery ended by itself")

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


_environment: dict[str, str] = {}  # when it was installed
_begun: list[_Nursery | _Parent] = []  # one, once it was asked
_real: list[None] = []  # as many as want real starts
_notes: list[Path] = []  # where this process notes what is forked for it
forked: dict[int, list[str]] = {}  # words of what was forked for this process, by ids


def _for(command: Any, environment: Any) -> _Nursery | _Parent | None:
    """The nursery, where it can bring up such a child: it has the libraries under those settings only."""
    ours = isinstance(command, list) and command[: len(_PREFIX)] == _PREFIX
    if _real or not ours or _of_imports(environment) != _of_imports(_environment):
        return None
    if not _begun:
        nursery = _Nursery()
        _begun.append(nursery)
        atexit.register(nursery.end)
    return _begun[0]


class Forked(subprocess.Popen):  # type: ignore[type-arg]
    """A process: forked where it is a child of lorakit's, started as ever where it is not."""

    _link: socket.socket | None = None

    def _execute_child(self, args: Any, *others: Any) -> None:
        names = ("executable", "preexec_fn", "close_fds", "pass_fds", "cwd", "env")
        told = dict(zip(names, others, strict=False))
        # the pipes' ends come last but for six or seven: after start-up information, flags and shell
        ends = others[9:15]
        nursery = _for(args, told["env"])
        if nursery is None:
            super()._execute_child(args, *others)  # type: ignore[misc]
            return
        p2cread, _, _, c2pwrite, _, errwrite = ends
        files = [p2cread, c2pwrite, errwrite]
        message = {
            "words": args[len(_PREFIX) :],
            "environment": dict(told["env"] or os.environ),
            "folder": str(told["cwd"] or Path.cwd()),
            "session": bool(others[-2]),
        }
        self._link = nursery.connect()
        given = [number if file == -1 else file for number, file in enumerate(files)]
        data = json.dumps(message).encode() + b"\n"
        sent = socket.send_fds(self._link, [data], given)
        self._link.sendall(data[sent:])
        self.pid = int(self._told())
        forked[self.pid] = message["words"]
        for notes in _notes:
            with notes.open("a") as file:
                file.write(f"{self.pid} {' '.join(message['words'])}\n")
        self._child_created = True
        self._close_pipe_fds(*ends)  # type: ignore[attr-defined]

    def _told(self) -> str:
        assert self._link is not None
        line = b""
        while not line.endswith(b"\n"):
            piece = self._link.recv(64)
            if not piece:
                return "9"  # the nursery is gone, and so is its child
            line += piece
        return line.decode()

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        if self._link is None:
            return super()._try_wait(wait_flags)  # type: ignore[misc,no-any-return]
        self._link.setblocking(wait_flags != os.WNOHANG)
        try:
            status = int(self._told())
        except BlockingIOError:
            return 0, 0
        self._link.close()
        return self.pid, status

    def _internal_poll(self, *given: Any, **named: Any) -> int | None:
        if self._link is None:
            return super()._internal_poll(*given, **named)  # type: ignore[misc,no-any-return]
        if self.returncode is None and self._waitpid_lock.acquire(blocking=False):  # type: ignore[attr-defined]
            try:
                done, status = self._try_wait(os.WNOHANG) if self.returncode is None else (0, 0)
                if done:
                    self._handle_exitstatus(status)  # type: ignore[attr-defined]
            finally:
                self._waitpid_lock.release()  # type: ignore[attr-defined]
        return self.returncode


def share() -> None:
    """Begin the nursery now, for this process and those that inherit its environment."""
    nursery = _for([*_PREFIX, ""], _environment) if subprocess.Popen is Forked else None
    if nursery is not None:
        nursery.connect().close()  # it listens
        os.environ[ADDRESS] = nursery.address


def lorakit_beside(notes: Path, *words: str) -> list[str]:
    """The command line of `lorakit WORDS` that has what it starts forked, and notes ids and words of that.

    It begins itself as a user's does, without the libraries.
    """
    from lorakit.execute.channels import worker_environment

    given = worker_environment(os.environ)
    nursery = _for([*_PREFIX, ""], given) if subprocess.Popen is Forked else None
    if nursery is None:
        return [sys.executable, "-m", "lorakit", *words]
    nursery.connect().close()  # it listens
    code = str(Path(__file__).with_name("lorakit_beside.py"))
    return [sys.executable, "-P", code, nursery.address, str(notes), *words]


def install(address: str = "", notes: Path | None = None) -> None:
    """From here on, where this system can fork and wait for it; `address` is that of one that stands."""
    if address:
        _begun.append(_Parent(address))
    if notes is not None:
        _notes.append(notes)
    if sys.platform == "linux" and hasattr(os, "pidfd_open"):
        from lorakit.execute.channels import worker_environment

        _environment.update(worker_environment(os.environ))
        subprocess.Popen = Forked  # type: ignore[misc]


@contextlib.contextmanager
def real_starts() -> Iterator[None]:
    """Within it, every process begins as Python begins one."""
    _real.append(None)
    try:
        yield
    finally:
        _real.pop()
