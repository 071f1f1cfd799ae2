"""A comparison on a terminal: words that differ in red and green, and readable without either."""

from __future__ import annotations

import pytest

from lorakit.diagnostics import Diagnostic, Place
from lorakit.diff.actions import compared
from lorakit.diff.report import Comparison, DocumentDiff, Side, ValueChange
from lorakit.plan.states import State
from lorakit.ui.diff_json import comparison_as_json
from lorakit.ui.diff_markdown import comparison_as_markdown
from lorakit.ui.diff_view import show_comparison
from tests.support.shown_plans import board


def comparison(*documents: DocumentDiff) -> Comparison:
    return Comparison("HEAD", "the working tree", documents, notes=("x is \u202enot in git",))


def document(**more) -> DocumentDiff:
    values = (
        ValueChange(
            ("scenes", "meadow", "sentences", "2"),
            "a golden key",
            "a silver key",
            Place("board.yaml", 12, 9),
            Place("HEAD:board.yaml", 12, 9),
            prose=True,
        ),
        ValueChange(("video", "fps"), "24", "12", Place("board.yaml", 40, 8)),
        ValueChange(("seed",), "7", None, None, Place("HEAD:recipe.yaml", 2, 1)),
        ValueChange(("name",), None, "\x1b[31mfilm", Place("recipe.yaml", 3, 1)),
    )
    sides = {
        "before": Side("HEAD", "recipe.yaml", planned=True),
        "after": Side("the working tree", "recipe.yaml", planned=True),
    }
    return DocumentDiff("recipe.yaml", **{**sides, "values": values, **more})


def shown(console, *documents, **options) -> str:
    out = console(**options)
    show_comparison(comparison(*documents), out)
    return out.file.getvalue()


def test_words_are_red_and_green_on_a_terminal(console):
    text = shown(console, document(), terminal=True, width=200)
    assert "\x1b[31m[-golden-]\x1b[0m\x1b[32m{+silver+}\x1b[0m" in text
    assert "\x1b[31m24\x1b[0m\x1b[2m -> \x1b[0m\x1b[32m12\x1b[0m" in text


def test_and_readable_without(console):
    assert shown(console, document()) == (
        "HEAD against the working tree\n\nrecipe.yaml\n"
        "  ~ scenes.meadow.sentences.2: a [-golden-]{+silver+} key  (board.yaml:12:9)\n"
        "  ~ video.fps: 24 -> 12  (board.yaml:40:8)\n"
        "  - seed: 7  (HEAD:recipe.yaml:2:1)\n"
        "  + name: \\u001b[31mfilm  (recipe.yaml:3:1)\n"
        "\nnote: x is \\u202enot in git\n1 document\n"
    )


def test_scenes_that_stay_are_named_in_one_line(console):
    plan = board([("meadow", 3), ("mars", 2)], state=State.CACHED)
    actions = compared(plan.actions, plan.actions)
    text = shown(console, document(values=(), actions=actions))
    assert "5 frames, 1 contact sheet, 1 film stay" in text
    assert "nothing to make" in text
    assert "mars" not in text  # nothing changes: no step is worth a line


@pytest.mark.parametrize("side", ["before", "after"])
def test_what_is_wrong_with_a_side_is_told_with_its_place(console, side):
    place = Place("HEAD:board.yaml", 7, 3)
    found = Diagnostic(
        "yaml-syntax", "a value is missing", place, "  - name: meadow", ("write it",)
    )
    broken = {side: Side(side, "recipe.yaml", problems=(found,))}
    one = document(values=(), **broken)
    text = shown(console, one)
    assert f"  {side} cannot be planned:\n" in text
    assert "  HEAD:board.yaml:7:3: error[yaml-syntax]: a value is missing\n" in text
    assert "    = write it\n" in text
    assert text.endswith("1 document, 1 of which cannot be planned\n") is (side == "after")
    data = comparison_as_json(comparison(one))["documents"][0]
    assert data[side]["problems"][0]["line"] == 7
    assert "HEAD:board.yaml:7:3: error" in comparison_as_markdown(comparison(one))
