"""The engine that scores pictures by models of transformers: how near embeds are to each other."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors import SafetensorError
from torch import Tensor
from torch.nn.functional import cosine_similarity

from lorakit.diagnostics import LorakitError, in_words
from lorakit.facts.pictures.open_picture import rgb
from lorakit.plan.specs_beside import ModelJudgeSpec
from lorakit.plan.tasks.gate import ScoreTask
from lorakit.plan.tasks.job import Job, Report
from lorakit.rendering.judge_engine import drift
from lorakit.store import atomic
from lorakit.store.sources import SourceReading


class ModelJudgeEngine:
    """Scores one picture a step, as `JudgeEngine` does: cosines of embeds in place of probabilities.

    `character` is the least of those with the pictures that show who is in it, None where there are none;
    `sentence` that with the prompt, None without a model for it.
    """

    def __init__(self, spec: ModelJudgeSpec, report: Report) -> None:
        self.calls: Counter[str] = Counter()
        self._pictures = Seeing(Path(spec.character)) if spec.character else None
        alike = spec.sentence and spec.sentence == spec.character
        self._words = None
        if spec.sentence:
            self._words = self._pictures if alike else Seeing(Path(spec.sentence))
        self._report = report
        self._waiting: deque[Job[ScoreTask]] = deque()

    @property
    def busy(self) -> bool:
        """Whether there is work left."""
        return bool(self._waiting)

    def submit(self, job: Job[ScoreTask]) -> None:
        """Put a job at the end of the queue."""
        self._waiting.append(job)

    def drop(self) -> None:
        """Let go of all that waits; the models stay."""
        self._waiting.clear()

    def step(self) -> list[Mapping[str, object]]:
        """Score the next picture."""
        job = self._waiting.popleft()
        try:
            reading = SourceReading(job.reads)
            reading.begin()
            score = self._score(job)
            reading.end()
        except (LorakitError, OSError) as error:
            return [{"id": job.id, "error": str(error)}]
        except (
            ValueError,
            RuntimeError,
            TypeError,
        ) as error:  # a model that does otherwise than its kind
            return [{"id": job.id, "error": in_words(error)}]
        self.calls["judge"] += 1
        job.out.mkdir(parents=True, exist_ok=True)
        atomic.write_json(job.out / "score.json", score)
        return [{"id": job.id, "outputs": {"score": str(job.out / "score.json")}}]

    def _score(self, job: Job[ScoreTask]) -> dict[str, float | None]:
        picture = rgb(Path(job.inputs["picture"]))
        roles = sorted(role for role in job.inputs if role.startswith("reference_"))
        files = [one.file for one in job.task.reference_files]
        shown = [rgb(Path(file)) for file in (*files, *(job.inputs[role] for role in roles))]
        character = sentence = None
        if self._pictures is not None and shown:
            own = self._pictures.picture(picture)
            character = min(_cosine(own, self._pictures.picture(one)) for one in shown)
        if self._words is not None:
            sentence = _cosine(self._words.picture(picture), self._words.words(job.task.prompt))
        first = job.inputs.get("first")
        return {
            "character": character,
            "sentence": sentence,
            "drift": drift(picture, rgb(Path(first))) if first else None,
        }


def _cosine(one: Tensor, other: Tensor) -> float:
    return round(float(cosine_similarity(one, other)), 6)


class Seeing:
    """A model that gives embeds of pictures, and of words where it has them, in fp32 on the CPU."""

    def __init__(self, path: Path) -> None:
        from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

        own = {"local_files_only": True, "trust_remote_code": False}
        try:
            model: Any = AutoModel.from_pretrained(
                path, use_safetensors=True, dtype=torch.float32, **own
            )
            # Pillow's: torchvision's, where it is there, resizes otherwise
            self._look: Any = AutoImageProcessor.from_pretrained(path, backend="pil", **own)
            reads = hasattr(model, "get_text_features")
            self._read: Any = AutoTokenizer.from_pretrained(path, **own) if reads else None
        except (
            *(OSError, ValueError, ImportError, RuntimeError, LookupError, TypeError),
            SafetensorError,
        ) as error:
            raise LorakitError(f"the model in {path} cannot be loaded: {error}") from error
        self._model = model.eval().requires_grad_(requires_grad=False)

    @torch.inference_mode()
    def picture(self, picture: Image.Image) -> Tensor:
        """The embeds (1, N) of a picture: projected beside words', or else those of the whole (CLS)."""
        pixels = self._look(images=picture, return_tensors="pt")
        if self._read is not None:
            return _pooled(self._model.get_image_features(pixel_values=pixels.pixel_values))
        seen: Tensor = self._model(pixel_values=pixels.pixel_values).last_hidden_state
        return seen[:, 0] if seen.dim() == 3 else seen.mean((2, 3))  # of convolutions: all places

    @torch.inference_mode()
    def words(self, text: str) -> Tensor:
        """The embeds (1, N) of a text; what is longer than it reads is cut."""
        longest = self._model.config.text_config.max_position_embeddings
        told = self._read(
            text, padding="max_length", truncation=True, max_length=longest, return_tensors="pt"
        )
        return _pooled(self._model.get_text_features(**told))


def _pooled(told: Any) -> Tensor:
    features: Tensor = told if isinstance(told, Tensor) else told.pooler_output
    return features
