"""Stories for the doors to other tools, and what the program says when it writes them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from lorakit.cli.export import command
from lorakit.plan.timeline import timeline

# holds in three spellings, a picture that is held on, two scenes
STORY = """\
storyboard: 1
title: Doors & <windows>
seed: 7
look: {{num_inference_steps: 20, guidance_scale: 5.0}}
scenes:
  - name: meadow
    setting: in a green meadow
    sentences:
      - A fox finds a golden key
      - {{text: A fox holds a golden key, hold: 1.13}}
      - {{text: "=1+1 & <b>bold</b> --> away", prompt: a fox, hold: 6f}}
      - {{text: It rains, repeat: true, hold: "0:01.25"}}
  - name: "@night"
    setting: at night
    chain: {{from: previous, strength: 0.6, anchor_weight: 0.2}}
    sentences:
      - Une chouette regarde la lune, né à l'été
      - 小红在森林里, 小红在森林里
      - ثعلب يجد مفتاحا
video: {{fps: {fps}, hold: 1.5, height: 64, transition: {transition}}}
"""
CAPTIONS = [
    "A fox finds a golden key",
    "A fox holds a golden key",
    "=1+1 & <b>bold</b> --> away",
    "It rains",
    "Une chouette regarde la lune, né à l'été",
    "小红在森林里, 小红在森林里",
    "ثعلب يجد مفتاحا",
]


def story(folder: Path, fps: int = 24, transition: str = "{kind: crossfade, seconds: 5f}") -> Path:
    """A storyboard with all that a door has to carry."""
    path = folder / "board.yaml"
    path.write_text(STORY.format(fps=fps, transition=transition), "utf-8")
    return path


def exported(*words: Any) -> str:
    """What `lorakit export` prints where all goes well."""
    ran = CliRunner().invoke(command, [str(word) for word in words], standalone_mode=False)
    assert ran.exception is None, ran.exception
    assert ran.return_value == 0
    return ran.stdout


def program(folder: Path, *words: Any) -> subprocess.CompletedProcess[str]:
    """The program itself, as it is typed."""
    return subprocess.run(
        [sys.executable, "-m", "lorakit", *map(str, words)],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def shown(lengths: list[int], captions: list[str], transition_frames: int) -> list[str]:
    """For each film frame the caption that is the more to be seen, as the film's own timeline has it."""
    found = []
    for moment in timeline(lengths, transition_frames):
        found += [captions[moment.shot + (moment.share > 0.5)]] * moment.frames
    return found


def pretended_run(root: Path, recipe: str, prompts: dict[str, str], files: dict[str, str]) -> Path:
    """A run folder as a run leaves it, with a picture for each address."""
    import json

    from PIL import Image

    folder = root / "outputs" / recipe / "001"
    for number, name in enumerate(files.values()):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (128, 96), (40 * number % 256, 90, 200)).save(folder / name)
    actions = [{"id": id_, "prompt": prompts[id_], "files": [name]} for id_, name in files.items()]
    (folder / "manifest.json").write_text(json.dumps({"lorakit": 1, "actions": actions}))
    (folder.parent / "latest.txt").write_text("001\n")
    return folder


def frames_of(board: Path) -> list[Any]:
    """The tasks of a storyboard's frames, in the order in which they are drawn."""
    from lorakit.session import load

    actions = load(board).expanded().step_plans["film"].actions
    return [action.task for action in actions if action.kind == "frame"]
