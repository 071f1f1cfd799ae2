"""A node as a job of Slurm's, through submitit; frames go through a folder that its machines share."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lorakit.cluster.frames import pack
from lorakit.cluster.node_link import LinkLost
from lorakit.cluster.spool import SpoolEnds, serve
from lorakit.execute.seats import Seat
from lorakit.facts.machine.nodes import told_here
from lorakit.store import atomic


def tell_into(answer: str) -> None:
    """What a queue runs to ask a machine what it is."""
    atomic.write_json(Path(answer), told_here())


class SlurmLink:
    """The way to a job, which `submit` hands a function and its words; `folder` is the link's own."""

    def __init__(
        self,
        submit: Callable[..., Any],
        folder: Path,
        seat: Seat,
        home: Path,
        *,
        shared: bool,
        disk: float,
    ) -> None:
        self.shared = shared
        self._job = submit(serve, str(folder), tuple(seat), str(home), shared, disk)
        self._ends = SpoolEnds(folder)

    def send(self, *frames: bytes) -> None:
        """Leave frames for the job."""
        with contextlib.suppress(OSError):
            for frame in frames:
                self._ends.outgoing.put(frame)

    def frames(self) -> Iterator[bytes]:
        """What the job tells. Raises LinkLost where it ended before it had told all."""
        try:
            ended = False
            for frame in self._ends.frames():
                if frame is not None:
                    yield frame
                elif ended:
                    raise LinkLost(f"job {self._job.job_id} ended: {self._job.state}")
                else:
                    ended = self._job.done()  # what it told last may lie there still
        finally:
            self.kill()
            shutil.rmtree(self._ends.folder, ignore_errors=True)

    def close(self) -> None:
        """Ask it to end."""
        self.send(pack({"do": "end"}))

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within so many seconds."""
        return self._ends.over.wait(seconds)

    def kill(self) -> None:
        """Cancel the job."""
        self._ends.over.set()
        with contextlib.suppress(Exception):
            if not self._job.done():
                self._job.cancel()
