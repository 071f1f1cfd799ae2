"""`train-text` in its worker: a classifier of texts."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lorakit.diagnostics import Place
from lorakit.facts.texts.text_data import Splits, Texts, read
from lorakit.facts.texts.text_files import folder_of
from lorakit.facts.texts.text_json import from_json
from lorakit.language.recipe.trainings import DataSource
from lorakit.models.processor import free_device
from lorakit.plan import evaluation
from lorakit.plan.tasks.training import TrainTextTask
from lorakit.training import metrics, text_model, text_reload
from lorakit.training.evaluation_log import EvaluationLog
from lorakit.training.loop import Loop
from lorakit.training.text_batches import TextBatches, tokenized
from lorakit.training.text_task import TextTask, balanced_weights
from lorakit.training.trainer import Trainer

_MEASURED = 256  # held-out texts whose loss is measured along the training, where there are so many
_PROBED = 16  # texts on which a reloaded model must agree


class TextTrainer(Trainer[TrainTextTask]):
    """Trains one classifier, and scores it on what is held out."""

    def prepare(self) -> TextTask:
        """Read and tokenize the texts, build the classifier."""
        self._source, self._splits = _texts(self.task.dataset, self.task.seed)
        self._tokenizer, batches = _batches(self.task)
        self._held_out = batches(self._splits.test)
        train = self._splits.train
        weights = None
        if self.task.class_weights == "balanced":
            weights = balanced_weights(train.labels, len(self._splits.labels))
        model = text_model.build(self.task)
        if self.start is not None:
            text_model.start_from(model, self.start)
        self._learner = TextTask(model, batches(train), train.texts, weights)
        return self._learner

    def losses(self, loop: Loop) -> Iterator[float]:
        """The losses of some held-out texts."""
        from accelerate.utils import send_to_device

        model, texts = loop.single, self._held_out
        model.eval()
        spread = range(0, len(texts.ids), -(-len(texts.ids) // _MEASURED))
        some = sorted(spread, key=lambda number: len(texts.ids[number]))  # little padding
        for start in range(0, len(some), evaluation.TEXTS):
            batch = texts.collate(some[start : start + evaluation.TEXTS])
            batch = send_to_device(batch, loop.accelerator.device)
            labels = batch.pop("labels")
            with torch.inference_mode():
                logits = model(**batch).logits.float()
                each = nn.functional.cross_entropy(logits, labels, reduction="none").tolist()
            yield from each

    def score(self, loop: Loop) -> Generator[None, None, Mapping[str, Any]]:
        """Accuracy, macro F1, loss and confusion matrix on what was held out."""
        from accelerate.utils import send_to_device

        model = loop.single
        model.eval()
        truth: list[int] = []
        said: list[int] = []
        total = 0.0
        for members in self._held_out.by_length(evaluation.TEXTS):
            batch = send_to_device(self._held_out.collate(members), loop.accelerator.device)
            with torch.inference_mode():
                logits = model(**{k: v for k, v in batch.items() if k != "labels"}).logits.float()
                total += float(
                    nn.functional.cross_entropy(logits, batch["labels"], reduction="sum")
                )
            truth += batch["labels"].tolist()
            said += logits.argmax(-1).tolist()
            yield
        matrix = metrics.confusion(truth, said, len(self._splits.labels))
        return {
            "accuracy": round(metrics.accuracy(matrix), 6),
            "macro_f1": round(metrics.macro_f1(matrix), 6),
            "held_out_loss": round(total / len(truth), 6),
            "confusion_matrix": matrix,
        }

    def save_adapter(self, model: Any, folder: Path) -> Mapping[str, str]:
        """In PEFT's layout."""
        return text_model.save_adapter(model, folder, self.task.source)

    def save(self, model: Any) -> dict[str, str]:
        """In PEFT's or transformers' layout, with the tokenizer."""
        return text_model.save(model, self._tokenizer, self.out, self.task.source, full=self.full)

    def reloaded(self, model: Any, outputs: Mapping[str, str]) -> float:  # noqa: ARG002
        """How far its logits are from those of what a fresh process loads."""
        probe = self._held_out.collate(range(min(_PROBED, len(self._held_out.ids))))
        device = next(model.parameters()).device
        expected = text_reload.logits(model, {k: v.to(device) for k, v in probe.items()}).cpu()
        base, labels = Path(self.task.model_path), self.task.labels
        free_device(model)
        return text_reload.check(
            self.out, base, labels, probe, expected, full=self.full, device=self.task.device
        )

    def figures(
        self,
        loop: Loop,
        log: EvaluationLog,  # noqa: ARG002
        outputs: Mapping[str, str],
    ) -> dict[str, Any]:
        """Data, labels, epochs and sizes."""
        passes = loop.settings.steps * loop.settings.gradient_accumulation_steps
        texts = self._source.texts
        return {
            "data": texts if ":" in texts else Path(texts).name,
            "labels": list(self._splits.labels),
            "train_samples": len(self._splits.train.texts),
            "test_samples": len(self._splits.test.texts),
            "epochs": round(passes / self._learner.batches.per_epoch, 4),
            "saved_bytes": Path(outputs["model" if self.full else "adapter"]).stat().st_size,
            "base_model_bytes": (Path(self.task.model_path) / "model.safetensors").stat().st_size,
        }

    def title(self) -> str:
        """The method and the data set's name."""
        return f"{self.task.method} on {self._source.name or 'training'}"


def _texts(told: Mapping[str, Any], seed: int) -> tuple[DataSource, Splits]:
    source = from_json(told, DataSource("", Place("", 0, 0)))
    place = folder_of(source)
    assert place is not None
    return source, read(source, place, seed)


def _batches(task: TrainTextTask) -> tuple[Any, Callable[[Texts], TextBatches]]:
    """The model's tokenizer, and what makes batches of texts by it."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(
        task.model_path, local_files_only=True, trust_remote_code=False
    )

    def batches(part: Texts) -> TextBatches:
        ids = tokenized(tokenizer, part.texts, task.max_length)
        pad = tokenizer.pad_token_id or 0
        batch_size, most = task.train.batch_size, task.max_length
        return TextBatches(ids, part.labels, pad, batch_size, task.seed, most, task.precision)

    return tokenizer, batches
