"""What a node tells of itself, and what a plan on this machine makes of it."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from lorakit.cluster.ray_places import room_among
from lorakit.diagnostics import InvalidDocument, LorakitError
from lorakit.facts.machine.environment import environment
from lorakit.facts.machine.nodes import Nodes, Room, nodes_of, told_here
from lorakit.facts.machine.this_machine import this_machine
from lorakit.session import Session, load
from lorakit.ui.plan_view import plan_as_json, show_plan
from tests.support.image_training import paint

CARD = 24 << 30
ROOM = Room(workers=4, gpus=4)
RENTED = {
    "device": "cuda",
    "device_class": "cuda-without-tf32",
    "device_name": "NVIDIA A10G",
    "fast_bf16": True,
    "cores": 4,
    "memory": CARD,
    "card": [CARD, CARD - (1 << 30), 64 << 30],
    "rounds": False,
    "host": "node-1",
}


def rented(**changed: object) -> dict[str, object]:
    """What a machine with a card tells, whose torch is built for it."""
    versions = {**environment(), "torch": environment()["torch"].partition("+")[0] + "+cu128"}
    versions |= {"gpu": "NVIDIA A10G", "driver": "570.1"}
    told: dict[str, object] = json.loads(
        json.dumps({**RENTED, "environment": versions} | dict(changed))
    )
    return told


def on_four(project: Path, recipe: str, room: Room = ROOM) -> Session:
    (project / "recipe.yaml").write_text(f"recipe: 1\n{recipe}")
    nodes = nodes_of(rented(), room, "Ray at head:6379")
    return replace(load(project / "recipe.yaml"), nodes=nodes)


def test_a_machine_tells_of_itself_what_it_is() -> None:
    told = json.loads(json.dumps(told_here()))
    nodes = nodes_of(told, Room(3), "here")
    here = this_machine()
    for name in ("device", "device_class", "name", "fast_bf16", "cores", "memory", "card"):
        assert getattr(nodes.machine, name) == getattr(here, name), name
    assert nodes.environment == environment()
    assert (nodes.machine.workers, nodes.asked) == (3, True)


def test_a_plan_on_a_laptop_is_for_the_card_of_the_node(tmp_path: Path) -> None:
    pictures = "steps: {a: {kind: generate, prompts: [a fox, a crow], width: 64, height: 64}}\n"
    session = on_four(tmp_path, pictures)
    plan = session.plan()
    frame = next(p.action for p in plan.actions if p.action.kind == "frame")
    assert frame.task.key()["device_class"] == "cuda-without-tf32"
    assert frame.engine.spec.to_json()["device"] == "cuda"
    assert plan.environment["gpu"] == "NVIDIA A10G"
    assert plan.environment["torch"].endswith("+cu128")
    assert plan.machine == "NVIDIA A10G, 4 cores"
    # here it has other keys
    here = load(tmp_path / "recipe.yaml").plan()
    keys = [{p.key for p in one.actions if p.action.kind == "frame"} for one in (plan, here)]
    assert not keys[0] & keys[1]
    assert plan_as_json(here)["nodes"] is None
    told = plan_as_json(plan)["nodes"]
    assert told["where"] == "Ray at head:6379"
    assert told["device_class"] == "cuda-without-tf32"
    assert "as one of them told" in told["policy"]


@pytest.mark.parametrize(
    ("room", "said"),
    [
        (
            Room(2, now=3, machines=2),
            "2 workers of a kind at once, and room for 3 now, on 2 machines",
        ),
        (Room(2, now=0, machines=0), "2 workers of a kind at once, no room now"),
        (Room(2), "2 workers of a kind at once"),
    ],
)
def test_how_many_workers_there_will_be_is_said(tmp_path: Path, room: Room, said: str) -> None:
    """Of three prompts' frames two can be drawn at once; the sheet is assembled here."""
    paint(tmp_path / "foxes", [(64, 64)] * 2)
    recipe = (
        "datasets: {foxes: {images: foxes}}\nsteps:\n"
        "  a: {kind: generate, prompts: [a fox, a crow, an owl], width: 64, height: 64}\n"
        "  b: {kind: train-image, data: foxes, train: {max_train_steps: 2}}\n"
    )
    plan = on_four(tmp_path, recipe, room).plan()
    told = plan_as_json(plan)["nodes"]
    assert (told["workers"], told["workers_now"], told["machines_now"]) == (
        2,
        room.now,
        room.machines,
    )
    assert (told["at_once"]["render"], told["at_once"]["train"]) == (2, 1)
    assert "assemble" not in told["at_once"]
    shown = io.StringIO()
    show_plan(plan, Console(file=shown, width=400))
    (line,) = [line.strip() for line in shown.getvalue().splitlines() if "of a kind" in line]
    assert line.startswith(f"at most {said}; this plan has work for ")
    assert "2 of render" in line


