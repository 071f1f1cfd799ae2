"""Our steps/s against Hugging Face's Trainer with peft, side by side.

    python benchmarks/training_text.py [STEPS [PRECISION]]

Same model (lorakit:minilm), texts, batch of 32, targets, optimizer, precision; compare on an idle
machine only. The Trainer is what its documentation has: dynamic padding, batches in random order.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from lorakit.diagnostics import Place
from lorakit.facts.text_data import read
from lorakit.facts.text_files import folder_of
from lorakit.facts.text_models import minilm_folder
from lorakit.language.trainings import DataSource
from lorakit.training import text_model
from lorakit.training.frozen import FrozenWeights
from lorakit.training.loop import Loop
from lorakit.training.task import LoopSettings
from lorakit.training.text import TextTask
from lorakit.training.text_batches import TextBatches, tokenized

BATCH, WARM = 32, 2
LORA = {
    "rank": 8,
    "alpha": 16.0,
    "dropout": 0.0,
    "target_modules": ["query", "key", "value", "dense"],
    "use_rslora": False,
    "use_dora": False,
    "modules_to_save": [],
}
LABELS = ["negative", "positive"]


def built(method: str) -> Any:
    params = {"seed": 7, "method": method, "lora": LORA, "train": {"gradient_checkpointing": False}}
    extra = {"model_path": str(minilm_folder()), "labels": LABELS, "source": "lorakit:minilm"}
    return text_model.build(params, extra)


def ours(method: str, precision: str, steps: int, ids: Any, labels: Any) -> float:
    model = built(method)
    FrozenWeights(model, precision)
    task = TextTask(model, TextBatches(ids, labels, 0, BATCH, 7), [""] * len(ids))
    settings = LoopSettings(steps + WARM, 7, 1e-3, precision=precision)
    loop = Loop(task, settings)
    while not loop.done:
        loop.step()
    return steps / sum(figures.seconds for figures in loop.history[WARM:])


def theirs(method: str, precision: str, steps: int, ids: Any, labels: Any, tokenizer: Any) -> float:
    from transformers import DataCollatorWithPadding, Trainer, TrainerCallback, TrainingArguments

    began: list[float] = []

    class Clock(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            began.append(time.monotonic())

    rows = [{"input_ids": one, "labels": label} for one, label in zip(ids, labels, strict=True)]
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            per_device_train_batch_size=BATCH,
            max_steps=steps + WARM,
            learning_rate=1e-3,
            lr_scheduler_type="cosine",
            bf16=precision == "bf16",
            use_cpu=True,
            report_to=[],
            save_strategy="no",
            disable_tqdm=True,
            seed=7,
        )
        Trainer(
            built(method),
            arguments,
            train_dataset=rows,
            data_collator=DataCollatorWithPadding(tokenizer),
            callbacks=[Clock()],
        ).train()
    return steps / (began[-1] - began[WARM - 1])


def main() -> None:
    from accelerate.state import AcceleratorState, GradientState
    from transformers import AutoTokenizer

    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    precision = sys.argv[2] if len(sys.argv) > 2 else "bf16"
    source = DataSource("reviews", Place("", 0, 0), texts="lorakit:movie-snippets")
    place = folder_of(source)
    assert isinstance(place, Path)
    train = read(source, place, 7).train
    tokenizer = AutoTokenizer.from_pretrained(minilm_folder())
    ids = tokenized(tokenizer, train.texts, 128)
    print(f"{steps} steps of {BATCH}, {precision}, {torch.get_num_threads()} threads; steps/s")
    rates: dict[str, float] = {}
    for method in ("lora", "full"):
        pair = {}
        for name in random.Random(0).sample(["ours", "Trainer"], 2):
            arguments = (method, precision, steps, ids, train.labels)
            pair[name] = ours(*arguments) if name == "ours" else theirs(*arguments, tokenizer)
            AcceleratorState._reset_state(reset_partial_state=True)  # noqa: SLF001
            GradientState._reset_state()  # noqa: SLF001
        ratio = pair["ours"] / pair["Trainer"]
        rates[method] = pair["ours"]
        print(f"{method}: ours {pair['ours']:.2f}, Trainer {pair['Trainer']:.2f}: {ratio:.2f}x")
    print(f"ours, LoRA against full: {rates['lora'] / rates['full']:.2f}x")


if __name__ == "__main__":
    main()
