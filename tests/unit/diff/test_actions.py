"""Two plans held against each other: what stays, moves, is drawn again or is gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from lorakit.diff.actions import compared
from lorakit.diff.report import Relation
from lorakit.plan.actions import Input
from lorakit.plan.states import Planned, State
from lorakit.plan.tasks.frame import FrameTask
from tests.support.shown_plans import frame


def drawn(scene: str, number: int, prompt: str) -> Planned:
    """A frame in which nothing depends on its number, and which hangs on nothing."""
    one = frame(scene, number, prompt, State.NEW)
    assert isinstance(one.action.task, FrameTask)
    task = replace(one.action.task, noise=1, seed=1, strength=1.0)
    return replace(one, action=replace(one.action, task=task, inputs=()))


def chain(*prompts: str, scene: str = "meadow") -> tuple[Planned, ...]:
    """Frames of which each starts from the one before."""
    made: list[Planned] = []
    for number, prompt in enumerate(prompts, 1):
        one = drawn(scene, number, prompt)
        inputs = (Input("start", made[-1].action.id, "latents"),) if made else ()
        made.append(replace(one, action=replace(one.action, inputs=inputs)))
    return tuple(made)


def loose(*prompts: str, scene: str = "meadow") -> tuple[Planned, ...]:
    return tuple(drawn(scene, n, prompt) for n, prompt in enumerate(prompts, 1))


def became(before: Sequence[Planned], after: Sequence[Planned]) -> dict[str, str]:
    return {
        c.action.id.removeprefix("film/"): c.relation.word
        + (f" {c.other}" if c.relation is Relation.MOVED else "")
        for c in compared(before, after)
    }


def test_what_starts_from_a_frame_that_is_drawn_again_is_drawn_again() -> None:
    found = became(chain("a", "b", "c"), chain("a", "x", "c"))
    assert found == {"meadow/1": "stays", "meadow/2": "drawn again", "meadow/3": "drawn again"}


def test_frames_that_hang_on_nothing_move_with_their_sentences() -> None:
    assert became(loose("a", "b", "c"), loose("a", "x", "b", "c")) == {
        "meadow/1": "stays",
        "meadow/2": "drawn again",
        "meadow/3": "moved film/meadow/2",
        "meadow/4": "moved film/meadow/3",
    }
    assert became(loose("a", "b"), loose("b")) == {"meadow/1": "moved film/meadow/2"}
    assert became(loose("a", "b"), loose("a")) == {"meadow/1": "stays", "meadow/2": "gone"}
    # two that were swapped
    assert set(became(loose("a", "b"), loose("b", "a")).values()) == {
        "moved film/meadow/2",
        "moved film/meadow/1",
    }


def test_a_frame_that_is_drawn_a_second_time_is_the_one_that_is_there() -> None:
    assert became(loose("a", "b"), loose("a", "b", "a")) == {
        "meadow/1": "stays",
        "meadow/2": "stays",
        "meadow/3": "moved film/meadow/1",
    }


def test_a_whole_chain_moves_and_a_part_of_another_does_not() -> None:
    assert became(chain("a", "b"), chain("a", "b", scene="mars")) == {
        "mars/1": "moved film/meadow/1",
        "mars/2": "moved film/meadow/2",
    }
    # "b" from another start is another frame
    assert became(chain("a", "b"), chain("x", "b")) == {
        "meadow/1": "drawn again",
        "meadow/2": "drawn again",
    }


@pytest.mark.slow
def test_thousands_that_hang_on_each_other_are_no_matter() -> None:
    words = [str(n) for n in range(3000)]
    found = became(chain(*words), chain("new", *words[1:]))
    assert set(found.values()) == {"drawn again"}
    assert set(became(chain(*words), chain(*words, scene="mars")).values()) == {
        f"moved film/meadow/{n}" for n in range(1, 3001)
    }
