"""`python -m lorakit.training.reload`: load what a training saved in a fresh process, compare what it says.

An adapter that only its own process can use is worth nothing; keys, alpha or a head may have been lost. What
is compared is each kind's own: `text_reload` and `image_reload`.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lorakit import children
from lorakit.diagnostics import LorakitError
from lorakit.models.processor import prepare_torch
from lorakit.training import canonical

_ATTEMPTS = 3  # at a process that something else ends
# kind of training -> the function (words, tensors) -> figures that compares; imported in the fresh process
_COMPARERS = {
    "train-text": "lorakit.training.text_reload:compared",
    "train-image": "lorakit.training.image_reload:compared",
}


def in_fresh_process(
    kind: str, folder: Path, words: Mapping[str, object], tensors: Mapping[str, Tensor]
) -> dict[str, float]:
    """What a fresh process finds of `words` (JSON) and `tensors`, which pass through a file in `folder`.

    Raises LorakitError where what was saved cannot be loaded.
    """
    probe = folder / "probe.safetensors"
    canonical.write(probe, tensors)
    request = {
        "kind": kind,
        "probe": str(probe),
        "threads": torch.get_num_threads(),
        "words": words,
    }
    try:
        for _ in range(_ATTEMPTS):
            done = subprocess.run(
                children.python("lorakit.training.reload"),
                env=children.environment(),
                input=json.dumps(request),
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode >= 0:
                break
    finally:
        probe.unlink()
    sys.stderr.write(done.stderr)
    if done.returncode < 0:
        raise LorakitError(
            f"the process that loads what was saved was ended {_ATTEMPTS} times (signal "
            f"{-done.returncode}); was memory short? run again to go on"
        )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [""])[-1]
        raise LorakitError(f"what was saved cannot be loaded again: {last}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def main() -> None:
    """Read a job from standard input, tell what was found."""
    request: dict[str, Any] = json.loads(sys.stdin.read())
    out, sys.stdout = sys.stdout, sys.stderr
    prepare_torch(request["threads"])
    tensors, _ = canonical.read(Path(request["probe"]))
    module, name = _COMPARERS[request["kind"]].split(":")
    figures = getattr(importlib.import_module(module), name)(request["words"], tensors)
    out.write(json.dumps(figures) + "\n")
    out.flush()


if __name__ == "__main__":
    main()
