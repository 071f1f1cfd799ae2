"""Drawing and training on one GPU: one after the other, each with the memory to itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import pytest

from lorakit.execute.action_queue import ActionQueue
from lorakit.execute.slots import Slot
from lorakit.execute.turns import granted
from lorakit.facts.machine.devices import DEVICES, Device
from lorakit.plan.actions import Engine
from tests.support.actions import TEXTS, action_of, frame_action


@dataclass
class Hand:
    """A worker as far as a slot looks at one."""

    engine_id: str = ""
    jobs: set[str] = field(default_factory=set)
    ended: bool = False

    def end(self) -> None:
        self.ended = True


def crew(count: int, *told: str, kind: str = "render", waiting: int = 0) -> list[Slot]:
    """Slots of a kind; `told` says of each "-" (no worker), "idle" or "busy", with its GPUs: `busy 0 1`."""
    needs = count if kind == "train" else 0
    actions = {
        f"{kind}{n}": action_of(TRAINING[needs], f"{kind}{n}", Engine(kind, id=kind))
        if needs
        else frame_action(f"{kind}{n}")
        for n in range(waiting)
    }
    queue, slots = ActionQueue(actions), list[Slot]()
    for words in told:
        made = Slot(kind, queue, slots)
        state, *gpus = words.split()
        if state != "-":
            made.worker = Hand("model", {"one"} if state == "busy" else set())  # type: ignore[assignment]
            made.ready = made.loaded = True
            made.gpus = tuple(map(int, gpus))
    for id_ in actions:
        queue.put(id_)
    return slots


TRAINING = {n: replace(TEXTS, train=replace(TEXTS.train, processes=n)) for n in range(1, 5)}


def test_a_worker_waits_for_the_one_on_the_gpu() -> None:
    (train,) = crew(1, "-", kind="train", waiting=1)
    for render in (*crew(1, "busy 0"), *crew(1, "idle 0", waiting=1)):
        assert granted(train, [render, train], 1) is None
        assert render.worker is not None
        assert not render.yields  # alone it goes on until nothing waits


def test_a_worker_with_nothing_more_to_do_makes_way() -> None:
    (render,), (train,) = crew(1, "idle 0"), crew(1, "-", kind="train", waiting=1)
    hand = render.worker
    assert granted(train, [render, train], 1) == (0,)
    assert isinstance(hand, Hand)
    assert hand.ended
    assert (render.worker, render.gpus) == (None, ())


def test_each_worker_that_draws_has_a_gpu_and_trainings_begin_at_the_other_end() -> None:
    renders = crew(1, "-", "-", "-", "-", waiting=9)
    found = [granted(one, renders, 4) for one in renders]
    assert found == [(0,), (1,), (2,), (3,)]
    renders = crew(1, "busy 0", "-", "-", "-", waiting=9)
    trains = crew(1, "-", "-", "-", "-", kind="train", waiting=2)
    assert granted(trains[0], [*renders, *trains], 4) == (3,)


def test_a_training_takes_as_many_gpus_as_it_asks_for() -> None:
    (train, *_) = trains = crew(2, "-", "-", "-", "-", kind="train", waiting=1)
    idle = crew(1, "idle 0", "idle 1", "-", "-")
    assert granted(train, [*idle, *trains], 4) == (2, 3)
    assert all(one.worker for one in idle[:2])  # who is in nobody's way stays
    (busy, other, *_) = crew(1, "busy 0", "idle 1", "idle 2", "idle 3")
    assert granted(train, [*busy.slots, *trains], 4) == (2, 3)
    assert other.worker is not None


def test_workers_that_draw_leave_gpus_to_a_training_but_one_goes_on() -> None:
    trains = crew(2, "-", "-", "-", kind="train", waiting=1)
    renders = crew(1, "busy 0", "busy 1", "busy 2", waiting=9)
    every = [*renders, *trains]
    assert granted(trains[0], every, 3) is None
    assert [one.yields for one in renders] == [False, True, True]
    assert granted(trains[0], every, 3) is None  # and asks for no more
    for one in renders[1:]:
        assert one.take() is None
        one.worker.jobs.clear()  # type: ignore[union-attr]
        one.retire()
    assert granted(trains[0], every, 3) == (1, 2)
    assert not renders[0].yields
    # who draws takes nothing from a training
    trains[0].worker, trains[0].gpus = Hand("it", {"one"}), (1, 2)  # type: ignore[assignment]
    assert granted(renders[1], every, 3) is None
    assert not trains[0].yields


def test_who_needs_no_gpu_has_none() -> None:
    (films,) = crew(1, "busy", kind="assemble")
    (train,) = crew(1, "-", kind="train", waiting=1)
    assert granted(train, [films, train], 1) == (0,)


RECIPE = """\
recipe: 1
models: {tiny: {from: tiny, dtype: fp32}}
datasets: {foxes: {images: foxes}}
steps:
  draw: {kind: generate, model: tiny, prompts: [a fox, an owl], num_inference_steps: 3}
  style: {kind: train-image, model: tiny, data: foxes, lora: {rank: 2}, train: {max_train_steps: 2}}
"""


class Cards(NamedTuple):
    """A machine with GPUs, as far as a crew looks at one; what is done there is done on the CPU."""

    gpus: int
    kind: Device = DEVICES["cuda"]
    cores: int = 2

    @property
    def workers(self) -> int:
        return self.gpus

    @property
    def gpu_names(self) -> tuple[str, ...]:
        return tuple(f"GPU-{n}" for n in range(self.gpus))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
def test_a_run_has_one_model_in_the_memory_of_each_gpu(
    home: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    import lorakit
    from lorakit.execute import places
    from lorakit.execute.workers import WorkerHandle
    from tests.support.image_training import paint

    paint(home / "foxes", [(64, 64)] * 2)
    recipe = home / "recipe.yaml"
    recipe.write_text(RECIPE)
    held: dict[str, str] = {}
    used: dict[str, set[str]] = {}
    opened, ended = WorkerHandle.open, WorkerHandle.end

    def open_counted(worker: WorkerHandle, *given: object) -> None:
        for gpu in worker.seat.gpus:
            assert held.setdefault(gpu, worker.name) == worker.name
            used.setdefault(worker.slot, set()).add(gpu)
        opened(worker, *given)  # type: ignore[arg-type]

    def end_counted(worker: WorkerHandle) -> None:
        ended(worker)
        for gpu in worker.seat.gpus:
            held.pop(gpu, None)

    monkeypatch.setattr(WorkerHandle, "open", open_counted)
    monkeypatch.setattr(WorkerHandle, "end", end_counted)
    ran = lorakit.load(recipe)
    plan = ran.plan(download=True)
    monkeypatch.setattr(places, "this_machine", lambda: Cards(count))
    finished = ran.run(plan=plan)
    assert finished.ending == "done"
    assert set(used) == {"render", "encode", "train"}
    if count == 2:
        assert used["train"] == {"GPU-1"}
