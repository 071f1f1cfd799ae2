"""`train-text` in its worker: read, train, score, save, load again."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from lorakit.diagnostics import Place
from lorakit.facts.text_data import Splits, Texts, from_json, read
from lorakit.facts.text_files import folder_of
from lorakit.language.recipe.trainings import DataSource
from lorakit.plan import evaluation
from lorakit.store import atomic
from lorakit.training import metrics, reload, text_model
from lorakit.training.curve import write_curve
from lorakit.training.held_out import HeldOut
from lorakit.training.loop import Loop
from lorakit.training.memory import peak_memory
from lorakit.training.share import Share
from lorakit.training.task import LoopSettings, Report
from lorakit.training.text_batches import TextBatches, tokenized

if TYPE_CHECKING:
    from lorakit.training.engine import Job, Trainer

_MEASURED = 256  # held-out texts whose loss is measured along the training, where there are so many
_PROBED = 16  # texts on which a reloaded model must agree


@dataclass(slots=True)
class TextTask:
    """A classifier and what it learns from."""

    model: nn.Module
    batches: TextBatches
    texts: Sequence[str]

    def parameters(self) -> Mapping[str, nn.Parameter]:
        """The trainable parameters by name."""
        return {name: p for name, p in self.model.named_parameters() if p.requires_grad}

    def batch(self, number: int) -> dict[str, torch.Tensor]:
        """Token ids, mask and labels."""
        return self.batches.batch(number)

    def names(self, number: int) -> list[str]:
        """The beginnings of the texts."""
        shown = [self.texts[one] for one in self.batches.members(number)]
        return [f"'{text[:40]}…'" if len(text) > 40 else f"'{text}'" for text in shown]

    def loss(
        self,
        model: nn.Module,
        batch: Any,
        generator: torch.Generator,  # noqa: ARG002
        share: Share,
    ) -> torch.Tensor:
        """Cross-entropy of the labels."""
        loss: torch.Tensor = model(**share.cut(batch)).loss
        return loss


def train(job: Job, report: Report) -> Trainer:
    """Train one classifier; saves a checkpoint where it is closed."""
    params, extra = job["params"], job["extra"]
    began = time.monotonic()
    out, full = Path(job["out"]), params["method"] == "full"
    out.mkdir(parents=True, exist_ok=True)
    source, splits = _texts(extra["data"], params["seed"])
    tokenizer, batches = _batches(params, extra)
    held_out = batches(splits.test)
    task = TextTask(text_model.build(params, extra), batches(splits.train), splits.train.texts)
    settings = LoopSettings.of(
        params["train"],
        seed=params["seed"],
        precision=params["precision"],
        device=extra["device"],
        checkpointing_steps=extra["checkpointing_steps"],
        trackers=tuple(extra["trackers"]),
    )
    loop = Loop(task, settings, Path(job["keep"]), Path(job["logs"]))

    def measure() -> Generator[float, None, None]:
        with loop.averaged():
            yield from _some_losses(loop, held_out)

    losses = HeldOut(
        Path(job["keep"]) / "held_out.jsonl",
        settings.steps,
        loop.step_number,
        measure,
        leads=loop.leads,
    )
    try:
        if losses.due(loop.step_number):
            yield from losses.measured(loop.step_number)
        while not loop.done:
            figures = loop.step()
            told = {"loss": figures.loss, "learning_rate": figures.learning_rate}
            told |= {"held_out_loss": losses.last} if losses.losses else {}
            told |= {"memory": float(figures.memory), "training_seconds": loop.seconds}
            report(job["id"], figures.step, settings.steps, told)
            yield
            if losses.due(loop.step_number):
                yield from losses.measured(loop.step_number)
                loop.tell(held_out_loss=losses.last)
        if not loop.leads:
            return {}
        loop.close()
        with loop.averaged():
            scored = yield from _scored(loop.single, held_out, len(splits.labels), loop)
            model = loop.unwrapped()
            outputs = text_model.save(model, tokenizer, out, extra["source"], full=full)
            yield
            probe = held_out.collate(range(min(_PROBED, len(held_out.ids))))
            on_device = {k: v.to(next(model.parameters()).device) for k, v in probe.items()}
            expected = reload.logits(model, on_device).cpu()
            base = Path(extra["model_path"])
            difference = reload.check(out, base, extra["labels"], probe, expected, full=full)
    except GeneratorExit:
        loop.save()
        raise
    weights = Path(outputs["model" if full else "adapter"])
    seconds = sum(figures.seconds for figures in loop.history)
    found = {
        "kind": "train-text",
        "method": params["method"],
        "model": extra["source"],
        "data": source.texts if ":" in source.texts else Path(source.texts).name,
        "labels": list(splits.labels),
        **scored,
        "train_samples": len(splits.train.texts),
        "test_samples": len(splits.test.texts),
        "steps": settings.steps,
        "epochs": round(
            settings.steps * settings.gradient_accumulation_steps / task.batches.per_epoch, 4
        ),
        "precision": params["precision"],
        "training_seconds": round(seconds, 3),
        "wall_seconds": round(loop.wall_seconds(began), 3),
        "steps_per_second": round(settings.steps / seconds, 4) if seconds else 0.0,
        "trainable_parameters": sum(p.numel() for p in task.parameters().values()),
        "total_parameters": text_model.size(model),
        "saved_bytes": weights.stat().st_size,
        "base_model_bytes": (Path(extra["model_path"]) / "model.safetensors").stat().st_size,
        "peak_memory": peak_memory(extra["device"]),
        "reloaded_difference": difference,
    }
    return {**outputs, **_written(out, loop, losses, found, str(source.name or "training"))}


def _texts(told: Mapping[str, Any], seed: int) -> tuple[DataSource, Splits]:
    source = from_json(told, DataSource("", Place("", 0, 0)))
    place = folder_of(source)
    assert place is not None
    return source, read(source, place, seed)


def _batches(
    params: Mapping[str, Any], extra: Mapping[str, Any]
) -> tuple[Any, Callable[[Texts], TextBatches]]:
    """The model's tokenizer, and what makes batches of texts by it."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(extra["model_path"], local_files_only=True)

    def batches(part: Texts) -> TextBatches:
        ids = tokenized(tokenizer, part.texts, params["max_length"])
        pad = tokenizer.pad_token_id or 0
        batch_size, most = params["train"]["batch_size"], params["max_length"]
        return TextBatches(
            ids, part.labels, pad, batch_size, params["seed"], most, params["precision"]
        )

    return tokenizer, batches


