"""What the checks let pass; what they refuse stands in the corpus."""

from __future__ import annotations

from pathlib import Path

import pytest

from lorakit.language import load
from lorakit.language.recipe import checks
from lorakit.language.story import checks as board_checks

HEAD = "storyboard: 1\ncharacters: {bunny: {anchor: a bunny, pronouns: he}}\n"
POSTERS = "  c: {kind: generate, prompts: [x]}\n"
TAIL = "  - {name: last, sentences: [The bunny]}\n"


@pytest.mark.parametrize(
    "text",
    [
        # a chain may begin from a later scene, as long as it does not go round
        "scenes:\n  - {name: a, start: 'scene:last', sentences: [The bunny]}\n",
        "scenes:\n  - {name: a, sentences: [x]}\n  - {start: previous-scene, sentences: [x]}\n",
        # a derived name may be started from
        "scenes:\n  - {setting: at night, sentences: [x]}\n  - {start: 'scene:at_night', sentences: [x]}\n",
        # a repeated frame has one before it, in its scene or through its start
        "scenes:\n  - {sentences: [x, {text: y, repeat: true}]}\n",
        "scenes:\n  - {sentences: [x]}\n  - {start: previous-scene, sentences: [{text: y, repeat: true}]}\n",
        # sizes in one spelling each, at two levels
        "look: {width: 64, height: 64}\nscenes:\n  - {look: {aspect: 16:9}, sentences: [x]}\n",
        "look: {width: 64}\nscenes:\n",
        # a crossfade may be as long as the hold
        "video: {hold: 0.5, transition: {kind: crossfade, seconds: 12f}}\nscenes:\n",
        # what one frame at least obeys
        "look: {guidance_scale: 1, negative_prompt: x}\nscenes:\n  - {sentences: [{text: y, guidance_scale: 3}]}\n",
        "chain: {from: noise, strength: 0.5}\nscenes:\n  - {sentences: [x]}\n  - {start: previous-scene, sentences: [y]}\n",
        "chain: {from: previous, anchor_weight: 0.2}\nscenes:\n  - {sentences: [x, y, z]}\n",
        "chain: {anchor_weight: 0}\nscenes:\n",
        "video: {hold: 1f}\nscenes:\n  - {sentences: [{text: x, hold: 1f}]}\n",
        # strength on frames that start from others
        "scenes:\n  - {sentences: [x, {text: y, strength: 0.5}]}\n",
    ],
)
def test_good_boards_pass_without_a_word(tmp_path: Path, text: str) -> None:
    path = tmp_path / "b.yaml"
    path.write_text(HEAD + text + TAIL)
    assert load(path).warnings == ()


@pytest.mark.parametrize(
    "text",
    [
        "recipe: 1\nsteps:\n  a: {kind: video, of: [b]}\n  b: {kind: generate, prompts: [x]}\n",
        "recipe: 1\nsteps:\n  a: {kind: video, of: [b]}\n  b: {kind: video, of: [c]}\n" + POSTERS,
        "recipe: 1\nsteps:\n  c: {kind: generate, prompts: [x], width: 64, height: 64}\n",
        "recipe: 1\nnotes: [a]\nx-mine: 3\nsteps:\n  c: {kind: generate, prompts: [x], x-y: 1, notes: z}\n",
    ],
)
def test_good_recipes_pass_without_a_word(tmp_path: Path, text: str) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(text)
    assert load(path).warnings == ()


def test_each_check_stands_in_the_table_once_and_says_what_it_is_for() -> None:
    for room, table in (
        (board_checks, board_checks.BOARD_CHECKS),
        (checks, checks.RECIPE_CHECKS),
    ):
        assert len(set(table)) == len(table)
        assert all(check.__doc__ for check in table)
        folder = Path(room.__file__).parent
        files = {path.stem for path in folder.glob("*.py")} - {"__init__"}
        assert {check.__module__.rsplit(".", 1)[-1] for check in table} == files
