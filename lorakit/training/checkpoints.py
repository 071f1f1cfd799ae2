"""Checkpoints: one file each, whole or not there.

    <folder>/step-00000120.safetensors    trainable weights, the optimizer's tensors, averages;
                                          all other state as JSON in its header, with a digest of it all

The data's place and all randomness are functions of (seed, step), so the step is enough to find them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from lorakit.training import canonical

_NAME = re.compile(r"step-([0-9]+)\.safetensors\Z")
_LOG = logging.getLogger("lorakit")  # what is told here stands in the run's notes
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
        names = (_NAME.match(path.name) for path in self.folder.iterdir())
        return sorted(int(match[1]) for match in names if match)

    def save(self, checkpoint: Checkpoint) -> Path:
        """Write one; the older ones go once it is whole. Raises OSError, leaving the last one as it was."""
        tensors = {f"weight/{name}": tensor for name, tensor in checkpoint.weights.items()}
        tensors |= {f"average/{name}": tensor for name, tensor in checkpoint.averages.items()}
        rest: dict[str, Any] = {}
        for path, value in _leaves(checkpoint.optimizer["state"]):
            if isinstance(value, torch.Tensor):
                tensors[f"optimizer/{path}"] = value
            else:
                rest[path] = value
        plain = {
            "step": checkpoint.step,
            "groups": checkpoint.optimizer["param_groups"],
            "state": rest,
            "plain": checkpoint.plain,
        }
        file = self.path(checkpoint.step)
        loop = json.dumps(plain, sort_keys=True)
        canonical.write(file, tensors, {"loop": loop, "sha256": _digest(tensors, loop)})
        for old in self.steps()[:-_KEPT]:
            with contextlib.suppress(OSError):
                self.path(old).unlink()
        return file

    def last(self) -> Checkpoint | None:
        """The newest that is whole. A damaged one is told of and put out of the way."""
        from safetensors import SafetensorError

        for step in reversed(self.steps()):
            try:
                return _read(self.path(step))
            except OSError as error:
                _LOG.warning("the checkpoint of step %d cannot be read: %s", step, error)
            except (ValueError, TypeError, KeyError, AttributeError, SafetensorError):
                _LOG.warning("the checkpoint of step %d is damaged: an earlier one is taken", step)
                with contextlib.suppress(OSError):
                    self.path(step).unlink()
        return None


def _digest(tensors: Mapping[str, torch.Tensor], loop: str) -> str:
    """SHA-256 of a checkpoint's state, whatever the order in its file."""
    digest = hashlib.sha256(loop.encode())
    for name in sorted(tensors):
        flat = tensors[name].detach().cpu().contiguous()
        digest.update(f"\n{name} {flat.dtype} {list(flat.shape)}\n".encode())
        if flat.numel():
            bytes_: Any = flat.reshape(-1).view(torch.uint8).numpy()
            digest.update(bytes_)
    return digest.hexdigest()


def _read(path: Path) -> Checkpoint:
    tensors, metadata = canonical.read(path)
    if metadata["sha256"] != _digest(tensors, metadata["loop"]):
        raise ValueError(f"{path} is damaged")
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
    tree: dict[Any, Any] = {}
    for path, value in leaves.items():
        number, *names, last = path.split("/")
        inner = tree.setdefault(int(number), {})
        for name in names:
            inner = inner.setdefault(name, {})
        inner[last] = value
    return tree
