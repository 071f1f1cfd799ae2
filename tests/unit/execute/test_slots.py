"""A worker's queue: longest chains first, engines changed only when empty, deaths borne."""

from __future__ import annotations

from dataclasses import dataclass, field

from lorakit.execute.slots import Slot
from lorakit.plan.actions import Action, Input
from tests.support.actions import frame_action


@dataclass
class Hand:
    """A worker as far as a slot looks at one."""

    engine_id: str = ""
    jobs: set[str] = field(default_factory=set)


def action(id_: str, engine: str = "e", units: int = 1, needs: str = "") -> Action:
    inputs = (Input("start", needs, "latents"),) if needs else ()
    return frame_action(id_, inputs, engine=engine, units=units)


def slot(*actions: Action, put: str = "", name: str = "render") -> Slot:
    made = Slot(name, {a.id: a for a in actions})
    made.worker = Hand()  # type: ignore[assignment]
    made.ready = True
    for id_ in put.split() or [a.id for a in actions]:
        made.put(id_)
    return made


def take(queue: Slot) -> str | None:
    found = queue.take()
    if found is None:
        return None
    assert queue.worker is not None
    queue.worker.engine_id = found.engine.id
    queue.worker.jobs.add(found.id)
    return found.id


def test_the_longest_chain_goes_first_and_ties_keep_the_order() -> None:
    queue = slot(
        action("short"), action("a1", units=2), action("a2", units=9, needs="a1"), action("b", units=11),
        put="short a1 b",
    )  # fmt: skip
    assert [take(queue) for _ in range(4)] == ["a1", "b", "short", None]


def test_nothing_is_taken_before_the_worker_is_ready() -> None:
    queue = slot(action("a"))
    queue.ready = False
    assert take(queue) is None


def test_a_worker_holds_only_so_many_jobs() -> None:
    queue = slot(*(action(f"a{n}") for n in range(100)))
    taken = 0
    while take(queue):
        taken += 1
    assert taken == 64


def test_an_engine_is_changed_only_by_an_empty_worker() -> None:
    queue = slot(action("long", "e", 9), action("other", "f", 5), action("short", "e", 1))
    assert [take(queue) for _ in range(3)] == ["long", "short", None]
    assert queue.worker is not None
    queue.worker.jobs.clear()
    assert take(queue) == "other"


def test_a_refused_engine_takes_its_own_with_it() -> None:
    queue = slot(action("a", "bad", 9), action("b", "bad", 5), action("c", "good"))
    assert take(queue) == "a"
    assert queue.refuse("bad") == ["a", "b"]
    assert take(queue) == "c"


def fresh_worker(queue: Slot) -> None:
    queue.worker, queue.ready = Hand(), True  # type: ignore[assignment]


def test_a_dead_worker_s_jobs_are_queued_again_twice() -> None:
    queue = slot(action("a"))
    for _ in range(2):
        assert take(queue) == "a"
        assert queue.bury(-9, "") == {}
        assert queue.wants_a_worker
        fresh_worker(queue)
    assert take(queue) == "a"
    (why,) = queue.bury(-9, "").values()
    assert "signal 9" in why
    assert "memory" in why
    assert not queue.wants_a_worker


def test_what_ends_its_workers_takes_none_of_the_others_along() -> None:
    queue = slot(*map(action, "abcd"))
    lost: dict[str, str] = {}
    made = []
    for _ in range(20):
        while take(queue):
            pass
        assert queue.worker is not None
        if "b" in queue.worker.jobs:  # it kills each worker that holds it
            lost |= queue.bury(-9, "")
            fresh_worker(queue)
        else:
            made += sorted(queue.worker.jobs)
            queue.worker.jobs.clear()
    assert list(lost) == ["b"]
    assert sorted(made) == ["a", "c", "d"]
    assert queue.given_up == ""


def test_an_unforeseen_error_of_one_job_fails_that_job() -> None:
    queue = slot(action("a"), action("b"), put="a")
    take(queue)
    queue.put("b")
    assert queue.bury(1, "ValueError: odd") == {"a": "ValueError: odd"}
    assert queue.given_up == ""
    fresh_worker(queue)
    assert take(queue) == "b"


def test_jobs_that_broke_together_are_tried_once_more_each_by_itself() -> None:
    queue = slot(action("a"), action("b"))
    assert [take(queue), take(queue)] == ["a", "b"]
    assert queue.bury(1, "ValueError: odd") == {}
    fresh_worker(queue)
    assert [take(queue), take(queue)] == ["a", None]
    assert queue.bury(1, "ValueError: odd") == {"a": "ValueError: odd"}
    fresh_worker(queue)
    assert take(queue) == "b"


def test_a_worker_that_cannot_begin_is_not_tried_again() -> None:
    queue = slot(action("a"))
    assert queue.bury(1, "ImportError: no torch") == {"a": "ImportError: no torch"}
    assert queue.given_up == "ImportError: no torch"
    queue = slot(action("a"))
    for _ in range(2):
        assert queue.bury(-9, "") == {}
        fresh_worker(queue)
    assert list(queue.bury(-9, "")) == ["a"]
    assert "render worker ended by itself" in queue.given_up


def test_what_the_system_ended_for_its_memory_says_which_keys_to_change() -> None:
    for name, words in (("train", "half the batch_size"), ("render", "a smaller model")):
        queue = slot(action("a"), name=name)
        for _ in range(3):
            fresh_worker(queue)
            take(queue)
            lost = queue.bury(-9, "")
        assert f"{name} worker ended by itself (signal 9); was memory short?" in lost["a"]
        assert words in lost["a"]
