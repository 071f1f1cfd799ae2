"""Runs on other machines, of which this one plays all: the bytes of a local run, also where one is killed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import psutil
import pytest

import lorakit
from lorakit.cluster.ray_places import RayPlaces
from lorakit.cluster.settings import RaySettings, SlurmSettings
from lorakit.cluster.slurm_places import SlurmPlaces
from lorakit.execute.events import (
    ActionProgress,
    ActionStarted,
    Event,
    Note,
    RunFinished,
    WorkerState,
)
from lorakit.execute.places import Places
from lorakit.execute.pool import Workers
from lorakit.facts.machine.this_machine import this_machine
from tests.support.boards import board_text, sentences, write_project
from tests.support.image_training import paint
from tests.support.runs import lorakit as lorakit_here
from tests.support.runs import lorakit_alone
from tests.support.small_projects import write_text_training

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

_TIMED = ("metrics", "log")  # of a training: they tell of seconds
SCENES = [(f"scene_{n}", sentences(n, 2)) for n in range(1, 5)]
SWEEP = """
  ranks:
    kind: sweep
    of: style
    over: {lora.rank: [1, 2, 3, 4]}
  style:
    kind: train-image
    model: tiny
    data: foxes
    lora: {rank: 1}
    train: {max_train_steps: 12, checkpointing_steps: 2}
"""


@contextlib.contextmanager
def nodes(count: int, tmp_path: Path, **settings: str) -> Iterator[Any]:
    """Nodes of one CPU each, which are processes of their own and keep files in folders of their own.

    `settings` are variables of their environment alone.
    """
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    with mock.patch.dict(os.environ, {"XDG_CACHE_HOME": str(tmp_path / "nodes"), **settings}):
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
        for _ in range(count):
            cluster.add_node(num_cpus=1)
    try:
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Any]:
    """Three nodes."""
    with nodes(3, tmp_path) as cluster:
        yield cluster


def run_on(places: Places, recipe: Path, hear: Any = lambda event: None) -> RunFinished:
    """A run whose workers are elsewhere."""
    with Workers(places) as workers:
        return lorakit.load(recipe).run(workers=workers, listener=hear)


def on_ray(cluster: Any, recipe: Path, hear: Any = lambda event: None) -> RunFinished:
    """A run on a cluster of Ray's."""
    with RayPlaces(RaySettings(address=cluster.address)) as places:
        return run_on(places, recipe, hear)


def outputs(finished: RunFinished) -> dict[str, Any]:
    """What came of each action, by digest, but what tells of seconds, and tables of it."""
    manifest = json.loads(Path(finished.folder, "manifest.json").read_text())
    made = {a["id"]: a["outputs"] for a in manifest["actions"] if a["kind"] != "sweep-table"}
    return {id_: {n: d for n, d in out.items() if n not in _TIMED} for id_, out in made.items()}


@pytest.fixture
def recipe(home: Path) -> Path:
    """A film of four scenes, and a sweep of four trainings."""
    paint(home / "foxes", [(64, 64)] * 2)
    recipe = write_project(home, board_text(SCENES), recipe=SWEEP)
    text = recipe.read_text().replace("steps:\n", "datasets: {foxes: {images: foxes}}\nsteps:\n", 1)
    recipe.write_text(text)
    return recipe


def in_training(event: Event) -> bool:
    """Whether a training has more steps to go: of quick ones the first and the last alone are sure to be told."""
    return isinstance(event, ActionProgress) and bool(event.figures) and event.done < event.total


@pytest.fixture
def alone(recipe: Path, tmp_path: Path) -> dict[str, Any]:
    """What a run on this machine makes of it."""
    copy = tmp_path / "alone"
    shutil.copytree(recipe.parent, copy)
    with contextlib.chdir(copy):  # what it makes goes there
        finished = lorakit.load(copy / recipe.name).run()
    assert finished.ending == "done"
    return outputs(finished)


def test_a_cluster_makes_the_bytes_of_a_local_run(
    cluster: Any, recipe: Path, alone: dict[str, Any]
) -> None:
    told: list[Event] = []
    finished = on_ray(cluster, recipe, told.append)
    assert finished.ending == "done"
    assert outputs(finished) == alone
    assert len({"render 1", "render 2", "render 3"} & set(finished.workers)) > 1
    assert len({e.where for e in told if isinstance(e, WorkerState)} - {""}) > 1
    # nothing is left to make, here or there
    assert lorakit.load(recipe).run().made == 0


def test_where_a_node_is_killed_the_run_ends_with_the_same_bytes(
    cluster: Any, recipe: Path, alone: dict[str, Any]
) -> None:
    """Its frames are drawn elsewhere, and its training goes on from the last checkpoint."""
    told: list[Event] = []
    nodes = sorted(cluster.worker_nodes, key=lambda node: node.node_id)

    def kill(event: Event) -> None:
        told.append(event)
        if in_training(event) and len(killed) == 0:
            where = next(
                e.where for e in told[::-1] if isinstance(e, WorkerState) and e.slot == "train"
            )
            node = next(n for n in nodes if n.node_id.startswith(where.partition("/")[2]))
            killed.append(where)
            cluster.remove_node(node, allow_graceful=False)

    killed: list[str] = []
    finished = on_ray(cluster, recipe, kill)
    assert killed
    assert finished.ending == "done"
    assert outputs(finished) == alone
    notes = [e.text for e in told if isinstance(e, Note)]
    assert any("was lost" in note and killed[0] in note for note in notes), notes


