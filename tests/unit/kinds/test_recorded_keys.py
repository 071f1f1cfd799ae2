"""What decides each result of the shipped recipes: a key that moves unasked makes everybody's store useless.

Where it is meant to move, `python -m tests.unit.kinds.test_recorded_keys` writes the file anew.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

import lorakit
from lorakit import resources
from lorakit.facts.sounds.voices import Voice, voices_asked
from lorakit.kinds import kind_of
from lorakit.plan import planner
from lorakit.plan.keys import action_key
from lorakit.plan.states import Plan
from tests.support.planning import MACHINE, Memory, facts_for, plan_of
from tests.unit.kinds.test_affects import BOARD, RECIPE

FILE = Path(__file__).with_name("recorded_keys.json")
HERE = Path(__file__).parents[3]
RECIPES = sorted(path.name for path in (HERE / "recipes").glob("*.yaml"))


def shipped(home: Path, recipe: str) -> Plan:
    """The plan of a shipped recipe on a machine that is always the same, with an empty store."""
    for folder in ("recipes", "storyboards", "data"):
        shutil.copytree(resources.path(folder), home / folder, dirs_exist_ok=True)
    (home / ".lorakit").mkdir(exist_ok=True)
    session = lorakit.load(home / "recipes" / recipe)
    # whoever speaks on this machine, if anybody does
    voices = {one.name: Voice("espeak-ng", ("espeak-ng",)) for one in voices_asked(session.project)}
    facts = replace(session.facts(), machine=MACHINE, voices=voices)
    return planner.plan(session.project, facts, kind_of, Memory(), {})


def every_kind(home: Path) -> Plan:
    """A recipe with a step of each kind."""
    (home / "board.yaml").write_text(yaml.safe_dump(BOARD, sort_keys=False))
    (home / "recipe.yaml").write_text(yaml.safe_dump(RECIPE, sort_keys=False))
    return plan_of(home / "recipe.yaml", facts_for(("tiny", "other")))


def keys(plan: Plan) -> dict[str, str]:
    """Of each action what decides it but for the contents of its inputs, and what it is made with."""
    found = {}
    for action in (planned.action for planned in plan.actions):
        inputs = {source.role: f"{source.action} {source.output}" for source in action.inputs}
        found[action.id] = f"{action_key(action, inputs)[:12]} {action.engine.id[:12]}"
    return found


@pytest.mark.parametrize("recipe", [*RECIPES, "every kind"])
def test_keys_stay(recipe: str, tmp_path: Path) -> None:
    plan = every_kind(tmp_path) if recipe == "every kind" else shipped(tmp_path, recipe)
    assert keys(plan) == json.loads(FILE.read_text("utf-8"))[recipe]


def record() -> None:
    """Write down the keys as they are."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    found = {}
    for recipe in [*RECIPES, "every kind"]:
        with tempfile.TemporaryDirectory() as home:
            plan = every_kind(Path(home)) if recipe == "every kind" else shipped(Path(home), recipe)
            found[recipe] = keys(plan)
    FILE.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    record()