def test_room_is_counted_by_nodes() -> None:
    """Two halves of a worker on two nodes are none; what a worker does not ask for does not count."""
    nodes = [{"CPU": 4.0, "GPU": 1.0}, {"CPU": 1.0, "GPU": 2.0}, {"CPU": 8.0}]
    assert room_among(nodes, {"CPU": 2, "GPU": 1}, 0) == Room(1, 3, 6, 1, 1)
    assert room_among(nodes, {"CPU": 1, "GPU": 0}, 0) == Room(13, 0, 13, 13, 3)
    assert room_among(nodes, {"CPU": 2, "GPU": 1}, 8) == Room(8, 3, 6, 1, 1)
    assert room_among([], {"CPU": 1, "GPU": 1}, 0) == Room(1, 0, 0, 0, 0)


def test_gpus_of_a_training_are_those_of_the_cluster(tmp_path: Path) -> None:
    paint(tmp_path / "foxes", [(64, 64)] * 2)
    recipe = (
        "datasets: {foxes: {images: foxes}}\nsteps: {a: {kind: train-image, data: foxes, "
        "resources: {gpus: NUMBER}, train: {max_train_steps: 2, batch_size: 8}}}\n"
    )
    plan = on_four(tmp_path, recipe.replace("NUMBER", "4")).plan()
    (training,) = [p.action for p in plan.actions if p.action.kind == "train-image"]
    assert training.task.device == "cuda"
    said = "gpus: 5 is more than the cluster has: 4, NVIDIA A10G"
    with pytest.raises(InvalidDocument, match=said):
        on_four(tmp_path, recipe.replace("NUMBER", "5")).plan()


def test_processes_of_a_training_are_those_that_the_cluster_has_room_for(tmp_path: Path) -> None:
    paint(tmp_path / "foxes", [(64, 64)] * 2)
    recipe = (
        "datasets: {foxes: {images: foxes}}\nsteps: {a: {kind: train-image, data: foxes, "
        "resources: {processes: 3}, train: {max_train_steps: 2, batch_size: 8}}}\n"
    )
    (tmp_path / "recipe.yaml").write_text(f"recipe: 1\n{recipe}")
    session = load(tmp_path / "recipe.yaml")
    for room in (Room(), Room(9, 0, 3)):
        assert replace(session, nodes=nodes_of(told_here(), room, "Ray")).plan().to_make
    said = "processes: 3 is more than the cluster has room for: 2"
    with pytest.raises(InvalidDocument, match=said):
        replace(session, nodes=nodes_of(told_here(), Room(9, 0, 2), "Ray")).plan()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"device": "tpu"}, "makes no sense"),
        ({"card": [1]}, "makes no sense"),
        ({"environment": 3}, "makes no sense"),
        ({"environment": {}}, "the node node-1 of Ray has other versions than this machine"),
    ],
)
def test_what_is_no_fit_is_told(changed: dict[str, object], said: str) -> None:
    with pytest.raises(LorakitError, match=said):
        nodes_of(rented(**changed), Room(), "Ray")


def test_other_versions_are_named_and_another_build_is_none() -> None:
    versions = dict(rented()["environment"])  # type: ignore[call-overload]
    assert isinstance(nodes_of(rented(), Room(), "Ray"), Nodes)
    versions["diffusers"] = "0.1"
    with pytest.raises(LorakitError, match=r"diffusers 0\.1 \(here .*install the same on both"):
        nodes_of(rented(environment=versions), Room(), "Ray")
