"""`python -m tests.support.train_alone MODEL HOME PROCESSES KEYS`: a training on pictures in a process of its own.

It prints the losses of its steps and what its engine told at the end, as JSON.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

from lorakit.plan.engine_specs import NOTHING
from lorakit.training.engine import TrainEngine
from tests.support.image_training import encoded, fox_recipe


def main() -> None:
    """Train three steps of UNet and text encoders."""
    warnings.simplefilter("ignore")
    model, home = map(Path, sys.argv[1:3])
    processes, more = sys.argv[3:]
    home.mkdir()
    step = (
        f"{more}train_text_encoder: true, lora: {{rank: 2}}, "
        "train: {max_train_steps: 3, batch_size: 2, learning_rate: 1e-3, precision: fp32}, "
        f"resources: {{processes: {processes}}}"
    )
    _, job, _ = encoded(fox_recipe(home, model, step), home / "scratch")
    losses: list[float] = []

    def report(_job: str, _done: int, _total: int, figures: Any = None) -> None:
        losses.append(figures["loss"])

    engine = TrainEngine(NOTHING, report)
    engine.submit(job)
    ended: list[Any] = []
    while engine.busy:
        ended += engine.step()
    print(json.dumps({"losses": losses, "ended": ended}))


if __name__ == "__main__":
    main()
