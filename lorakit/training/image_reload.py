"""`python -m lorakit.training.image_reload`: a fresh process loads an adapter by diffusers' own loader.

What it predicts is compared with what the trained UNet predicted.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lorakit.diagnostics import LorakitError
from lorakit.training import canonical

TOLERANCE = 1e-3  # of the greatest value predicted: other sums in another process


@torch.inference_mode()
def predicted(unet: Any, batch: dict[str, Tensor]) -> Tensor:
    """What a UNet says of (1, C, h, w) latents, in fp32 on the CPU."""
    unet.eval()
    device = next(unet.parameters()).device
    given = {name: tensor.to(device) for name, tensor in batch.items()}
    added = {k: given[k] for k in ("text_embeds", "time_ids") if k in given}
    said: Tensor = unet(
        given["latents"],
        given["times"],
        encoder_hidden_states=given["embeds"],
        added_cond_kwargs=added or None,
        return_dict=False,
    )[0]
    return said.float().cpu().clone()


def check(file: Path, base: Path, family: str, batch: dict[str, Tensor], expected: Tensor) -> float:
    """The greatest difference, as a share of the greatest value. Raises LorakitError."""
    probe = file.with_name("probe.safetensors")
    canonical.write(probe, {**batch, "expected": expected})
    words = {"file": str(file), "base": str(base), "family": family, "probe": str(probe)}
    done = subprocess.run(
        [sys.executable, "-m", "lorakit.training.image_reload"],
        input=json.dumps({**words, "threads": torch.get_num_threads()}),
        capture_output=True,
        text=True,
        check=False,
    )
    probe.unlink()
    sys.stderr.write(done.stderr)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [""])[-1]
        raise LorakitError(f"the adapter that was saved cannot be loaded again: {last}")
    difference = float(json.loads(done.stdout.splitlines()[-1])["difference"])
    if not difference <= TOLERANCE:
        raise LorakitError(
            f"the adapter that was saved draws something else once it is loaded: {difference:.2g}"
        )
    return difference


def main() -> None:
    """Read a job from standard input, tell the difference."""
    words: dict[str, Any] = json.loads(sys.stdin.read())
    out, sys.stdout = sys.stdout, sys.stderr
    torch.set_num_threads(words["threads"])
    from lorakit.models.loading import load_pipeline

    batch, _ = canonical.read(Path(words["probe"]))
    expected = batch.pop("expected")
    pipeline = load_pipeline(Path(words["base"]), words["family"], "fp32", "cpu")
    file = Path(words["file"])
    pipeline.load_lora_weights(str(file.parent), weight_name=file.name, adapter_name="a")
    said = predicted(pipeline.unet, batch)
    share = float((said - expected).abs().max() / expected.abs().max().clamp_min(1e-8))
    out.write(json.dumps({"difference": share}) + "\n")
    out.flush()


if __name__ == "__main__":
    main()
