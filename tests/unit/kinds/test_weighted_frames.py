"""Weights and long prompts in a plan: what the task of a frame says, and what a user is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lorakit.facts.facts import Facts
from lorakit.facts.models.single_file_configs import tokenizer_folder
from lorakit.facts.models.tokens import TokenCounter
from lorakit.plan.states import Plan
from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.tasks.sheet import ContactSheetTask
from tests.support.planning import facts_for, plan_of

LONG = "a fox " * 50 + "and an owl"


@pytest.fixture(scope="module")
def counted() -> Facts:
    """A model whose tokens are counted."""
    return replace(facts_for(), counters={"studio": TokenCounter(tokenizer_folder(), 77)})


def planned(tmp_path: Path, facts: Facts, *sentences: str, top: str = "", scene: str = "") -> Plan:
    path = tmp_path / "board.yaml"
    told = "".join(f"      - {sentence}\n" for sentence in sentences)
    path.write_text(f"storyboard: 1\n{top}scenes:\n  - sentences:\n{told}{scene}")
    return plan_of(path, facts)


def frames(plan: Plan) -> list[FrameTask]:
    tasks = [planned.action.task for planned in plan.actions]
    return [task for task in tasks if isinstance(task, FrameTask)]


def test_only_what_needs_compel_is_encoded_by_it(tmp_path: Path, counted: Facts) -> None:
    """All other frames have the keys they had."""
    plan = planned(
        tmp_path, counted, "a fox", "a (red:1.3) fox", "a (blue:1) fox", "(at 10:30)", LONG
    )
    tasks = frames(plan)
    assert [task.encoded_by for task in tasks] == ["", "compel", "", "", "compel"]
    assert ["encoded_by" in task.key() for task in tasks] == [False, True, False, False, True]
    assert [task.prompt for task in tasks[:4]] == [
        "a fox",
        "a (red:1.3) fox",
        "a blue fox",
        "(at 10:30)",
    ]


def test_weights_of_what_shall_not_be_seen_count_where_it_has_a_say(
    tmp_path: Path, counted: Facts
) -> None:
    for scale, expected in (("5", "compel"), ("1", "")):
        look = f"look: {{guidance_scale: {scale}, negative_prompt: '(blurry:1.4)'}}\n"
        (task,) = frames(planned(tmp_path, counted, "a fox", top=look))
        assert task.encoded_by == expected


def test_readers_of_a_film_see_no_weights(tmp_path: Path, counted: Facts) -> None:
    scene = "    setting: in a (dark:1.2) forest\n"
    plan = planned(tmp_path, counted, "A (red:1.3) fox runs", scene=scene)
    (frame,) = [p.action for p in plan.actions if isinstance(p.action.task, FrameTask)]
    assert frame.id == "film/in_a_dark_forest/1"
    assert frame.label == "A red fox runs, in a dark forest"
    (sheet,) = [p.action.task for p in plan.actions if isinstance(p.action.task, ContactSheetTask)]
    assert "(" not in f"{sheet.key()}".replace("((", "")
    assert "A red fox runs" in f"{sheet.key()}"


def test_long_prompts_are_named_with_their_tokens_and_chunks(
    tmp_path: Path, counted: Facts
) -> None:
    scene = "    name: meadow\n"
    plan = planned(tmp_path, counted, "a fox", LONG, scene=scene)
    assert "over 77 tokens: meadow/2 (105 tokens, read in 2 chunks)" in plan.notes["film"]


def test_what_another_sentence_weighs_redraws_nothing(tmp_path: Path, counted: Facts) -> None:
    chain = "chain: {from: noise}\n"
    before, after = (
        planned(tmp_path, counted, "a fox", sentence, top=chain)
        for sentence in ("an owl", "an (owl:1.3)")
    )
    keys = [[p.key for p in plan.actions][:2] for plan in (before, after)]
    assert keys[0][0] == keys[1][0]
    assert keys[0][1] != keys[1][1]


def test_weights_go_into_a_workflow_and_other_parentheses_stay_words() -> None:
    from lorakit.doors.workflow import _literal

    assert _literal("a (red hat:1.3) (at 10:30)") == "a (red hat:1.3) \\(at 10:30\\)"
