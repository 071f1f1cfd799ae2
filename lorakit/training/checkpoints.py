"""Checkpoints: one file each, whole or not there.

    <folder>/step-00000120.safetensors    trainable weights, the optimizer's tensors, averages;
                                          all other state as JSON in its header

The data's place and all randomness are functions of (seed, step), so the step is enough to find them.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from lorakit.training import canonical

_NAME = re.compile(r"step-([0-9]+)\.safetensors\Z")
_KEPT = 2  # the last, and one before it in case the disk damages the last


@dataclass(slots=True)
class Checkpoint:
    """The state of a loop after `step` optimizer steps; `plain` is JSON."""

    step: int
    weights: Mapping[str, torch.Tensor]
    optimizer: Mapping[str, Any]
    averages: Mapping[str, torch.Tensor] = field(default_factory=dict)
    plain: Mapping[str, Any] = field(default_factory=dict)


class Checkpoints:
    """The checkpoints of one training."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, step: int) -> Path:
        """Where a step's checkpoint stands."""
        return self.folder / f"step-{step:08d}.safetensors"

    def steps(self) -> list[int]:
        """The steps that have one, in order."""
        if not self.folder.is_dir():
            return []
        found = (_NAME.match(path.name) for path in self.folder.iterdir())
        return sorted(int(match[1]) for match in found if match)

    def save(self, one: Checkpoint) -> Path:
        """Write one; the older ones go once it is whole. Raises OSError, leaving the last one as it was."""
        tensors = {f"weight/{name}": tensor for name, tensor in one.weights.items()}
        tensors |= {f"average/{name}": tensor for name, tensor in one.averages.items()}
        rest: dict[str, Any] = {}
        for path, value in _leaves(one.optimizer["state"]):
            if isinstance(value, torch.Tensor):
                tensors[f"optimizer/{path}"] = value
            else:
                rest[path] = value
        plain = {
            "step": one.step,
            "groups": one.optimizer["param_groups"],
            "state": rest,
            "plain": one.plain,
        }
        file = self.path(one.step)
        canonical.write(file, tensors, {"loop": json.dumps(plain, sort_keys=True)})
        for old in self.steps()[:-_KEPT]:
            with contextlib.suppress(OSError):
                self.path(old).unlink()
        return file

    def last(self) -> Checkpoint | None:
        """The newest that can be read."""
        from safetensors import SafetensorError

        for step in reversed(self.steps()):
            try:
                return _read(self.path(step))
            except (OSError, ValueError, KeyError, SafetensorError):
                continue
        return None


def _read(path: Path) -> Checkpoint:
    tensors, metadata = canonical.read(path)
    plain = json.loads(metadata["loop"])
    weights: dict[str, torch.Tensor] = {}
    averages: dict[str, torch.Tensor] = {}
    state: dict[str, Any] = dict(plain["state"])
    for key, tensor in tensors.items():
        what, _, name = key.partition("/")
        if what == "weight":
            weights[name] = tensor
        elif what == "average":
            averages[name] = tensor
        else:
            state[name] = tensor
    optimizer = {"state": _tree(state), "param_groups": plain["groups"]}
    return Checkpoint(plain["step"], weights, optimizer, averages, plain["plain"])


def _leaves(state: Mapping[Any, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """An optimizer's state flat, such as `0/exp_avg`; bitsandbytes keeps mappings within it."""
    for key, value in state.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{before}{key}/")
        else:
            yield f"{before}{key}", value


def _tree(leaves: Mapping[str, Any]) -> dict[Any, Any]:
    """The way back; parameters are counted, what is kept of them has names."""
    found: dict[Any, Any] = {}
    for path, value in leaves.items():
        number, *names, last = path.split("/")
        inner = found.setdefault(int(number), {})
        for name in names:
            inner = inner.setdefault(name, {})
        inner[last] = value
    return found
