"""States, reasons, keys and waves of plans; nothing is drawn."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorakit.diagnostics import InvalidDocument
from lorakit.plan.actions import Action, Engine, Input
from lorakit.plan.keys import action_key
from lorakit.plan.seeds import derive
from lorakit.plan.selection import Selection
from lorakit.plan.states import Planned, State
from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.tasks.task import WorkerTask
from lorakit.plan.waves import foresee
from lorakit.records import record
from tests.support.actions import FRAME, action_of, frame_action
from tests.support.boards import board_text, sentences
from tests.support.planning import Memory, facts_for, plan_of

SCENES = [(f"scene_{n}", sentences(n, 5)) for n in range(1, 5)]


def board(folder: Path, scenes: list[tuple[str, list[str]]] = SCENES, **more: str) -> Path:
    path = folder / "board.yaml"
    path.write_text(board_text(scenes, **more))
    return path


def states(plan: object) -> dict[str, State]:
    return {p.action.id: p.state for p in plan.actions}


def test_a_first_plan_is_new_and_waits_behind_chains(tmp_path: Path) -> None:
    plan = plan_of(board(tmp_path))
    found = states(plan)
    assert found["film/scene_1/1"] is State.NEW
    assert found["film/scene_1/2"] is State.WAITS
    assert found["film/film"] is State.WAITS
    assert plan.count(State.NEW) == 5  # subtitles wait for nothing
    assert plan.actions[1].reason == "for film/scene_1/1"


def test_a_second_plan_has_nothing_to_do(tmp_path: Path) -> None:
    path, memory = board(tmp_path), Memory()
    last = memory.make_all(plan_of(path))
    assert set(states(plan_of(path, memory=memory, last=last)).values()) == {State.CACHED}


def test_a_changed_sentence_says_what_from_to_and_where(tmp_path: Path) -> None:
    path, memory = board(tmp_path), Memory()
    last = memory.make_all(plan_of(path))
    scenes = [(n, list(lines)) for n, lines in SCENES]
    scenes[1][1][2] = scenes[1][1][2].replace("castle", "rocket")
    plan = plan_of(board(tmp_path, scenes), memory=memory, last=last)
    made = {p.action.id: p for p in plan.to_make}
    assert list(made) == [
        *(f"film/scene_2/{n}" for n in (3, 4, 5)),
        "film/contact-sheet",
        "film/film_subtitles",
        "film/film_pictures",
        "film/film",
    ]
    changed = made["film/scene_2/3"]
    assert changed.state is State.CHANGED
    (change,) = changed.changes
    assert (change.what, change.before, change.after) == (
        "prompt",
        *(s[1][2] for s in (SCENES[1], scenes[1])),
    )
    line = path.read_text().splitlines().index(f"      - {scenes[1][1][2]}") + 1
    assert f"prompt: a castle on -> a rocket on ({path}:{line}:9)" in changed.reason or (
        f":{line}:9)" in changed.reason and "castle" in changed.reason
    )
    assert made["film/scene_2/4"].state is State.WAITS


def test_only_holds_the_rest_and_takes_what_is_needed(tmp_path: Path) -> None:
    plan = plan_of(board(tmp_path), selection=Selection(only=("film/scene_2/3",)))
    wanted = [p.action.id for p in plan.to_make]
    assert wanted == [f"film/scene_2/{n}" for n in (1, 2, 3)]
    assert plan.count(State.HELD) == len(plan.actions) - 3


def test_force_makes_again_and_what_hangs_on_it_waits(tmp_path: Path) -> None:
    path, memory = board(tmp_path), Memory()
    last = memory.make_all(plan_of(path))
    plan = plan_of(path, memory=memory, last=last, selection=Selection(force=("film/scene_3/4",)))
    assert [p.action.id for p in plan.to_make][:2] == ["film/scene_3/4", "film/scene_3/5"]
    assert plan.to_make[0].reason == "forced"


def test_what_other_versions_made_is_reused_and_said_or_rebuilt(tmp_path: Path) -> None:
    path, memory = board(tmp_path), Memory()
    last = memory.make_all(plan_of(path))
    for key, manifest in memory.manifests.items():
        memory.manifests[key] = dataclasses.replace(
            manifest, environment={"torch": "1.0", "pillow": "11"}
        )
    facts = dataclasses.replace(facts_for(), environment={"torch": "2.0", "pillow": "11"})
    reused = plan_of(path, facts, memory, last)
    assert not reused.to_make
    (warning,) = reused.warnings
    assert warning.message == "20 cached actions made with other versions: torch 1.0 -> 2.0"
    rebuilt = plan_of(path, facts, memory, last, Selection(rebuild=True))
    kinds = {"frame", "contact-sheet", "film", "finished-film"}
    assert {p.action.kind for p in rebuilt.to_make} == kinds
    assert rebuilt.to_make[0].reason == "environment: torch 1.0 -> 2.0"


def test_draft_draws_eight_steps(tmp_path: Path) -> None:
    path = board(tmp_path, steps=30)  # type: ignore[arg-type]
    plan = plan_of(path, selection=Selection(draft=True))
    assert plan.actions[0].action.task.key()["num_inference_steps"] == 8


def test_names_titles_notes_and_paths_change_no_key(tmp_path: Path) -> None:
    one = plan_of(board(tmp_path))
    other = tmp_path / "elsewhere"
    other.mkdir()
    text = board_text(SCENES).replace(
        "storyboard: 1", "storyboard: 1\ntitle: Another\nnotes: mine\nx-a: 1"
    )
    (other / "renamed.yaml").write_text(text)
    two = plan_of(other / "renamed.yaml")
    frames = [[p.key for p in plan.actions if p.action.kind == "frame"] for plan in (one, two)]
    assert frames[0] == frames[1]


def test_noise_knows_neither_words_nor_place() -> None:
    assert derive(7, "meadow", 0) == derive(7, "meadow", 0)
    assert (
        len(
            {
                derive(7, "meadow", 0),
                derive(8, "meadow", 0),
                derive(7, "mars", 0),
                derive(7, "meadow", 1),
            }
        )
        == 4
    )
    assert 0 <= derive(2**64 - 1, "x", 10**6) < 2**63


def test_chains_take_the_noise_of_their_hop(tmp_path: Path) -> None:
    def noises(chain: str, text: str = "") -> list[object]:
        lines = sentences(1, 3)
        if text:
            lines[1] = text
        plan = plan_of(board(tmp_path, [("one", lines)], chain=chain))
        return [p.action.task.key()["noise"] for p in plan.actions if p.action.kind == "frame"]

    first, second, third = (derive(0, "one", hop) for hop in range(3))
    assert noises("{from: noise}") == [first, first, first]
    assert noises("{from: anchor, strength: 0.5}") == [first, second, second]
    assert noises("{from: previous, strength: 0.5}") == [first, second, third]
    whole = "{text: a fox, strength: 1.0}"
    assert noises("{from: previous, strength: 0.5}", whole) == [first, first, second]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("chain: {strength: 0.01}\n", "no-steps"),
        ("look: {width: 130}\n", "size"),
        ("look: {width: 16, height: 16}\n", "size"),
    ],
)
def test_what_the_model_or_the_font_cannot_do(tmp_path: Path, text: str, code: str) -> None:
    path = tmp_path / "board.yaml"
    path.write_text(
        f"storyboard: 1\n{text}scenes:\n  - sentences: [a fox, a fox 狐]\n", encoding="utf-8"
    )
    with pytest.raises(InvalidDocument) as caught:
        plan_of(path)
    assert code in {d.code for d in caught.value.errors}
    assert all(d.place is not None and d.hints for d in caught.value.errors)


def test_a_model_that_is_not_downloaded_makes_its_frames_wait(tmp_path: Path) -> None:
    facts = facts_for()
    absent = dataclasses.replace(facts.models["studio"], path=None, digest=None)
    plan = plan_of(board(tmp_path), dataclasses.replace(facts, models={"studio": absent}))
    assert plan.actions[0].state is State.WAITS
    assert plan.actions[0].reason == "until what it needs is downloaded"


def test_story_complaint_06_what_does_not_fit_into_memory_is_warned_of(tmp_path: Path) -> None:
    facts = facts_for()
    huge = dataclasses.replace(facts.models["studio"], weight_bytes=1 << 50)
    plan = plan_of(board(tmp_path), dataclasses.replace(facts, models={"studio": huge}))
    (warning,) = [d for d in plan.warnings if d.code == "memory"]
    assert "the CPU has" in warning.message
    assert not [d for d in plan_of(board(tmp_path)).warnings if d.code == "memory"]


def test_half_precision_on_a_cpu_is_refused_once(tmp_path: Path) -> None:
    board(tmp_path)
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        "recipe: 1\nmodels: {tiny: {from: 'lorakit:studio', dtype: fp16}}\n"
        "steps: {film: {kind: storyboard, storyboard: board.yaml}}\n"
    )
    with pytest.raises(InvalidDocument) as caught:
        plan_of(recipe)
    (error,) = caught.value.errors
    assert error.code == "precision"
    assert error.place is not None
    assert error.place.line == 2


def test_words_the_model_does_not_know_are_named(tmp_path: Path) -> None:
    known = frozenset(
        [
            "a",
            "bunny",
            "fox",
            "an",
            "owl",
            "robot",
            "alien",
            "finds",
            "holds",
            "looks",
            "at",
            "meets",
            "rides",
            "key",
            "castle",
            "in",
            "space",
            "on",
        ]
    )
    plan = plan_of(board(tmp_path), facts_for(vocabulary=known))
    (warning,) = [d for d in plan.warnings if d.code == "unknown-words"]
    assert "rocket (line" in warning.message
    assert "mars (line" in warning.message


def test_planning_is_linear(tmp_path: Path) -> None:
    """Counted in look-ups, not seconds: each action is asked for once."""

    class Counting(Memory):
        asked = 0

        def manifest(self, key: str) -> None:
            Counting.asked += 1

    scenes = [(f"s{n}", sentences(n, 5)) for n in range(40)]
    plan = plan_of(board(tmp_path, scenes, chain="{from: noise}"), memory=Counting())
    assert len(plan.actions) == 204
    assert Counting.asked == 201  # film and sheet wait, and have no key to ask for; subtitles have


# -- keys and waves --------------------------------------------------------------------------------

TASKS = st.builds(
    replace,
    st.just(FRAME),
    prompt=st.text(max_size=5),
    noise=st.integers(),
    strength=st.sampled_from([0.5, 1.0, 1]),
    adapters=st.lists(st.tuples(st.text(max_size=3), st.integers()), max_size=2).map(tuple),
    anchor_weight=st.sampled_from([None, 0.0, 0.5]),
)


@given(TASKS, TASKS)
def test_a_key_is_as_different_as_its_parameters(one: FrameTask, other: FrameTask) -> None:
    same = action_key(action_with(one), {}) == action_key(action_with(other), {})
    assert same == (repr(one) == repr(other))


def action_with(task: WorkerTask) -> Action:
    return action_of(task, "a", Engine("render", id="e"))


@record
class Newer(FrameTask):
    """Frames, as a later version draws them."""

    version: ClassVar[int] = 99


@record
class Other(FrameTask):
    """What has a frame's fields and is none."""

    kind: ClassVar[str] = "other"


