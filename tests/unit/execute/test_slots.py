"""A worker's queue: longest chains first, engines changed only when empty, deaths borne."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from lorakit.execute.action_queue import ActionQueue
from lorakit.execute.slots import Slot
from lorakit.plan.actions import Action, Input
from lorakit.plan.engine_specs import DrawingSpec
from tests.support.actions import frame_action

SPEC = DrawingSpec(
    path="", digest="a", family="sd", vae_factor=8, precision="fp32", device="cpu", batch_size=8
)


@dataclass
class Hand:
    """A worker as far as a slot looks at one."""

    engine_id: str = ""
    jobs: set[str] = field(default_factory=set)


def action(id_: str, engine: str = "e", units: int = 1, needs: str = "") -> Action:
    inputs = (Input("start", needs, "latents"),) if needs else ()
    return frame_action(id_, inputs, engine=engine, units=units)


def slot(*actions: Action, put: str = "", name: str = "render") -> Slot:
    made = Slot(name, ActionQueue({a.id: a for a in actions}))
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


def crew(*actions: Action, count: int = 2) -> list[Slot]:
    """Several workers that draw, started together, before any has loaded its engine."""
    queue, slots = ActionQueue({a.id: a for a in actions}), list[Slot]()
    for number in range(count):
        Slot("render", queue, slots, f"render {number + 1}")
    for id_ in (a.id for a in actions if not a.inputs):
        queue.put(id_)
    for one in slots:
        fresh_worker(one)
        one.awaited = True
    return slots


def taken(queue: Slot) -> list[str]:
    found = []
    while (id_ := take(queue)) is not None:
        found.append(id_)
    return found


def test_several_workers_share_what_there_is() -> None:
    first, second = crew(*map(action, "abcdefg"))
    assert taken(first) == list("abcd")
    assert taken(second) == list("efg")


def test_none_holds_more_than_its_waves_while_others_have_less() -> None:
    spec = replace(SPEC, batch_size=4)
    many = [
        replace(one, engine=replace(one.engine, spec=spec))
        for one in map(action, map(str, range(100)))
    ]
    first, second = crew(*many)
    assert len(taken(first)) == 8  # a wave under way and one to follow
    assert len(taken(second)) == 8
    first.worker.jobs.clear()  # type: ignore[union-attr]
    assert len(taken(first)) == 8


def test_who_is_started_later_is_not_waited_for() -> None:
    first, second = crew(*map(action, "abcdefg"))
    second.awaited = False
    assert len(taken(first)) == 7
    assert not second.wants_a_worker


def test_each_opens_an_engine_that_no_other_holds() -> None:
    first, second = crew(action("a1", "e", 9), action("a2", "e", 9), action("b", "f", 1))
    assert taken(first) == ["a1"]  # the other may be of help
    assert taken(second) == ["b"]
    assert taken(first) == ["a2"]


def test_an_engine_that_one_cannot_load_is_left_to_the_others() -> None:
    first, second = crew(action("a", "big"), action("b", "big"), action("c", "small"))
    assert take(first) == "a"
    assert first.refuse("big") == []
    assert taken(first) == ["c"]
    assert taken(second) == ["a", "b"]
    assert second.refuse("big") == ["a", "b"]


def test_a_worker_that_cannot_begin_takes_nothing_from_the_others() -> None:
    first, second = crew(action("a"), action("b"))
    assert first.bury(1, "no such GPU") == {}
    assert first.given_up == "no such GPU"
    assert not first.wants_a_worker
    assert taken(second) == ["a", "b"]
    assert list(second.bury(1, "")) == []
    fresh_worker(second)
    assert taken(second) == ["a", "b"]
    second.worker.jobs.clear()  # type: ignore[union-attr]
    second.put("a")
    assert second.bury(1, "no such GPU") == {"a": "no such GPU"}


def test_workers_are_started_for_what_the_others_leave() -> None:
    first, second, third = slots = crew(*map(action, "ab"), count=3)
    for one in slots:
        one.worker = None
    assert first.wants_a_worker
    fresh_worker(first)
    assert second.wants_a_worker
    fresh_worker(second)
    assert not third.wants_a_worker  # there is one for each
    first.loaded = True
    second.worker = None
    assert taken(first) == ["a", "b"]
    assert not second.wants_a_worker
