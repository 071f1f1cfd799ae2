"""What users of the field's storyboard and animation tools complain of most: a test for each, by its number.

The numbers are those of docs/storyboards.md. Complaints whose test needs a part of lorakit by itself have it
beside that part's other tests, under the same name: `pytest -k story_complaint_06`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lorakit.plan.actions import Action
from lorakit.plan.tasks.frame import FrameTask
from tests.support.boards import board_text, write_project
from tests.support.planning import plan_of
from tests.support.runs import lorakit, lorakit_alone, run
from tests.support.tiny_controls import draw_shape

TESTS = Path(__file__).parents[1]
DOCS = TESTS.parent / "docs" / "storyboards.md"
LINES = ["a fox finds a key", "an owl looks at a door", "a robot rides a rocket"]


def frames_of(path: Path) -> list[Action]:
    actions = [planned.action for planned in plan_of(path).actions]
    return [action for action in actions if isinstance(action.task, FrameTask)]


def tasks_of(path: Path) -> list[FrameTask]:
    return [frame.task for frame in frames_of(path) if isinstance(frame.task, FrameTask)]


def board(folder: Path, lines: list[str], head: str = "") -> Path:
    path = folder / "board.yaml"
    told = "".join(f"      - {line}\n" for line in lines)
    path.write_text(f"storyboard: 1\n{head}scenes:\n  - name: one\n    sentences:\n{told}")
    return path


def test_story_complaint_01_the_cache_outlives_its_process(home: Path) -> None:
    write_project(home, board_text([("one", LINES[:2])], steps=2))
    ran = run(home)
    assert ran.code == 0, ran.errors
    told = lorakit_alone(home, "plan", "--json")
    states = {a["state"] for a in json.loads(told.stdout)["actions"]}
    assert states == {"cached"}, told.stdout


def test_story_complaint_04_what_gives_no_seed_is_drawn_the_same_again(tmp_path: Path) -> None:
    path = board(tmp_path, LINES)
    first, again = tasks_of(path), tasks_of(path)
    assert [task.noise for task in first] == [task.noise for task in again]
    assert [task.key() for task in first] == [task.key() for task in again]
    # nor does a title, a comment or a sentence elsewhere change it
    other = board(tmp_path, [*LINES, "an alien sleeps"], "# mine\ntitle: Another\n")
    assert [task.key() for task in tasks_of(other)][:3] == [task.key() for task in first]


@pytest.mark.parametrize("chain", ["previous", "anchor"])
def test_story_complaint_08_chains_go_through_no_autoencoder(home: Path, chain: str) -> None:
    text = board_text([("one", LINES)], chain=f"{{from: {chain}, strength: 0.5}}", video="")
    write_project(home, text)
    ran = run(home)
    assert ran.code == 0, ran.errors
    assert ran.calls["vae_decoder"] == 3
    assert ran.calls.get("vae_encoder", 0) == 0


def test_story_complaint_09_each_step_of_a_chain_has_noise_of_its_own(tmp_path: Path) -> None:
    lines = ["a fox sits", "a fox stands", "a fox runs", "a fox sleeps"]
    path = board(tmp_path, lines, "chain: {from: previous, strength: 0.5}\n")
    noises = [task.noise for task in tasks_of(path)]
    assert len(set(noises)) == 4
    # and keeps it, whatever its words come to be
    path = board(
        tmp_path, [*lines[:3], "an owl sleeps"], "chain: {from: previous, strength: 0.5}\n"
    )
    assert [task.noise for task in tasks_of(path)] == noises


def test_story_complaint_11_what_falls_off_a_prompt_is_told_before_it_is_drawn(home: Path) -> None:
    words = "a fox with a golden crown and a red coat and a blue hat sees a very old castle " * 5
    write_project(home, board_text([("one", [words, LINES[0]])], video=""))
    told = lorakit(home, "plan")
    assert told.returncode == 0, told.stderr
    assert re.search(r"over 77 tokens: one/1 \([0-9]+ tokens, read in [23] chunks\)", told.stdout)
    write_project(home, board_text([("one", [words * 3, LINES[0]])], video=""))
    told = lorakit(home, "validate")
    assert told.returncode == 3
    assert "error[prompt-too-long]" in told.stderr
    assert "would fall off" in told.stderr


def test_story_complaint_12_several_characters_are_each_shown_to_their_frames(
    home: Path,
) -> None:
    draw_shape(home / "art" / "fox.png")
    (home / "recipe.yaml").write_text(
        "recipe: 1\nmodels: {m: {from: tiny, dtype: fp32}}\n"
        "steps: {film: {kind: storyboard, storyboard: board.yaml, model: m}}\n"
    )
    head = (
        "chain: {from: noise, mask: character}\ncharacters:\n"
        "  fox: {anchor: a red fox, reference: art/fox.png}\n"
        "  owl: {anchor: an old owl, reference: 'scene:one/1'}\n"
    )
    board(home, ["The owl sits", "The fox sits", "The fox meets the owl", "A hat"], head)
    told = json.loads(lorakit(home, "plan", "recipe.yaml", "--json").stdout)
    inputs = {a["id"]: [i["action"] for i in a["inputs"]] for a in told["actions"]}
    fox = inputs["film/one/2"]
    assert len(fox) == 1
    assert inputs["film/one/3"] == [*fox, "film/one/1"]
    assert inputs["film/one/1"] == inputs["film/one/4"] == []


def test_every_story_complaint_has_a_test_that_the_documentation_names() -> None:
    written: dict[int, set[str]] = {}
    for file in sorted(TESTS.rglob("test_*.py")):
        found = re.findall(
            r"^def test_story_complaint_([0-9]{2})_", file.read_text("utf-8"), re.MULTILINE
        )
        for number in found:
            written.setdefault(int(number), set()).add(file.name)
    assert sorted(written) == list(range(1, 17))
    rows = re.findall(r"^\| ([0-9]+) \|.*\| ([^|]*) \|$", DOCS.read_text("utf-8"), re.MULTILINE)
    named = {int(number): set(re.findall(r"`([a-z0-9_]+[.]py)`", files)) for number, files in rows}
    assert named == written