def test_a_key_knows_roles_kinds_and_versions() -> None:
    action = action_with(FRAME)
    fields = {f.name: getattr(FRAME, f.name) for f in dataclasses.fields(FRAME)}
    keys = {
        action_key(action, {}),
        action_key(action, {"start": "x"}),
        action_key(action, {"anchor": "x"}),
        action_key(action_with(Other(**fields)), {}),
        action_key(action_with(Newer(**fields)), {}),
    }
    assert len(keys) == 5
    task = replace(FRAME, seed=99, effective_steps=1)
    beside = replace(action, id="b", label="else", step="t", files={"x": ("y",)}, task=task)
    assert action_key(beside, {}) == action_key(action, {})


def waves_of(chains: list[list[int]], width: int) -> tuple[int, int]:
    planned = []
    for number, units in enumerate(chains):
        for place, count in enumerate(units):
            before = (Input("start", f"{number}/{place - 1}", "latents"),) if place else ()
            action = frame_action(f"{number}/{place}", before, units=count, batch_size=width)
            planned.append(Planned(action, State.NEW))
    (waves,) = foresee(planned)
    return waves.calls, waves.rows


@pytest.mark.parametrize(
    ("chains", "width", "calls"),
    [
        ([[10]], 8, 10),
        ([[10]] * 8, 8, 10),
        ([[10]] * 9, 8, 20),
        ([[10, 10]] * 4, 4, 20),
        ([[10], [5], [5]], 2, 10),  # one leaves, another takes its row at once
        ([[4, 4, 4], [4], [4], [4]], 2, 12),  # the longest chain goes first
    ],
)
def test_waves_are_played_through(chains: list[list[int]], width: int, calls: int) -> None:
    assert waves_of(chains, width) == (calls, sum(map(sum, chains)))
