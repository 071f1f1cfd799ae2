"""The engine of the worker that scores pictures, from their decoded 8-bit files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from lorakit.models.processor import prepare_torch
from lorakit.plan.specs_beside import JudgeSpec
from lorakit.plan.tasks.gate import ScoreTask
from lorakit.plan.tasks.job import Job, Report
from lorakit.rendering.fitting import open_rgb
from lorakit.rendering.judge import Judge, load_judge
from lorakit.rendering.lab import to_lab
from lorakit.rendering.one_by_one import OneByOne
from lorakit.store import atomic

_PLACES = (16, 16)


class JudgeEngine(OneByOne[ScoreTask]):
    """Scores one picture a step: `{"character", "sentence", "drift"}`, None for what is not asked for.

    A character's score is the least of the probabilities that who the prompt names is there, wearing the hat
    that it names; the sentence's is the least of those of its thing and its setting. A frame that is a copy
    of another keeps its character, and not its sentence.
    """

    def __init__(self, spec: JudgeSpec, _report: Report) -> None:
        super().__init__()
        prepare_torch(1)  # beside a worker that draws with all the others
        self._judge = load_judge(Path(spec.path))
        self._names = _Names(self._judge)

    def _outputs(self, job: Job[ScoreTask]) -> Mapping[str, str]:
        score = self._score(job)
        self.calls["judge"] += 1
        job.out.mkdir(parents=True, exist_ok=True)
        atomic.write_json(job.out / "score.json", score)
        return {"score": str(job.out / "score.json")}

    def _score(self, job: Job[ScoreTask]) -> dict[str, float | None]:
        picture = open_rgb(Path(job.inputs["picture"]))
        asked = self._names.asked(job.task.prompt)
        seen = self._judge.see([picture])

        def least(parts: Iterable[tuple[torch.Tensor, int]]) -> float | None:
            return min(
                (round(float(chances[number]), 6) for chances, number in parts), default=None
            )

        present = {"characters": seen.characters[0].sigmoid(), "hats": seen.hats[0].sigmoid()}
        one_of = {"props": seen.prop[0].softmax(0)[1:], "settings": seen.setting[0].softmax(0)[1:]}
        first = job.inputs.get("first")
        return {
            "character": least((present[kind], n) for kind in present for n in asked[kind]),
            "sentence": least((one_of[kind], n) for kind in one_of for n in asked[kind]),
            "drift": drift(picture, open_rgb(Path(first))) if first else None,
        }


def drift(picture: Image.Image, first: Image.Image) -> float:
    """How far the mean colour of a picture is from another's, in CIELAB (CIE76)."""

    def mean(image: Image.Image) -> Any:
        return to_lab(np.asarray(image.resize(_PLACES, Image.Resampling.BOX)) / 255).mean((0, 1))

    return round(float(np.linalg.norm(mean(picture) - mean(first))), 6)


class _Names:
    """What a judge can be asked about, by the words that people use for it."""

    def __init__(self, judge: Judge) -> None:
        card = judge.card
        others: Mapping[str, list[str]] = card.get("synonyms", {})
        self._words: list[tuple[str, str, int]] = []
        for kind in ("characters", "hats", "props", "settings"):
            told = card[kind]
            names = list(told.values()) if isinstance(told, dict) else list(told)
            for number, name in enumerate(names):
                self._words += [(word, kind, number) for word in (name, *others.get(name, ()))]
        self._words.sort(key=lambda entry: -len(entry[0]))

    def asked(self, prompt: str) -> dict[str, list[int]]:
        """The numbers of what a prompt names, by kind; of names within names the longest counts."""
        left = f" {' '.join(re.findall(r'[a-z0-9]+', prompt.lower()))} "
        found: dict[str, list[int]] = {"characters": [], "hats": [], "props": [], "settings": []}
        for word, kind, number in self._words:
            if f" {word} " in left:
                left = left.replace(f" {word} ", " | ")
                if number not in found[kind]:
                    found[kind].append(number)
        if len(found["props"]) > 1:
            found["props"] = []  # a judge names one: of several it cannot say that they are there
        return found
