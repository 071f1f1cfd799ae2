"""A film that waits for its frames, edited and made larger ones among them: who approves a frame lets it go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from lorakit.language.story.decisions import Approval, Decisions, FrameName, file_of, written
from lorakit.plan.states import Plan, State
from tests.support.planning import Memory, facts_for, plan_of

DRAWN = ("frame", "gate", "score", "pick", "contact-sheet")
EDIT = {"mask": "mask.png", "prompt": "a robot"}


def planned(folder: Path, memory: Memory, edit: dict[str, Any], **more: Any) -> Plan:
    """Two frames, of which the second is edited."""
    board = {
        "storyboard": 1,
        **more,
        "scenes": [{"name": "meadow", "sentences": ["A fox", {"text": "An owl", "edit": edit}]}],
        "video": {"fps": 10, "hold": 1, "needs": "approved"},
    }
    recipe = {
        "recipe": 1,
        "models": {"studio": {"from": "lorakit:studio"}},
        "steps": {"film": {"kind": "storyboard", "storyboard": "board.yaml"}},
    }
    (folder / "mask.png").touch()
    (folder / "board.yaml").write_text(yaml.safe_dump(board, sort_keys=False))
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False))
    return plan_of(folder / "recipe.yaml", facts_for(("studio",)), memory)


def asked_for(plan: Plan) -> set[str]:
    """What lorakit approve is to be given so that what waits goes on."""
    reasons = [one.reason for one in plan.actions if one.state is State.UNAPPROVED]
    return {word for why in reasons for word in why.rpartition("board.yaml ")[2].split()}


def approve(folder: Path, plan: Plan, *numbers: int) -> None:
    decisions = Decisions()
    by_id = {one.action.id: one for one in plan.actions}
    for number in numbers:
        frame = by_id[f"film/meadow/{number}"]
        approval = Approval(1, (frame.outputs or {})["picture"], frame.key or "")
        decisions = decisions.approving(FrameName("meadow", number), approval)
    file_of(folder / "board.yaml").write_text(written(decisions, "board.yaml"))


@pytest.mark.parametrize("chained", [False, True])
@pytest.mark.parametrize(
    "more",
    [{}, {"upscale": {"by": 2}}, {"upscale": {"with": "img2img"}}, {"takes": 2}],
    ids=["edited", "and made larger", "and drawn larger", "of two takes"],
)
def test_who_approves_a_frame_approves_what_is_made_of_it(
    tmp_path: Path, more: dict[str, Any], chained: bool
) -> None:
    memory, edit = Memory(hashed=True), {**EDIT, "chained": chained}
    memory.make_all(planned(tmp_path, memory, edit, **more))
    memory.manifests = {
        key: one
        for key, one in memory.manifests.items()
        if one.kind in DRAWN and not one.params.get("upscaled")
    }
    drawn = planned(tmp_path, memory, edit, **more)
    assert asked_for(drawn) == {"meadow/1", "meadow/2"}
    approve(tmp_path, drawn, 1)
    assert asked_for(planned(tmp_path, memory, edit, **more)) == {"meadow/2"}
    approve(tmp_path, drawn, 1, 2)
    plan = planned(tmp_path, memory, edit, **more)
    assert asked_for(plan) == set()
    assert {"film/film_pictures", "film/film"} <= {
        one.action.id for one in plan.actions if one.state.to_make
    }
