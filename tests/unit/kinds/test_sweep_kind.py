"""How a sweep, its best and a comparison of pictures are planned, without a model."""

from __future__ import annotations

import io
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from lorakit.facts.facts import Facts
from lorakit.plan.actions import Action
from lorakit.plan.states import Plan
from lorakit.ui.plan_view import show_plan
from lorakit.ui.progress import Progress
from tests.support.planning import Memory, facts_for, plan_of

RANKS: dict[str, Any] = {
    "kind": "sweep",
    "of": {"kind": "train-image", "model": "tiny", "data": "images"},
    "over": {"lora.rank": [2, 4]},
    "best": {"metric": "fixed_loss", "mode": "min"},
}


def planned(folder: Path, memory: Memory | None = None, **steps: Any) -> Plan:
    recipe = {
        "recipe": 1,
        "models": {"tiny": {"from": "lorakit:studio"}, "reader": {"from": "lorakit:minilm"}},
        "datasets": {"images": {"images": "lorakit:hologram"}},
        "steps": steps,
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False))
    return plan_of(folder / "recipe.yaml", facts_for(("tiny",)), memory)


def actions(plan: Plan) -> dict[str, Action]:
    return {one.action.id: one.action for one in plan.actions}


def test_members_fold_under_their_sweep_and_fail_alone(tmp_path: Path) -> None:
    found = actions(planned(tmp_path, ranks=RANKS))
    for rank in (2, 4):
        training = found[f"ranks/rank={rank}/training"]
        assert (training.step, training.group, training.alone) == ("ranks", f"rank={rank}", True)
        assert training.task.key()["lora"]["rank"] == rank
    assert not found["ranks/table"].alone
    assert all(i.optional for i in found["ranks/table"].inputs)
    assert found["ranks/contact-sheet"].inputs[0].output == "curve"


def test_what_wears_the_best_waits_for_it_and_for_no_member(tmp_path: Path) -> None:
    styled = {
        "kind": "generate",
        "model": "tiny",
        "prompts": ["a fox"],
        "adapters": {"ranks.best": 0.8},
    }
    plan = planned(tmp_path, styled=styled, ranks=RANKS)
    found = actions(plan)
    worn = [i for i in found["styled/1"].inputs if i.output == "adapter"]
    assert [i.action for i in worn] == ["ranks/best"]
    best = found["ranks/best"]
    assert {i.output for i in best.inputs} >= {"adapter", "metrics"}
    assert best.files["adapter"][0] == "ranks/best/pytorch_lora_weights.safetensors"
    # two trainings, whatever each of them hands on
    reasons = {one.action.id: one.reason for one in plan.actions}
    assert reasons["ranks/best"] == "for ranks/rank=2/training and 1 more"
    order = [one.action.id for one in plan.actions]
    assert order.index("ranks/best") < order.index("styled/1")


def test_the_best_of_loras_and_lohas_is_named_after_neither_format(tmp_path: Path) -> None:
    kinds = {**RANKS, "over": {"lora.peft_type": ["lora", "loha"]}}
    styled = {
        "kind": "generate",
        "model": "tiny",
        "prompts": ["a fox"],
        "adapters": {"kinds.best": 1},
    }
    found = actions(planned(tmp_path, kinds=kinds, styled=styled))
    best = found["kinds/best"]
    assert best.files["adapter"] == ("kinds/best/adapter.safetensors",)
    assert "config" not in best.files  # a LoHa's stands in its header, too
    assert [i.action for i in found["styled/1"].inputs] == ["kinds/best"]


def test_equal_members_have_equal_keys_wherever_they_stand(tmp_path: Path) -> None:
    posters = {"kind": "generate", "model": "tiny", "prompts": ["a fox"], "guidance_scale": 4}
    many = {"kind": "sweep", "of": "posters", "over": {"guidance_scale": [2, 4]}}
    keys = {p.action.id: p.key for p in planned(tmp_path, posters=posters, many=many).actions}
    assert keys["posters/1"] == keys["many/guidance_scale=4/1"]
    assert keys["posters/1"] != keys["many/guidance_scale=2/1"]


def test_a_new_value_leaves_the_other_members_as_they_were(tmp_path: Path) -> None:
    memory = Memory()
    memory.make_all(planned(tmp_path, memory, ranks=RANKS))
    more = planned(tmp_path, memory, ranks={**RANKS, "over": {"lora.rank": [2, 4, 8]}})
    new = {p.action.id for p in more.to_make}
    assert {id_ for id_ in new if id_.endswith("/training")} == {"ranks/rank=8/training"}
    assert "ranks/table" in new


