"""Several processes that train together, one a GPU: what torchrun does, for one machine and one training.

The training's worker is rank 0. It starts the others, which do the same job in step with it, save nothing,
and end when it does. Their environment is torchrun's, so accelerate finds the group by itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading

from torch.distributed import TCPStore  # type: ignore[attr-defined]

from lorakit import children
from lorakit.facts.machine.devices import DEVICES
from lorakit.plan.tasks.job import Job, RankGroup
from lorakit.plan.tasks.training import TrainTask

_GROUP = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
TOLD = 3  # exit code of a process whose error rank 0 has met as well
_DYING = 2.0  # s from a process's last word on its connections to its end
_GRACE = 10.0  # s for rank 0 to tell of an error that ended another process


class Ranks:
    """The other processes of a training; rank 0's own environment names the group too."""

    def __init__(self, job: Job[TrainTask], count: int, threads: int) -> None:
        self._ending = threading.Event()
        group = {"WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count)}
        # the port is ours from here on: accelerate's own store shares what listens in this process
        self._store = TCPStore(
            "127.0.0.1", 0, is_master=True, wait_for_workers=False, multi_tenant=True
        )
        group |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(self._store.port)}
        os.environ.update({**group, "RANK": "0", "LOCAL_RANK": "0"})
        self._others = []
        for rank in range(1, count):
            place = {"RANK": str(rank), "LOCAL_RANK": str(rank)}
            process = subprocess.Popen(
                children.python("lorakit.training.rank_process", str(threads)),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                env={**children.environment(), **group, **place},
            )
            self._others.append(process)
            assert process.stdin is not None
            # the pipe stays open: its end tells the process that we are gone
            process.stdin.write(json.dumps(job.to_json()).encode() + b"\n")
            process.stdin.flush()
            threading.Thread(target=self._watch, args=(process,), daemon=True).start()

    @property
    def pids(self) -> list[int]:
        """The other processes."""
        return [process.pid for process in self._others]

    def end(self) -> None:
        """End the others, whatever they are at; they have nothing to save."""
        self._ending.set()
        for process in self._others:
            process.kill()
            process.wait()
            if process.stdin is not None:
                with contextlib.suppress(OSError):
                    process.stdin.close()

    def leave_if_killed(self) -> None:
        """End this process where another was killed: what rank 0 has met is then no error of the training."""
        for process in self._others:
            with contextlib.suppress(subprocess.TimeoutExpired):
                if process.wait(_DYING) < 0:
                    _leave(process.returncode)

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        code = process.wait()
        if code in (0, TOLD) or self._ending.wait(_GRACE):
            return
        _leave(code)  # rank 0 would wait for it for hours


def _leave(code: int) -> None:
    """End rank 0 as well: the runner starts us all again, from the last checkpoint."""
    sys.stderr.write(f"a process of the training ended by itself (code {code})\n")
    sys.stderr.flush()
    os._exit(1)


def join(group: RankGroup) -> None:
    """Name a group whose processes are on machines of their own, where each has one GPU, or a CPU's cores.

    accelerate gives a process its share of a CPU's cores by how many it hears of on one machine: it hears of
    as many as if all were here, since the last bits go by the number of threads.
    """
    named = (group.rank, group.of, 0, group.of, group.address, group.port)
    os.environ.update(dict(zip(_GROUP, map(str, named), strict=True)))


def take_own_gpu(device: str) -> None:
    """Let `cuda` mean this process's own GPU, before anything is put on one: each rank has its own."""
    rank = os.environ.get("LOCAL_RANK")
    if DEVICES[device].own_memory and rank is not None:
        import torch

        torch.cuda.set_device(int(rank))


def leave_group() -> None:
    """Once the group stands: programs that this process starts are not of it."""
    for name in _GROUP:
        os.environ.pop(name, None)
