"""Our steps/s against Hugging Face's Trainer with peft, side by side.

    python benchmarks/training_text.py [STEPS [PRECISION]]

Same model (lorakit:minilm), texts, batch of 32, targets, optimizer, rates, precision; compare on an idle
machine only. The Trainer is what its documentation has: dynamic padding, batches in random order. Beside
each speed stands the accuracy on the held-out texts after as many steps, which is not timed.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from lorakit.diagnostics import Place
from lorakit.facts.texts.text_data import Texts, read
from lorakit.facts.texts.text_files import folder_of
from lorakit.facts.texts.text_models import minilm_folder
from lorakit.language.recipe.trainings import DataSource
from lorakit.plan.tasks.training import LoraArguments, TrainArguments, TrainTextTask
from lorakit.training import text_model
from lorakit.training.loop import Loop
from lorakit.training.task import LoopSettings
from lorakit.training.text_batches import TextBatches, tokenized
from lorakit.training.text_task import TextTask

BATCH, WARM = 32, 2
LORA = LoraArguments(
    rank=8,
    alpha=16.0,
    dropout=0.0,
    target_modules=("query", "key", "value", "dense"),
    use_rslora=False,
    use_dora=False,
    modules_to_save=(),
)
LABELS = ["negative", "positive"]
RATES = {"lora": 1e-3, "full": 1e-4}
DECAY = 0.01


@dataclass(frozen=True, slots=True)
class Prepared:
    """Tokenized texts in our batches, and what tokenized them."""

    tokenizer: Any
    train: TextBatches
    held_out: TextBatches


def prepared(precision: str) -> Prepared:
    from transformers import AutoTokenizer

    source = DataSource("reviews", Place("", 0, 0), texts="lorakit:movie-snippets")
    place = folder_of(source)
    assert isinstance(place, Path)
    splits = read(source, place, 7)
    tokenizer = AutoTokenizer.from_pretrained(minilm_folder())

    def batches(part: Texts) -> TextBatches:
        return TextBatches(
            tokenized(tokenizer, part.texts, 128), part.labels, 0, BATCH, 7, 128, precision
        )

    return Prepared(tokenizer, batches(splits.train), batches(splits.test))


def _arguments(method: str) -> TrainArguments:
    return TrainArguments(
        steps=0,
        batch_size=BATCH,
        gradient_accumulation_steps=1,
        learning_rate=RATES[method],
        lr_scheduler="cosine",
        lr_warmup_steps=0,
        optimizer="adamw",
        weight_decay=DECAY,
        max_grad_norm=1.0,
        ema_decay=0.0,
        gradient_checkpointing=False,
        torch_compile=False,
        processes=1,
    )


def built(method: str) -> Any:
    return text_model.build(
        TrainTextTask(
            model=None,
            data=None,
            reading={},
            method=method,
            max_length=128,
            seed=7,
            precision="fp32",
            device_class="",
            train=_arguments(method),
            lora=LORA if method == "lora" else None,
            model_path=str(minilm_folder()),
            source="lorakit:minilm",
            labels=tuple(LABELS),
        )
    )


def ours(method: str, precision: str, steps: int, texts: Prepared) -> tuple[float, float]:
    """Steps/s and accuracy."""
    task = TextTask(built(method), texts.train, [""] * len(texts.train.ids))
    settings = LoopSettings(steps + WARM, 7, RATES[method], precision=precision, weight_decay=DECAY)
    loop = Loop(task, settings)
    ended = []
    while not loop.done:
        loop.step()
        ended.append(time.monotonic())
    rate = steps / (ended[-1] - ended[WARM - 1])
    return rate, accuracy(loop.single, precision, texts.held_out)


def theirs(method: str, precision: str, steps: int, texts: Prepared) -> tuple[float, float]:
    """Steps/s and accuracy."""
    from transformers import DataCollatorWithPadding, Trainer, TrainerCallback, TrainingArguments

    ended: list[float] = []

    class Clock(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            ended.append(time.monotonic())

    pairs = zip(texts.train.ids, texts.train.labels, strict=True)
    rows = [{"input_ids": one, "labels": label} for one, label in pairs]
    model = built(method)
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            per_device_train_batch_size=BATCH,
            max_steps=steps + WARM,
            learning_rate=RATES[method],
            weight_decay=DECAY,
            lr_scheduler_type="cosine",
            bf16=precision == "bf16",
            use_cpu=True,
            report_to=[],
            save_strategy="no",
            disable_tqdm=True,
            seed=7,
        )
        Trainer(
            model,
            arguments,
            train_dataset=rows,
            data_collator=DataCollatorWithPadding(texts.tokenizer),
            callbacks=[Clock()],
        ).train()
    rate = steps / (ended[-1] - ended[WARM - 1])
    return rate, accuracy(model, precision, texts.held_out)


def accuracy(model: Any, precision: str, held_out: TextBatches) -> float:
    """The share of held-out texts named right, in the training's precision."""
    model.eval()
    right = 0
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, precision == "bf16"):
        for members in held_out.by_length(BATCH):
            batch = held_out.collate(members)
            labels = batch.pop("labels")
            right += int((model(**batch).logits.argmax(-1) == labels).sum())
    return right / len(held_out.ids)


def main() -> None:
    from accelerate.state import AcceleratorState, GradientState

    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    precision = sys.argv[2] if len(sys.argv) > 2 else "bf16"
    torch.set_flush_denormal(True)  # for both: it stays on for the process
    texts = prepared(precision)
    print(f"{steps} steps of {BATCH}, {precision}, {torch.get_num_threads()} threads; steps/s")
    speeds: dict[str, float] = {}
    for method in ("lora", "full"):
        pair = {}
        for name in random.Random(0).sample(["ours", "Trainer"], 2):
            measured = ours if name == "ours" else theirs
            pair[name] = measured(method, precision, steps, texts)
            AcceleratorState._reset_state(reset_partial_state=True)  # noqa: SLF001
            GradientState._reset_state()  # noqa: SLF001
        (speed, right), (their_speed, their_right) = pair["ours"], pair["Trainer"]
        speeds[method] = speed
        print(
            f"{method}: ours {speed:.2f} ({right:.2%} right), "
            f"Trainer {their_speed:.2f} ({their_right:.2%} right): {speed / their_speed:.2f}x"
        )
    print(f"ours, LoRA against full: {speeds['lora'] / speeds['full']:.2f}x")


if __name__ == "__main__":
    main()
