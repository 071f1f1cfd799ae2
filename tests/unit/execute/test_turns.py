"""Drawing and training on one GPU: one after the other, each with the memory to itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lorakit.execute.slots import Slot
from lorakit.execute.turns import may_begin
from tests.support.actions import frame_action


@dataclass
class Hand:
    """A worker as far as a slot looks at one."""

    engine_id: str = ""
    jobs: set[str] = field(default_factory=set)
    ended: bool = False

    def end(self) -> None:
        self.ended = True


def slot(name: str, engine: str = "", jobs: str = "", waiting: str = "") -> Slot:
    actions = {id_: frame_action(id_, (), engine="e", units=1) for id_ in "ab"}
    made = Slot(name, actions)
    made.worker = Hand(engine, set(jobs.split()))  # type: ignore[assignment]
    made.ready = True
    for id_ in waiting.split():
        made.put(id_)
    return made


def test_a_worker_waits_for_the_one_on_the_gpu() -> None:
    train = slot("train", waiting="a")
    for render in (slot("render", "model", jobs="b"), slot("render", "model", waiting="b")):
        assert not may_begin(train, [render, train])
        assert render.worker is not None
        assert may_begin(render, [render, train])


def test_a_worker_with_nothing_more_to_do_makes_way() -> None:
    render, train = slot("render", "model"), slot("train", waiting="a")
    hand = render.worker
    assert may_begin(train, [render, train])
    assert isinstance(hand, Hand)
    assert hand.ended
    assert render.worker is None


def test_who_needs_no_gpu_and_who_has_put_nothing_there_hinder_nobody() -> None:
    render, train = slot("render", jobs="b"), slot("train", waiting="a")
    assert may_begin(train, [render, train])
    films = slot("assemble", "films", jobs="b")
    assert may_begin(train, [films, train])
    assert may_begin(films, [films, slot("train", "model", jobs="a")])


RECIPE = """\
recipe: 1
models: {tiny: {from: tiny, dtype: fp32}}
datasets: {foxes: {images: foxes}}
steps:
  draw: {kind: generate, model: tiny, prompts: [a fox, an owl], num_inference_steps: 3}
  style: {kind: train-image, model: tiny, data: foxes, lora: {rank: 2}, train: {max_train_steps: 2}}
"""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.slow
def test_a_run_on_one_gpu_has_one_model_in_its_memory(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the CPU, with the machine said to be a GPU's to the runner alone."""
    import lorakit
    from lorakit.execute import runner
    from lorakit.execute.workers import WorkerHandle
    from tests.support.image_training import paint

    paint(home / "foxes", [(64, 64)] * 2)
    recipe = home / "recipe.yaml"
    recipe.write_text(RECIPE)
    held: set[str] = set()
    most: list[int] = []
    opened, ended = WorkerHandle.open, WorkerHandle.end

    def open_counted(worker: WorkerHandle, *given: object) -> None:
        if worker.slot != "assemble":
            held.add(worker.slot)
            most.append(len(held))
        opened(worker, *given)  # type: ignore[arg-type]

    def end_counted(worker: WorkerHandle) -> None:
        ended(worker)
        held.discard(worker.slot)

    monkeypatch.setattr(WorkerHandle, "open", open_counted)
    monkeypatch.setattr(WorkerHandle, "end", end_counted)
    ran = lorakit.load(recipe)
    plan = ran.plan(download=True)
    real = runner.Runner.__init__

    def on_a_gpu(self: runner.Runner, *given: object, **more: object) -> None:
        real(self, *given, **more)  # type: ignore[arg-type]
        self._one_by_one = True

    monkeypatch.setattr(runner.Runner, "__init__", on_a_gpu)
    finished = ran.run(plan=plan)
    assert finished.ending == "done"
    assert set(most) == {1}
    assert len(most) >= 3