def test_a_plan_is_for_what_the_nodes_are(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They compute otherwise than this machine does: the keys are theirs, and so are the bytes."""
    write_project(home, board_text(SCENES[:1], video=""))
    copy = tmp_path / "alone"
    shutil.copytree(home, copy)
    done = lorakit_alone(copy, "run", "--json", LORAKIT_CPU_PATCHES="0")
    assert done.returncode == 0, done.stderr
    theirs = outputs(RunFinished(**event_of(done.stdout)))

    with nodes(1, tmp_path, LORAKIT_CPU_PATCHES="0") as cluster:
        config = tmp_path / "config" / "lorakit" / "config.yaml"
        config.parent.mkdir(parents=True)
        config.write_text(f"cluster: {{ray: {{address: '{cluster.address}'}}}}\n")
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
        shown = lorakit_here(home, "plan", "--on", "ray")
        assert shown.returncode == 0, shown.stderr
        assert f"nodes   Ray at {cluster.address}" in shown.stdout
        assert "-unpatched (CPU)" in shown.stdout
        ran = lorakit_here(home, "run", "--json", "--on", "ray")
        assert ran.returncode == 0, ran.stderr + ran.stdout
        assert outputs(RunFinished(**event_of(ran.stdout))) == theirs
        again = lorakit_here(home, "plan", "--on", "ray", "--detailed-exitcode")
        assert again.returncode == 0, again.stdout  # nothing is left to make
    # for this machine they are results of another
    assert lorakit_here(home, "plan", "--detailed-exitcode").returncode == 10


def event_of(text: str) -> dict[str, Any]:
    """The last event of a run's output."""
    event = json.loads(text.splitlines()[-1])
    assert event.pop("type") == "run-finished"
    return event


def test_a_worker_takes_as_much_memory_as_the_plan_counts(home: Path, tmp_path: Path) -> None:
    import ray

    write_project(home, board_text(SCENES[:1], video=""))
    taken = []

    def look(event: Event) -> None:
        if isinstance(event, ActionStarted) and not taken:
            there, free = ray.cluster_resources(), ray.available_resources()
            taken.append(there["memory"] - free["memory"])

    with nodes(1, tmp_path) as cluster:
        counted = lorakit.load(home / "recipe.yaml").plan().estimate.memory
        assert on_ray(cluster, home / "recipe.yaml", look).ending == "done"
    assert taken == [pytest.approx(counted, rel=0.01)]


def test_a_training_of_two_nodes_comes_to_that_of_two_processes_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither has room for both; where one is killed, it goes on from the last checkpoint."""
    home = tmp_path / "project"
    (home / ".lorakit").mkdir(parents=True)
    write_text_training(home, steps=40, every=5, processes=2)
    monkeypatch.chdir(home)
    alone = lorakit.load(home / "recipe.yaml").run()
    assert alone.ending == "done"
    here = outputs(alone)
    for made in (home / ".lorakit", home / "outputs"):
        shutil.rmtree(made)
    told: list[Event] = []
    killed: list[int] = []

    def kill(event: Event) -> None:
        told.append(event)
        if isinstance(event, ActionProgress) and event.figures and event.done > 20 and not killed:
            workers = [
                p
                for p in psutil.process_iter(["cmdline"])
                if "lorakit.execute.worker" in (words := p.info["cmdline"] or [])
                and "train" in words
                if p.environ().get("XDG_CACHE_HOME") == str(tmp_path / "nodes")
            ]
            assert len(workers) == 2  # one on each node
            workers[0].kill()
            killed.append(workers[0].pid)

    with nodes(2, tmp_path) as cluster:
        there = on_ray(cluster, home / "recipe.yaml", kill)
    assert there.ending == "done", told[-5:]
    assert killed
    assert outputs(there) == here
    notes = [e.text for e in told if isinstance(e, Note)]
    # of another node's the first is lost with it, its own is a worker that died
    assert any("was lost" in note or "starting it again" in note for note in notes), notes


def test_without_an_address_a_cluster_begins_here_whatever_else_runs(tmp_path: Path) -> None:
    import ray

    with nodes(0, tmp_path) as cluster, RayPlaces(RaySettings(cpus=1)) as places:
        assert places.room().workers == this_machine().cores
        (node,) = ray.nodes()
        assert ray.get_runtime_context().gcs_address != cluster.address
        assert node["Resources"]["CPU"] == this_machine().cores


@pytest.mark.parametrize("shared", [False, True])
def test_a_queue_makes_the_bytes_of_a_local_run_and_a_killed_job_costs_nothing(
    recipe: Path, alone: dict[str, Any], tmp_path: Path, shared: bool
) -> None:
    """Through submitit's own executor for one machine; files come by content, or from the same disk."""
    pytest.importorskip("submitit")
    settings = SlurmSettings(folder=str(tmp_path / "disk"), workers=2, shared=shared)
    told: list[Event] = []
    killed: list[int] = []

    def kill(event: Event) -> None:
        told.append(event)
        if in_training(event) and not killed:
            # whichever: frames or a training, its work is done elsewhere
            living = [p for p in psutil.Process().children() if p.status() != psutil.STATUS_ZOMBIE]
            jobs = [p for p in living if "submitit" in " ".join(p.cmdline())]
            for process in (*jobs[0].children(recursive=True), jobs[0]):
                process.kill()
            killed.append(jobs[0].pid)

    places = SlurmPlaces(settings, "local")
    if shared:
        places.ask(lambda what: None)
        assert places.nodes.asked
    finished = run_on(places, recipe, kill)
    assert killed
    assert finished.ending == "done"
    assert outputs(finished) == alone
    assert any("was lost" in e.text for e in told if isinstance(e, Note)), told
    # what was sent is gone, but for what a queue's own logs say
    assert not list((tmp_path / "disk").glob("*/*/in/*"))
