"""A task that is small and has everything: dropout, noise of its own, ragged batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import torch
from torch import nn

from lorakit.training.rank_shard import RankShard
from lorakit.training.task import LoopSettings, seeded


@dataclass
class Toy:
    """Learns to double numbers; `poison` is the pass whose batch is broken."""

    seed: int = 3
    poison: int = -1
    scale: float = 1.0
    width: int = 8
    model: nn.Module = field(init=False)

    def __post_init__(self) -> None:
        seeded(self.seed, "model")
        self.model = nn.Sequential(
            nn.Linear(4, self.width), nn.Dropout(0.3), nn.Linear(self.width, 4)
        )
        self.model[0].bias.requires_grad_(requires_grad=False)

    def parameters(self) -> dict[str, nn.Parameter]:
        return {n: p for n, p in self.model.named_parameters() if p.requires_grad}

    def batch(self, number: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(self.seed * 1000 + number)
        batch = torch.randn(3, 4, generator=generator) * self.scale
        return batch / 0 if number == self.poison else batch

    def names(self, number: int) -> list[str]:
        return [f"sample {number}.{k}" for k in range(3)]

    def loss(
        self, model: nn.Module, batch: torch.Tensor, generator: torch.Generator, shard: RankShard
    ) -> torch.Tensor:
        noise = shard.cut(torch.randn(batch.shape, generator=generator))
        batch = shard.cut(batch)
        return ((model(batch + 0.1 * noise) - 2 * batch) ** 2).mean()


@pytest.fixture
def toy() -> type[Toy]:
    return Toy


@pytest.fixture
def settings() -> LoopSettings:
    return LoopSettings(
        steps=12,
        seed=5,
        learning_rate=1e-2,
        gradient_accumulation_steps=2,
        lr_warmup_steps=3,
        ema_decay=0.9,
    )


@pytest.fixture(autouse=True)
def fresh_accelerate() -> Iterator[None]:
    """Accelerate keeps its state for a whole process; a training has one to itself."""
    from accelerate.state import AcceleratorState, GradientState

    yield
    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()
