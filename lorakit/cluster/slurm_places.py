"""Slurm as the place of a run's workers: each is a job, submitted through submitit."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lorakit.cluster.node import node_folder
from lorakit.cluster.node_link import NodeLink
from lorakit.cluster.places import GB, ClusterPlaces
from lorakit.cluster.settings import SlurmSettings
from lorakit.cluster.slurm_link import SlurmLink, tell_into
from lorakit.diagnostics import LorakitError, in_words
from lorakit.execute.seats import Seat
from lorakit.facts.machine.nodes import Room

_LATENCY = 0.2  # s between two looks at what a job tells


class SlurmPlaces(ClusterPlaces):
    """A queue; `cluster` is submitit's name of one: slurm, or local for processes here.

    Raises LorakitError where submitit is not installed, no folder is named, or there is no Slurm here.
    """

    def __init__(self, settings: SlurmSettings, cluster: str = "slurm") -> None:
        if not settings.folder:
            raise LorakitError(
                "Slurm's machines need a folder that all of them see; in your config write "
                "cluster: {slurm: {folder: /shared/lorakit}}"
            )
        try:
            import submitit
        except ImportError as error:
            raise LorakitError('submitit is not installed: pip install "lorakit[slurm]"') from error
        super().__init__(f"Slurm's {settings.partition or 'default'} partition")
        self._settings = settings
        self._folder = Path(settings.folder).expanduser() / uuid.uuid4().hex
        try:
            self._executor: Any = submitit.AutoExecutor(self._folder / "jobs", cluster=cluster)
        except RuntimeError as error:
            raise LorakitError(f"no Slurm answers here: {error}") from error

    def room(self) -> Room:
        """As many as the user's config says; how much a machine has, Slurm knows."""
        return Room(self._settings.workers)

    def _submit(self, name: str, processes: int, memory: int, what: Any, *words: Any) -> Any:
        """A job of submitit's. Raises LorakitError in sbatch's own words."""
        settings = self._settings
        asked: dict[str, Any] = {
            "name": f"lorakit-{name}",
            "timeout_min": settings.time,
            "cpus_per_task": settings.cpus * processes,
        }
        gpu = self.nodes.machine.kind.gpu or (settings.ask and not self.nodes.asked)
        if gpu and settings.gpus:
            asked["gpus_per_node"] = settings.gpus * processes
        if settings.memory or memory:
            asked["mem_gb"] = settings.memory or -(-memory // GB)
        slurm = {"partition": settings.partition, "account": settings.account}
        slurm["constraint"] = settings.constraint
        asked |= {f"slurm_{name}": value for name, value in slurm.items() if value}
        if settings.options:
            asked["slurm_additional_parameters"] = dict(settings.options)
        try:
            self._executor.update_parameters(**asked)
            return self._executor.submit(what, *words)
        except (OSError, RuntimeError, ValueError) as error:
            said = (
                "; ".join(str(error).split("\n"))
                if isinstance(error, RuntimeError)
                else in_words(error)
            )
            raise LorakitError(f"{self.nodes.where} takes no jobs: {said}") from error

    def told(self, waits: Callable[[str], None]) -> Mapping[str, Any]:
        """What the machine of a short job tells of itself."""
        answer = self._folder / f"{uuid.uuid4().hex}.json"
        job = self._submit("asks", 1, 0, tell_into, str(answer))
        try:
            while not answer.is_file():
                if job.done():
                    break
                waits(f"job {job.job_id}, which asks a machine of {self.nodes.where} what it is")
                time.sleep(_LATENCY)
            told: Mapping[str, Any] = json.loads(answer.read_text("utf-8"))
        except (OSError, ValueError) as error:
            message = f"job {job.job_id} said nothing of its machine: its log is in {self._folder}"
            raise LorakitError(message) from error
        except KeyboardInterrupt:
            job.cancel()
            raise
        return told

    def link(self, seat: Seat, memory: int) -> NodeLink:
        """Submit a job."""
        own = self._folder / uuid.uuid4().hex
        home = node_folder(self._settings.folder) / "node"

        def submit(what: Any, *words: Any) -> Any:
            return self._submit(seat.kind, max(1, len(seat.gpus)), memory, what, *words)

        settings = self._settings
        return SlurmLink(submit, own, seat, home, shared=settings.shared, disk=settings.disk)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Jobs are cancelled by the workers' end; their logs stay in the folder."""
