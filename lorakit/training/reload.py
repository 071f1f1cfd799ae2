"""`python -m lorakit.training.reload`: load what a training saved in a fresh process, compare its outputs.

An adapter that only its own process can use is worth nothing; keys, alpha or a head may have been lost.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from lorakit import children
from lorakit.diagnostics import LorakitError
from lorakit.models.processor import prepare_torch
from lorakit.training import canonical

TOLERANCE = 1e-4  # of fp32 logits, absolute: other sums in another process


def check(
    folder: Path,
    base: Path,
    labels: Sequence[str],
    batch: Mapping[str, torch.Tensor],
    expected: torch.Tensor,
    *,
    full: bool,
) -> float:
    """Have a fresh process load `folder`; returns the greatest difference of its logits.

    Raises LorakitError where it cannot be loaded or says something else.
    """
    probe = folder / "probe.safetensors"
    tensors = {name: tensor for name, tensor in batch.items() if name != "labels"}
    canonical.write(probe, {**tensors, "expected": expected})
    words = {"folder": str(folder), "base": str(base), "labels": list(labels), "full": full}
    done = subprocess.run(
        children.python("lorakit.training.reload"),
        env=children.environment(),
        input=json.dumps({**words, "probe": str(probe), "threads": torch.get_num_threads()}),
        capture_output=True,
        text=True,
        check=False,
    )
    probe.unlink()
    sys.stderr.write(done.stderr)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [""])[-1]
        raise LorakitError(f"what was saved cannot be loaded again: {last}")
    difference = float(json.loads(done.stdout.splitlines()[-1])["difference"])
    if not difference <= TOLERANCE:
        raise LorakitError(
            f"what was saved says something else once it is loaded: logits differ by {difference:.2g}"
        )
    return difference


def logits(model: Any, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """fp32 logits (B, labels) of a model as it stands."""
    model.eval()
    with torch.inference_mode():
        inputs = {name: tensor for name, tensor in batch.items() if name != "labels"}
        return model(**inputs).logits.float().clone()


def main() -> None:
    """Read a job from standard input, tell the greatest difference of the logits."""
    words: dict[str, Any] = json.loads(sys.stdin.read())
    out, sys.stdout = sys.stdout, sys.stderr
    prepare_torch(words["threads"])
    from lorakit.training.text_model import load

    tensors, _ = canonical.read(Path(words["probe"]))
    expected = tensors.pop("expected")
    model = load(Path(words["folder"]), Path(words["base"]), words["labels"], full=words["full"])
    difference = float((logits(model, tensors) - expected).abs().max())
    out.write(json.dumps({"difference": difference}) + "\n")
    out.flush()


if __name__ == "__main__":
    main()
