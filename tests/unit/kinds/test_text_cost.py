"""What a training of texts is expected to take."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lorakit.execute.estimates import Estimates
from lorakit.facts.texts.text_lengths import TextLengths
from lorakit.plan import numbers
from lorakit.plan.estimate import memory_name
from lorakit.plan.memory import way_out
from tests.support.actions import TEXTS, TRAIN
from tests.support.planning import facts_for, plan_of

RECIPE = """\
recipe: 1
models: {reader: {from: "lorakit:minilm"}}
datasets: {texts: {texts: "lorakit:movie-snippets"}}
steps:
  judge: {kind: train-text, model: reader, data: texts, method: METHOD, train: {batch_size: 32, precision: fp32MORE}}
"""
MINILM = {
    "model_type": "bert",
    "hidden_size": 384,
    "intermediate_size": 1536,
    "num_hidden_layers": 6,
    "num_attention_heads": 12,
    "vocab_size": 30522,
    "max_position_embeddings": 512,
}


def planned(folder: Path, method: str = "full", more: str = "", **data: object):
    facts = facts_for()
    reader = replace(facts.text_models["reader"], config=MINILM)
    texts = replace(facts.data["texts"], **data)
    facts = replace(
        facts,
        text_models={**facts.text_models, "reader": reader},
        data={**facts.data, "texts": texts},
    )
    path = folder / "recipe.yaml"
    path.write_text(RECIPE.replace("METHOD", method).replace("MORE", more))
    return path, facts


def memory(folder: Path, method: str = "full", more: str = "", **data: object) -> int:
    path, facts = planned(folder, method, more, **data)
    return plan_of(path, facts).estimate.memory


def test_the_longest_texts_decide(tmp_path: Path) -> None:
    assert memory(tmp_path, longest=400) - memory(tmp_path, longest=100) > 200 << 20
    assert memory(tmp_path, longest=9000) == memory(tmp_path, longest=99000)  # cut at max_length


def test_counted_tokens_are_better_than_characters_and_a_short_run_meets_shorter_texts(
    tmp_path: Path,
) -> None:
    path, facts = planned(tmp_path, longest=9000, train=1000)
    plain = plan_of(path, facts).estimate.memory
    lengths = TextLengths(1000, (90, *[60] * 99), tuple([60] * 50 + [20] * 50))
    facts = replace(facts, lengths={("reader", "texts"): lengths})
    whole = plan_of(path, facts).estimate.memory
    assert whole < plain  # which reckons with max_length
    path.write_text(
        path.read_text().replace("batch_size: 32", "batch_size: 32, max_train_steps: 2")
    )
    assert plan_of(path, facts).estimate.memory < whole


def test_what_an_optimizer_keeps_is_counted(tmp_path: Path) -> None:
    plain = memory(tmp_path, more=", optimizer: sgd")
    weights = 22_713_986  # with a head of two labels
    for name, kept in (("adamw", 8), ("lion", 4), ("prodigy", 16)):
        found = memory(tmp_path, more=f", optimizer: {name}") - plain
        assert found == pytest.approx(kept * weights, rel=0.02), name
    assert memory(tmp_path, "lora") < memory(tmp_path)


def test_checkpoints_are_counted_while_they_are_there(tmp_path: Path) -> None:
    path, facts = planned(tmp_path)
    adamw = plan_of(path, facts).estimate.disk
    path.write_text(path.read_text().replace("batch_size: 32", "batch_size: 32, optimizer: sgd"))
    more = adamw - plan_of(path, facts).estimate.disk
    assert more == pytest.approx(3 * 8 * 22_713_986, rel=0.001)


def test_what_saves_memory_is_expected_to(tmp_path: Path) -> None:
    whole = memory(tmp_path, longest=400)
    assert memory(tmp_path, more=", gradient_checkpointing: true", longest=400) < whole - (
        200 << 20
    )


def test_below_the_lowest_adapter_nothing_is_kept(tmp_path: Path) -> None:
    lower = "}, lora: {target_modules: '.*query'"
    upper = "}, lora: {target_modules: '.*layer.5.*query'"
    assert memory(tmp_path, "lora", upper, longest=400) < memory(
        tmp_path, "lora", lower, longest=400
    ) - (200 << 20)


def test_what_a_training_took_here_is_what_the_next_like_it_is_expected_to_take(
    tmp_path: Path,
) -> None:
    path, facts = planned(tmp_path)
    action = plan_of(path, facts).actions[0].action
    counted = plan_of(path, facts).estimate.memory
    known = replace(facts, timings={memory_name(action): 1.25})
    assert plan_of(path, known).estimate.memory == pytest.approx(1.25 * counted)


def test_complaint_09_what_does_not_fit_is_said_before_with_the_keys_to_change(
    tmp_path: Path,
) -> None:
    path, facts = planned(tmp_path)
    reader = replace(facts.text_models["reader"], config={**MINILM, "hidden_size": 600_000})
    plan = plan_of(path, replace(facts, text_models={**facts.text_models, "reader": reader}))
    (warning,) = [one for one in plan.warnings if one.code == "memory"]
    # the very figure that stands at the plan's end
    figure = numbers.size(plan.estimate.memory)
    assert warning.message.startswith(f"judge needs about {figure} of memory, and the CPU has ")
    assert warning.message.endswith(numbers.size(facts.machine.memory))
    assert "write batch_size: 16 and gradient_accumulation_steps: 2," in warning.hints[0]
    assert warning.hints[1].startswith("gradient_checkpointing: true, a shorter max_length, ")
    assert not [one for one in plan_of(*planned(tmp_path)).warnings if one.code == "memory"]


def test_a_plan_says_on_how_many_texts_a_training_is_measured(tmp_path: Path) -> None:
    training = plan_of(*planned(tmp_path)).actions[0].action
    assert "measured on 20 texts that it does not see" in training.notes


def test_processes_on_one_cpu_take_its_memory_together(tmp_path: Path) -> None:
    one = memory(tmp_path)
    path, facts = planned(tmp_path, more="}, resources: {processes: 2")
    plan = plan_of(path, facts)
    training = next(p.action for p in plan.actions if p.action.id == "judge/training")
    assert plan.estimate.memory == 2 * training.cost.memory
    # each has half of a batch, and all of the weights
    assert one < plan.estimate.memory < 2 * one
    found = Estimates({})
    found.note(training, {"memory": 5e8})
    assert found.memory == 1e9
    assert found.expected_memory == plan.estimate.memory


@pytest.mark.parametrize(
    ("train", "method", "words"),
    [
        ({"batch_size": 8, "gradient_accumulation_steps": 2}, "lora", "batch_size: 4 and gradient_accumulation_steps: 4,"),
        ({"batch_size": 5}, "lora", "batch_size: 1 and gradient_accumulation_steps: 5,"),
        ({"batch_size": 9}, "lora", "batch_size: 3 and gradient_accumulation_steps: 3,"),
        ({"batch_size": 1}, "lora", "train.gradient_checkpointing: true"),
        ({"batch_size": 1, "gradient_checkpointing": True}, "lora", "a shorter max_length, a LoRA of lower rank"),
        ({"batch_size": 1, "gradient_checkpointing": True}, "full", "a shorter max_length, method: lora"),
    ],
)  # fmt: skip
def test_the_way_out_leaves_a_step_its_samples(
    train: dict[str, object], method: str, words: str
) -> None:
    task = replace(TEXTS, method=method, train=replace(TRAIN, **train))
    assert words in way_out(task)


def test_a_disk_that_will_not_do_is_warned_of_before_the_run(tmp_path: Path) -> None:
    path, facts = planned(tmp_path)
    plan = plan_of(path, facts)
    assert not [one for one in plan.warnings if one.code == "disk"]
    short = plan_of(path, replace(facts, free_disk=plan.estimate.disk - 1))
    (warning,) = (one for one in short.warnings if one.code == "disk")
    assert numbers.size(plan.estimate.disk) in warning.message
