"""A Ray cluster as the place of a run's workers: those that compute are actors, the others stay here."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from lorakit.cluster.group_link import GroupLink
from lorakit.cluster.node_link import NodeLink
from lorakit.cluster.places import GB, ClusterPlaces
from lorakit.cluster.ray_link import RayLink, told_as_json
from lorakit.cluster.settings import RaySettings
from lorakit.diagnostics import LorakitError, in_words
from lorakit.execute.seats import Seat
from lorakit.facts.machine.nodes import Room
from lorakit.facts.machine.this_machine import this_machine

_PATIENCE = 5.0  # s for the cluster to answer
_LATENCY = 1.0  # s between two looks at what a node tells
_ADDRESS = "RAY_ADDRESS"


class RayPlaces(ClusterPlaces):
    """A cluster that is joined where there is one (the config's address, `RAY_ADDRESS`), else begun here.

    Raises LorakitError where Ray is not installed, or the cluster does not answer.
    """

    def __init__(self, settings: RaySettings) -> None:
        self._settings = settings
        self._links: list[RayLink] = []
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to others
        try:
            import ray
        except ImportError as error:
            raise LorakitError('Ray is not installed: pip install "lorakit[ray]"') from error
        self._ray: Any = ray
        address = settings.address or os.environ.get(_ADDRESS, "")
        super().__init__(f"Ray at {address}" if address else "Ray on this machine")
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        try:
            if address:
                _knock(address)
                ray.init(address=address, namespace="lorakit", **quiet)
            else:
                # not one that happens to run here, for somebody else perhaps
                cores = this_machine().cores
                ray.init(address="local", num_cpus=cores, include_dashboard=False, **quiet)
        except (OSError, RuntimeError, ValueError) as error:
            where = address or "this machine"
            raise LorakitError(f"no Ray cluster answers at {where}: {error}") from error

    def room(self) -> Room:
        """As the user's config says, or the cluster had room for when it was first asked."""
        return self._room

    @cached_property
    def _room(self) -> Room:
        return room_among(self._nodes, self._asked, self._settings.workers)

    @property
    def _nodes(self) -> list[Mapping[str, float]]:
        return [node["Resources"] for node in self._ray.nodes() if node["Alive"]]

    @property
    def _has(self) -> Mapping[str, float]:
        has: Mapping[str, float] = self._ray.cluster_resources()
        return has

    def _most(self, resource: str) -> float:
        """What the node has that has most of a resource: what asks for more would wait for ever."""
        return float(max((node.get(resource, 0) for node in self._nodes), default=0))

    @property
    def _asked(self) -> dict[str, float]:
        """What one worker takes of what Ray counts."""
        gpu = self.nodes.machine.kind.gpu
        if not self.nodes.asked and self._settings.ask:
            # nobody has told yet: GPUs are meant where there are some, or a card is named
            gpu = bool(self._has.get("GPU") or self._settings.accelerator_type)
        gpus = self._settings.gpus if gpu else 0
        return {"CPU": self._settings.cpus, "GPU": gpus, **self._settings.resources}

    def _options(self, memory: int) -> dict[str, Any]:
        """What a worker asks for, as Ray's options of tasks and actors."""
        asked, settings = self._asked, self._settings
        memory = int(settings.memory * GB) or int(min(memory, self._most("memory")))
        options = {
            "num_cpus": asked.pop("CPU"),
            "num_gpus": asked.pop("GPU"),
            "resources": asked,
            "memory": memory or None,
            "accelerator_type": settings.accelerator_type or None,
            "label_selector": dict(settings.labels) or None,
        }
        return {name: value for name, value in options.items() if value is not None}

    def told(self, waits: Callable[[str], None]) -> Mapping[str, Any]:
        """What a node tells of itself that has what a worker asks for."""
        from ray.exceptions import RayError

        try:
            asked = self._ray.remote(told_as_json).options(**self._options(0)).remote()
            while not self._ray.wait([asked], timeout=_LATENCY)[0]:
                waits(f"a machine of {self.nodes.where} with {_in_words(self._asked)}")
            told: Mapping[str, Any] = json.loads(self._ray.get(asked))
        except (RayError, RuntimeError, ValueError) as error:
            message = in_words(error).splitlines()[-1]
            raise LorakitError(
                f"no machine of {self.nodes.where} says what it is: {message}"
            ) from error
        return told

    def link(self, seat: Seat, memory: int) -> NodeLink:
        """An actor; a cluster that can grow does, as long as some wait for room."""
        processes = max(1, len(seat.gpus))
        try:
            if processes > 1 and not self._on_one(processes):
                return self._group(seat, processes, memory)
            options = self._options(memory)
            for name in ("num_cpus", "num_gpus"):
                options[name] *= processes
            return self._link(seat, options)
        except (OSError, RuntimeError, ValueError) as error:
            message = f"{self.nodes.where} takes no workers: {in_words(error)}"
            raise LorakitError(message) from error

    def _link(self, seat: Seat, options: Mapping[str, Any]) -> RayLink:
        settings = self._settings
        disk = settings.disk
        link = RayLink(seat, options, settings.folder, shared=settings.shared, disk=disk)
        self._links.append(link)
        return link

    def _on_one(self, processes: int) -> bool:
        """Whether a node has room for so many processes of a training."""
        nodes, asked = self._nodes, {k: v for k, v in self._asked.items() if v}
        return any(all(n.get(k, 0) >= v * processes for k, v in asked.items()) for n in nodes)

    def _group(self, seat: Seat, processes: int, memory: int) -> NodeLink:
        """An actor for each process, on as few nodes as have room, all at once or none."""
        from ray.util.placement_group import placement_group, remove_placement_group
        from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

        options = self._options(memory // processes)
        bundle = {name: each for name, each in self._asked.items() if each}
        if "memory" in options:
            bundle["memory"] = options["memory"]
        if card := options.get("accelerator_type"):
            bundle[f"accelerator_type:{card}"] = 0.001  # as Ray counts it
        labels = options.pop("label_selector", None)
        selector = [labels] * processes if labels else None
        group = placement_group([bundle] * processes, "PACK", bundle_label_selector=selector)
        links = [
            self._link(
                seat._replace(gpus=()),
                {
                    **options,
                    "scheduling_strategy": PlacementGroupSchedulingStrategy(
                        group, placement_group_bundle_index=rank
                    ),
                },
            )
            for rank in range(processes)
        ]
        return GroupLink(links, lambda: remove_placement_group(group))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for link in self._links:
            link.kill()  # what is asked of Ray later would begin another cluster
        self._ray.shutdown()


def room_among(
    nodes: Sequence[Mapping[str, float]], asked: Mapping[str, float], workers: int
) -> Room:
    """The room that nodes have together, whose resources are as Ray counts them, as a worker `asked`.

    `workers` is the most that the user's config allows, 0 for as many as have room.
    """
    takes = {name: each for name, each in asked.items() if each}
    # Ray starts a worker on one node
    each_has = [
        int(min((node.get(name, 0) / each for name, each in takes.items()), default=1))
        for node in nodes
    ]
    now = sum(each_has)

    def together(resource: str) -> int | None:
        if resource not in takes:
            return None
        return sum(int(node.get(resource, 0) / takes[resource]) for node in nodes)

    return Room(
        workers or max(1, now), together("GPU") or 0, together("CPU"), now, sum(map(bool, each_has))
    )


def _in_words(asked: Mapping[str, float]) -> str:
    return ", ".join(f"{each:g} {name}" for name, each in asked.items() if each)


def _knock(address: str) -> None:
    """Raise OSError where nobody listens at an address, such as `head:6379` or `ray://head:10001`.

    Ray itself goes on asking for minutes. What names no port, such as `auto`, is left to it.
    """
    place = urlsplit(address if "://" in address else f"//{address}")
    if place.hostname and place.port:
        socket.create_connection((place.hostname, place.port), _PATIENCE).close()