def _some_losses(loop: Loop, texts: TextBatches) -> Iterator[float]:
    """The loss of each of some texts that are the same whenever it is asked."""
    from accelerate.utils import send_to_device

    model = loop.single
    model.eval()
    spread = range(0, len(texts.ids), -(-len(texts.ids) // _MEASURED))
    some = sorted(spread, key=lambda one: len(texts.ids[one]))  # little padding
    for start in range(0, len(some), evaluation.TEXTS):
        batch = texts.collate(some[start : start + evaluation.TEXTS])
        batch = send_to_device(batch, loop.accelerator.device)
        labels = batch.pop("labels")
        with torch.inference_mode():
            found = model(**batch).logits.float()
            each = nn.functional.cross_entropy(found, labels, reduction="none").tolist()
        yield from each


def _scored(
    model: nn.Module, texts: TextBatches, labels: int, loop: Loop
) -> Generator[None, None, dict[str, Any]]:
    """Figures on what was held out, in the training's precision."""
    from accelerate.utils import send_to_device

    model.eval()
    truth: list[int] = []
    said: list[int] = []
    total = 0.0
    for members in texts.by_length(evaluation.TEXTS):
        batch = send_to_device(texts.collate(members), loop.accelerator.device)
        with torch.inference_mode():
            found = model(**{k: v for k, v in batch.items() if k != "labels"}).logits.float()
            total += float(nn.functional.cross_entropy(found, batch["labels"], reduction="sum"))
        truth += batch["labels"].tolist()
        said += found.argmax(-1).tolist()
        yield
    matrix = metrics.confusion(truth, said, labels)
    return {
        "accuracy": round(metrics.accuracy(matrix), 6),
        "macro_f1": round(metrics.macro_f1(matrix), 6),
        "held_out_loss": round(total / len(truth), 6),
        "confusion_matrix": matrix,
    }


def _written(
    out: Path, loop: Loop, losses: HeldOut, found: Mapping[str, Any], title: str
) -> dict[str, str]:
    """Figures, the log of steps, the loss curve."""
    atomic.write_json(out / "metrics.json", found)
    lines = losses.beside(loop.history, "held_out_loss")
    atomic.write_bytes(out / "metrics.jsonl", "".join(lines).encode())
    title = f"loss: {found['method']} on {title}"
    write_curve(out / "loss_curve.png", [f.loss for f in loop.history], title, losses.points())
    return {
        "metrics": str(out / "metrics.json"),
        "log": str(out / "metrics.jsonl"),
        "curve": str(out / "loss_curve.png"),
    }
