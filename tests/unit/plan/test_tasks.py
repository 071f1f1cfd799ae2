"""Tasks: what the planner says is what a worker hears, and only what decides a result is in its key."""

from __future__ import annotations

import ast
import json
from dataclasses import replace
from pathlib import Path

import pytest

import lorakit
from lorakit.facts.files.signing import Signing
from lorakit.facts.machine.environment import RECORDED
from lorakit.facts.models.ip_adapters import IpAdapter
from lorakit.plan.states import Plan
from lorakit.plan.tasks.job import Job, job_from_json
from lorakit.plan.tasks.table import TASKS, task_from_json
from lorakit.plan.tasks.training import EncodedSample
from lorakit.plan.workers import WORKERS
from tests.support.actions import FRAME, TEXTS
from tests.support.planning import facts_for, knowing, plan_of
from tests.unit.kinds.test_recorded_keys import every_kind, shipped

DIGEST = "0123456789abcdef" * 4
PACKAGE = Path(lorakit.__file__).parent


def picked(home: Path) -> Plan:
    """A board with a frame of which a take was picked, and one that is a picture of the user's own."""
    home.mkdir()
    (home / "a.png").touch()
    (home / "board.yaml").write_text(
        "storyboard: 1\nscenes:\n- name: one\n  sentences:\n"
        "  - {text: a fox, takes: 2}\n  - {text: an owl, image: a.png}\n"
        "  - {text: a cat, control: {kind: pose, from: previous, controlnet: nets}}\n"
        "  - {text: a hen, upscale: {by: 3}}\n  - {text: a hen, upscale: {by: 4, with: x4}}\n"
        "  - {text: a dog, motion: kenburns}\n"
        "  - {text: a dog, motion: morph}\n  - a rat\n"
        "  - {text: a dog, motion: {kind: clip, video_model: wan}, upscale: {by: 2, with: img2img}}\n"
        "video: {}\n"
    )
    (home / "board.picks.yaml").write_text(
        f"picks: 1\nframes:\n  one/1: {{take: 2, picture: {DIGEST}}}\n"
    )
    return plan_of(home / "board.yaml")


def gated(home: Path) -> Plan:
    """A board with a gate."""
    home.mkdir()
    text = "storyboard: 1\ngate: {character: 0.9}\nscenes: [{name: one, sentences: [a fox]}]\n"
    (home / "board.yaml").write_text(text)
    return plan_of(home / "board.yaml", knowing(facts_for(), "a", "fox"))


def heard_film(home: Path) -> Plan:
    """A board whose film has music and narration."""
    home.mkdir()
    (home / "song.ogg").touch()
    text = "storyboard: 1\nscenes: [{name: one, sentences: [a fox]}]\n"
    (home / "board.yaml").write_text(
        f"{text}video: {{narration: true, audio: {{music: song.ogg}}, beats: true}}\n"
    )
    return plan_of(home / "board.yaml")


def signed_film(home: Path) -> Plan:
    """A board whose film is signed."""
    home.mkdir()
    text = (
        "storyboard: 1\nscenes: [{sentences: [a fox]}]\nvideo: {title: true, format: [mp4, png]}\n"
    )
    (home / "board.yaml").write_text(text)
    by = Signing(DIGEST, home / "chain.pem", home / "key.pem", "es256", "")
    return plan_of(home / "board.yaml", replace(facts_for(), signing=by))


def seen_through(home: Path) -> Plan:
    """A board whose character is seen through an IP-Adapter."""
    home.mkdir()
    (home / "a.png").touch()
    (home / "board.yaml").write_text(
        "storyboard: 1\ncharacters: {bunny: {anchor: a white bunny, reference: a.png}}\n"
        "scenes: [{name: one, sentences: [The bunny runs]}]\n"
    )
    faces = IpAdapter("faces", "faces", Path("a.safetensors"), DIGEST, Path("encoder"), DIGEST)
    return plan_of(home / "board.yaml", replace(facts_for(), ip_adapters={"studio": faces}))


def test_every_task_arrives_as_it_was_sent(tmp_path: Path) -> None:
    (tmp_path / "sweep").mkdir()
    plans = (
        every_kind(tmp_path),
        shipped(tmp_path / "sweep", "sweep-strength.yaml"),
        picked(tmp_path / "picked"),
        gated(tmp_path / "gated"),
        heard_film(tmp_path / "heard"),
        signed_film(tmp_path / "signed"),
        seen_through(tmp_path / "seen"),
    )
    tasks = [planned.action.task for plan in plans for planned in plan.actions]
    assert {task.kind for task in tasks} == set(TASKS)
    for task in tasks:
        sent = Job("step/it", "key", task, {"start": "/a"}, Path("/out"), Path("/keep"))
        heard = job_from_json(json.loads(json.dumps(sent.to_json())))
        assert heard == sent
        assert heard.task.key() == task.key()


def test_a_key_has_what_decides_and_leaves_out_what_is_as_it_always_was() -> None:
    key = FRAME.key()
    assert key["wave"] == FRAME.batch_size
    assert not {"seed", "effective_steps", "batch_size", "anchor_weight"} & set(key)
    assert replace(FRAME, anchor_weight=0.0).key()["anchor_weight"] == 0.0
    assert FRAME.beside() == {"seed": 7, "effective_steps": 20}
    assert "lora" not in replace(TEXTS, lora=None).key()
    assert "lr_num_cycles" not in TEXTS.key()["train"]
    assert TEXTS.key()["lora"]["target_modules"] == ["query", "value"]


def test_what_is_nested_is_read_as_what_it_was() -> None:
    task = task_from_json(json.loads(json.dumps(TEXTS.to_json())))
    assert task == TEXTS
    one = EncodedSample(
        "a.png", "a fox", (96, 64), (64, 64), ((0, 0.5, 0.5),), False, "latents-0001"
    )
    assert hash(one)


def test_no_file_but_the_table_names_a_worker() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for room in ("plan", "kinds", "execute", "ui", "cli")
        for path in (PACKAGE / room).rglob("*.py")
        if path != PACKAGE / "plan" / "workers.py"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and node.value in WORKERS
    ]
    assert not found


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_s_engine_is_there_and_its_packages_are_recorded(name: str) -> None:
    import importlib

    worker = WORKERS[name]
    module, _, engine = worker.engine.partition(":")
    assert hasattr(importlib.import_module(module), engine)
    # a GPU's name and driver stand beside the packages, on a machine that has one
    assert set(worker.packages) - {"gpu", "driver"} <= set(RECORDED)
