"""Which pictures pass a gate, and which tries a plan makes, spares, or makes perhaps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lorakit.plan.gates import choose, read_score, shortfall
from lorakit.plan.states import Plan, State
from lorakit.plan.tasks.gate import Floors
from tests.support.planning import Memory, facts_for, knowing, plan_of

FLOORS = Floors(character=0.8, sentence=0.5, drift=4.0)


@pytest.mark.parametrize(
    ("score", "lacks"),
    [
        ({"character": 0.8, "sentence": 0.5, "drift": 4.0}, 0.0),
        ({"character": 0.6, "sentence": 0.9, "drift": 1.0}, 0.25),
        ({"character": 0.8, "sentence": 0.0, "drift": 8.0}, 1.0),
        ({"character": None, "sentence": None, "drift": None}, 0.0),
        ({"character": 1.0, "drift": 0.0}, 1.0),  # what is not told passes nothing
        ({"character": 1.0, "sentence": 1.0}, float("inf")),
    ],
)
def test_a_picture_lacks_what_it_lacks_most(score: dict[str, float | None], lacks: float) -> None:
    assert shortfall(score, FLOORS) == pytest.approx(lacks)


def test_the_first_that_passes_is_chosen_and_else_the_nearest() -> None:
    good = {"character": 0.9, "sentence": 0.9, "drift": 1.0}
    worse = {**good, "sentence": 0.4}
    copied = {
        **good,
        "sentence": 0.0,
    }  # the character of another frame, without what this one tells
    assert choose([worse, good, good], FLOORS) == 1
    assert choose([copied, worse], FLOORS) == 1
    assert choose([copied, copied], FLOORS) == 0


@pytest.mark.parametrize("text", ["", "[]", "nothing", "3"])
def test_what_is_no_score_passes_nothing(text: str) -> None:
    assert shortfall(read_score(text), FLOORS) > 0


def board(home: Path, gate: str) -> Path:
    (home / "board.yaml").write_text(
        f"storyboard: 1\nchain: {{from: noise}}\ngate: {gate}\n"
        "scenes: [{name: one, sentences: [a fox, an owl]}]\n"
    )
    return home / "board.yaml"


def states(plan: Plan) -> dict[str, State]:
    return {p.action.id.removeprefix("film/one/"): p.state for p in plan.actions}


def planned(home: Path, gate: str, memory: Memory) -> Plan:
    return plan_of(board(home, gate), knowing(facts_for(), "a", "fox", "an", "owl"), memory=memory)


def test_tries_behind_the_first_are_made_perhaps(tmp_path: Path) -> None:
    plan = planned(tmp_path, "{character: 0.8, tries: 3}", Memory())
    found = states(plan)
    assert found["1"] is State.NEW
    assert found["1/score"] is State.WAITS
    assert found["1/take_2"] is found["1/take_2/score"] is found["2/take_3"] is State.PERHAPS
    assert found["1/choice"] is State.WAITS
    # what they would cost is not counted: in the best of cases nobody draws them
    once = planned(tmp_path, "{character: 0.8, tries: 1}", Memory())
    assert plan.estimate.seconds == once.estimate.seconds
    assert plan.waves == once.waves


@pytest.mark.parametrize(
    ("first", "second", "takes"),
    [(0.9, None, 1), (0.5, 0.9, 2), (0.5, 0.6, 3)],
)
def test_a_plan_knows_by_the_scores_that_are_there(
    tmp_path: Path, first: float, second: float | None, takes: int
) -> None:
    memory = Memory()
    gate = "{character: 0.8, tries: 3}"
    before = planned(tmp_path, gate, memory)
    memory.make_all(before)
    for one in before.actions:
        if one.action.kind == "score" and one.action.id.startswith("film/one/1/"):
            told = second if "take_2" in one.action.id else first
            manifest = next(m for m in memory.manifests.values() if _is(one.action.id, m, before))
            digest = manifest.outputs["score"].digest
            memory.texts[digest] = json.dumps({"character": told, "sentence": 1.0, "drift": None})
    found = states(planned(tmp_path, gate, memory))
    tries = ["1", "1/take_2", "1/take_3"]
    assert [found[one] for one in tries] == [
        State.CACHED if number <= takes else State.SPARED for number in range(1, 4)
    ]


def _is(id_: str, manifest: object, plan: Plan) -> bool:
    from lorakit.store.manifests import Manifest

    assert isinstance(manifest, Manifest)
    made = {p.action.id: p for p in plan.actions}
    frame = made[id_.removesuffix("/score")]
    return manifest.kind == "score" and manifest.inputs["picture"] == f"picture of {frame.key}"


def test_takes_beside_a_gate_and_a_gate_for_strangers_are_errors(tmp_path: Path) -> None:
    from lorakit.diagnostics import InvalidDocument

    path = board(tmp_path, "{character: 0.8}")
    with pytest.raises(InvalidDocument) as found:
        plan_of(path)
    assert "studio-judge, which knows the world of lorakit:studio alone" in str(found.value)
    path.write_text(path.read_text() + "takes: 2\n")
    with pytest.raises(InvalidDocument) as found:
        plan_of(path, knowing(facts_for(), "a", "fox", "an", "owl"))
    assert "a gate chooses by itself" in str(found.value)
