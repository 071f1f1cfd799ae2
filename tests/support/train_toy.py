"""`python -m tests.support.train_toy FOLDER`: what each of the processes does that share a small training.

Dropout is off, since each row drops out by its process's own chance. The first process prints what was learnt.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import torch

from lorakit.training.loop import Loop
from lorakit.training.task import LoopSettings
from tests.unit.training.conftest import Toy


class Uneven(Toy):
    """3, 1 and 2 rows: none divides well."""

    def batch(self, number: int) -> torch.Tensor:
        return super().batch(number)[: (3, 1, 2)[number % 3]]


def main() -> None:
    """Train in the group that the environment names, if it names one."""
    task = Uneven()
    task.model[1].p = 0.0  # type: ignore[index,union-attr]
    settings = LoopSettings(
        steps=12,
        seed=5,
        learning_rate=1e-2,
        gradient_accumulation_steps=2,
        ema_decay=0.9,
        max_grad_norm=0.5,
        checkpointing_steps=4,
    )
    loop = Loop(task, settings, Path(sys.argv[1]))
    while not loop.done:
        loop.step()
    if loop.leads:
        found = {
            "of": loop._shard.of,
            "kind": str(loop.accelerator.distributed_type),
            "losses": [f.loss for f in loop.history],
            "norms": [f.grad_norm for f in loop.history],
            "weights": [v for p in loop._weights.values() for v in p.detach().reshape(-1).tolist()],
            "averages": [v for p in loop._averages.values() for v in p.reshape(-1).tolist()],
        }
        print(json.dumps(found), flush=True)
    # together, and at once as ranks do: torch's gloo may lock up where a model is the last to hold its group
    loop.accelerator.wait_for_everyone()
    os._exit(0)


if __name__ == "__main__":
    main()
