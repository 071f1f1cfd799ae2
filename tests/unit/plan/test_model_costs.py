"""What a plan says of a model's disk, memory and doubts, before anything is fetched or loaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import lorakit
from lorakit.facts.machine.this_machine import Machine
from tests.support.planning import facts_for, plan_of


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


def board(folder: Path, model: str) -> Path:
    recipe = folder / "recipe.yaml"
    recipe.write_text(
        f"recipe: 1\nmodels: {{m: {{from: '{model}'}}}}\n"
        "steps: {draw: {kind: generate, model: m, prompts: [a fox]}}\n"
    )
    return recipe


@pytest.mark.parametrize(
    ("model", "gigabytes"),
    [
        ("hub:CompVis/stable-diffusion-v1-4", 4.27),
        ("hub:stable-diffusion-v1-5/stable-diffusion-v1-5", 4.27),
        ("hub:stabilityai/stable-diffusion-xl-base-1.0", 13.88),
    ],
)
def test_what_is_to_be_downloaded_is_disk_that_the_plan_names(
    tmp_path: Path, model: str, gigabytes: float
) -> None:
    """The one form of its weights that is fetched, and not all of the repository."""
    plan = lorakit.load(board(tmp_path, model)).plan()
    assert plan.estimate.disk / 1e9 == pytest.approx(gigabytes, abs=0.02)


def test_a_model_of_unknown_size_is_said_to_be_one(tmp_path: Path) -> None:
    plan = lorakit.load(board(tmp_path, "hub:someone/never-heard-of")).plan()
    assert any("not known before a run" in warning.message for warning in plan.warnings)


def test_a_download_that_does_not_fit_is_warned_of(tmp_path: Path) -> None:
    facts = facts_for()
    models = {"m": replace(facts.models["studio"], name="m", digest=None, download_bytes=10**12)}
    plan = plan_of(
        board(tmp_path, "hub:someone/huge"), replace(facts, models=models, free_disk=10**9)
    )
    assert [w.code for w in plan.warnings] == ["disk"]


def test_what_is_only_assumed_of_a_model_is_said(tmp_path: Path) -> None:
    facts = facts_for()
    models = {
        "m": replace(facts.models["studio"], name="m", remarks=("taken for a distilled model",))
    }
    plan = plan_of(board(tmp_path, "lorakit:studio"), replace(facts, models=models))
    (warning,) = plan.warnings
    assert warning.message == "lorakit:studio: taken for a distilled model"


TRAINED = """\
recipe: 1
models: {m: {from: 'lorakit:studio', dtype: fp32}}
datasets: {images: {images: data}}
steps:
  draw: {kind: generate, model: m, prompts: [a fox]%s}
  style: {kind: train-image, model: m, data: images}
"""


def test_what_may_run_at_once_is_added_up_and_what_takes_turns_is_not(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    (tmp_path / "data").mkdir()
    facts = facts_for()
    facts = replace(facts, models={"m": replace(facts.models["studio"], name="m")})

    def memory(more: str, device: str = "cpu") -> int:
        recipe.write_text(TRAINED % more)
        here = Machine(device, f"{device}-test", "it", fast_bf16=False)
        return plan_of(recipe, replace(facts, machine=here)).estimate.memory

    apart = memory(", adapters: {style: 1.0}")
    assert memory("") > 1.4 * apart
    assert memory("", "cuda") < memory("")
