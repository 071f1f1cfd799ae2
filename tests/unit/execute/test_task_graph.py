"""The runner's bookkeeping: what waits, what becomes free, what fails with what."""

from __future__ import annotations

from dataclasses import replace

from lorakit.execute.task_graph import TaskGraph
from lorakit.plan.actions import Action, Input
from lorakit.plan.states import Estimate, Plan, Planned, State
from lorakit.store.store import Output
from tests.support.actions import frame_action

MADE = {"latents": Output("x", 1), "picture": Output("y", 1)}


def action(id_: str, *needs: str, output: str = "latents") -> Action:
    inputs = tuple(Input(f"role_{n}", need, output) for n, need in enumerate(needs))
    return frame_action(id_, inputs)


def graph(*actions: Action, held: tuple[str, ...] = (), state: State = State.NEW) -> TaskGraph:
    planned = tuple(Planned(a, State.HELD if a.id in held else state) for a in actions)
    return TaskGraph(Plan("test", planned, (), Estimate(0, 0, 0, measured=False)))


def chain() -> TaskGraph:
    return graph(
        action("a"), action("b", "a"), action("c", "b"), action("d", "a", "c"), action("e")
    )


def test_what_waits_for_nothing_comes_first() -> None:
    assert chain().first() == ["a", "e"]


def test_settling_sets_free_what_waited_for_it_alone() -> None:
    book = chain()
    assert book.settle("a", MADE, "made") == ["b"]
    assert book.settle("b", MADE, "cached") == ["c"]
    assert book.settle("c", MADE, "made") == ["d"]
    assert book.inputs("d") == {"role_0": MADE["latents"], "role_1": MADE["latents"]}
    assert not book.over
    book.settle("d", MADE, "made")
    book.settle("e", MADE, "made")
    assert book.over
    assert book.count == {"made": 4, "cached": 1, "skipped": 0}


def test_a_failure_skips_all_behind_it_once() -> None:
    book = chain()
    skipped, free = book.fail("a")
    assert sorted(skipped) == ["b", "c", "d"]
    assert free == []
    book.settle("e", MADE, "made")
    assert book.over
    assert book.count == {"failed": 1, "skipped": 3, "made": 1}


def test_equal_keys_are_made_once() -> None:
    book = chain()
    assert book.claim("a", "key")
    assert not book.claim("e", "key")
    assert book.twins("a") == ["e"]
    assert book.twins("a") == []
    book.settle("a", MADE, "made")
    assert book.claim("c", "key")  # the first is over; the store is asked before


def test_held_actions_count_as_over_and_wake_nobody() -> None:
    book = graph(action("a"), action("b", "a"), action("c"), held=("b", "c"))
    assert book.first() == ["a"]
    assert book.settle("a", MADE, "made") == []
    assert book.over


def test_what_will_be_opened_is_only_what_is_to_be_made() -> None:
    assert graph(action("a"), action("b", "a")).opened_behind("a") == {"latents"}
    assert graph(action("a"), action("b", "a"), state=State.CACHED).opened_behind("a") == set()


def test_what_can_do_without_a_failed_input_is_made_without_it() -> None:
    table = action("table", "b", "c", "e")
    table = replace(table, inputs=tuple(replace(i, optional=True) for i in table.inputs))
    book = graph(action("a"), action("b", "a"), action("c"), table, action("e"))
    book.settle("c", MADE, "made")
    assert book.settle("e", MADE, "made") == []
    assert book.fail("a") == (["b"], ["table"])
    assert book.inputs("table") == {"role_1": MADE["latents"], "role_2": MADE["latents"]}
    assert not book.over
    book.settle("table", MADE, "made")
    assert book.over