def test_pictures_are_compared_in_a_column_each(tmp_path: Path) -> None:
    def step(guidance: float, prompts: list[str]) -> dict[str, Any]:
        return {"kind": "generate", "model": "tiny", "prompts": prompts, "guidance_scale": guidance}

    plan = planned(
        tmp_path,
        few=step(2, ["a fox"]),
        many=step(4, ["a fox", "an owl"]),
        both={"kind": "compare", "of": ["few", "many"]},
    )
    sheet = actions(plan)["both/side-by-side"]
    assert sheet.task.key()["of"] == ["few", "many"]
    assert sheet.task.key()["captions"] == ["a fox", "an owl"]
    assert [len(column) for column in sheet.task.key()["pictures"]] == [1, 2]
    assert sheet.files == {"sheet": ("both/side_by_side.png",)}


@pytest.mark.slow
def test_planning_is_linear_in_the_members(tmp_path: Path) -> None:
    def seconds(count: int) -> float:
        posters = {"kind": "generate", "model": "tiny", "prompts": ["a fox"] * 4}
        many = {"kind": "sweep", "of": posters, "seeds": list(range(count))}
        began = time.process_time()
        plan = planned(tmp_path, many=many)
        assert len(plan.actions) == 5 * count + 2
        return time.process_time() - began

    seconds(10)
    few, most = seconds(100), seconds(1000)
    assert most < 30 * few  # ten times as many; quadratic would be a hundred


def test_a_plan_folds_members_and_a_run_has_a_row_for_each(tmp_path: Path) -> None:
    posters = {"kind": "generate", "model": "tiny", "prompts": ["a fox", "an owl"]}
    many = {"kind": "sweep", "of": posters, "over": {"guidance_scale": [2, 4]}}
    plan = planned(tmp_path, many=many)
    written = io.StringIO()
    show_plan(plan, Console(file=written, width=120))
    told = written.getvalue().splitlines()
    assert told[0] == "many"
    assert "+ guidance_scale=2  3 actions: 2 new, 1 waits" in told[1]
    assert "+ guidance_scale=4  3 actions: 2 new, 1 waits" in told[2]
    unfolded = io.StringIO()
    show_plan(plan, Console(file=unfolded, width=120), frames=True)
    assert unfolded.getvalue().count("guidance 2.0") == 2
    rows = Progress(plan).rows
    assert [(row.title, row.thing, row.total) for row in rows[:2]] == [
        ("guidance_scale=2", "action", 3),
        ("guidance_scale=4", "action", 3),
    ]


def test_words_that_a_worn_adapter_learned_are_known(tmp_path: Path) -> None:
    def step(**more: Any) -> dict[str, Any]:
        prompts = ["a hologram of a fox"]
        return {"kind": "generate", "model": "tiny", "prompts": prompts, **more}

    steps = {"ranks": RANKS, "plain": step(), "worn": step(adapters={"ranks.best": 1})}
    planned(tmp_path, **steps)
    facts = facts_for(("tiny",), vocabulary=frozenset({"a", "of", "fox"}))

    def unknown_words(known: Facts) -> int:
        warnings = plan_of(tmp_path / "recipe.yaml", known).warnings
        return sum("has never seen: hologram" in warning.message for warning in warnings)

    assert unknown_words(facts) == 2
    picture = replace(facts.pictures["images"].pictures[0], caption="a fox, a hologram")
    learnt = replace(facts.pictures["images"], pictures=(picture,))
    known = replace(facts, pictures={"images": learnt})
    assert unknown_words(known) == 1  # of what wears nothing
    # beside what wears it, it has its words on purpose
    planned(tmp_path, **steps, both={"kind": "compare", "of": ["plain", "worn"]})
    assert unknown_words(known) == 0
    over = [{"adapters": {"ranks.best": 1}}, {"guidance_scale": 2}]
    planned(tmp_path, ranks=RANKS, ways={"kind": "sweep", "of": step(), "over": over})
    assert unknown_words(known) == 0
    planned(tmp_path, ranks=RANKS, ways={"kind": "sweep", "of": step(), "over": over[1:]})
    assert unknown_words(known) == 1
