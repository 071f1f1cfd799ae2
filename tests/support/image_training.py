"""Trainings on pictures in this process: what the workers would do, one action after the other."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

import lorakit
from lorakit.plan.actions import Action
from lorakit.plan.tasks.job import Job

COLOURS = ["red", "blue", "green", "orange", "purple", "teal", "gold", "navy", "lime", "pink"]


def paint(folder: Path, sizes: list[tuple[int, int]], captions: list[str] | None = None) -> Path:
    """Pictures `0.png`, `1.png`, ... of two halves each, with captions beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, (width, height) in enumerate(sizes):
        picture = Image.new("RGB", (width, height), COLOURS[number % len(COLOURS)])
        draw = ImageDraw.Draw(picture)
        draw.rectangle([0, 0, width // 3, height // 3], fill=COLOURS[(number + 3) % len(COLOURS)])
        picture.save(folder / f"{number}.png")
        words = captions[number] if captions else f"a fox at {number}"
        (folder / f"{number}.txt").write_text(words + "\n")
    return folder


def fox_recipe(folder: Path, model: Path, step: str, data: str = "", more: str = "") -> Path:
    """A project that trains a copy of `model` on three pictures of `foxes`; returns its recipe.

    `step` are the keys of its training, `data` those of its data set, `more` other data sets.
    """
    paint(folder / "foxes", [(64, 64)] * 3)
    (folder / ".lorakit").mkdir()
    shutil.copytree(model, folder / "model")
    recipe = folder / "recipe.yaml"
    recipe.write_text(
        "recipe: 1\nseed: 5\nmodels: {tiny: {from: model, dtype: fp32}}\n"
        f"datasets: {{foxes: {{images: foxes{data}}}{more}}}\nsteps:\n"
        f"  style: {{kind: train-image, data: foxes, {step}}}\n"
    )
    return recipe


@dataclass(frozen=True)
class Trained:
    """A training that is over: its action, its job as a worker gets it, and its outputs."""

    action: Action
    job: Job[Any]
    outputs: Mapping[str, str]
    encoded: Mapping[str, Mapping[str, str]]


def encoded(recipe: Path, scratch: Path) -> tuple[Action, Job[Any], dict[str, Any]]:
    """Everything before the training of a recipe: its action, its job, what was encoded by action."""
    from lorakit.training.encode_engine import EncodeEngine

    plan = lorakit.load(recipe).plan()
    engines: dict[str, EncodeEngine] = {}
    made: dict[str, dict[str, str]] = {}
    for number, action in enumerate(planned.action for planned in plan.actions):
        out = scratch / f"{number}"
        inputs = {i.role: made[i.action][i.output] for i in action.inputs if i.action in made}
        keep, logs = scratch / "keep", scratch / "logs"
        job: Job[Any] = Job(action.id, f"key{number}", action.task, inputs, out, keep, logs)
        if action.kind == "train-image":
            return action, job, made
        if action.kind in ("latents", "embeds"):
            out.mkdir(parents=True, exist_ok=True)
            if action.engine.id not in engines:
                engines[action.engine.id] = EncodeEngine(action.engine.spec, lambda *_: None)
            engine = engines[action.engine.id]
            engine.submit(job)
            (done,) = engine.step()
            assert "error" not in done, done
            made[action.id] = done["outputs"]
    raise AssertionError("the recipe trains nothing on pictures")


def train(recipe: Path, scratch: Path) -> Trained:
    """Train a recipe's step to its end, reloading in a fresh process and all."""
    from lorakit.training.image_trainer import ImageTrainer

    action, job, made = encoded(recipe, scratch)
    steps = ImageTrainer(job).run(lambda *_: None)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return Trained(action, job, end.value, made)
