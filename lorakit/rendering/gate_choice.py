"""Which of a frame's pictures stands for it, after all have been scored."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from lorakit.plan.gates import choose, read_score, shortfall
from lorakit.plan.tasks.gate import GateTask
from lorakit.store import atomic

PARTS = {"picture": "picture.png", "latents": "latents.safetensors"}


def write_choice(folder: Path, task: GateTask, inputs: Mapping[str, str]) -> dict[str, str]:
    """Write the chosen picture and latents once more, and `choice.json`: which, why, whether it passed."""
    made = [number for number in range(1, task.tries + 1) if f"score_{number}" in inputs]
    scores = [read_score(Path(inputs[f"score_{n}"]).read_text("utf-8")) for n in made]
    chosen = made[choose(scores, task.floors)]
    outputs = {}
    for part, name in PARTS.items():
        shutil.copyfile(inputs[f"{part}_{chosen}"], folder / name)
        outputs[part] = str(folder / name)
    passed = shortfall(scores[made.index(chosen)], task.floors) == 0
    told = {"take": chosen, "passed": passed, "scores": [dict(score) for score in scores]}
    atomic.write_json(folder / "choice.json", told)
    return {**outputs, "choice": str(folder / "choice.json")}
