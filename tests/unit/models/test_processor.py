"""What is promised of equal bytes is told where it does not hold."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from lorakit.diagnostics import LorakitError
from lorakit.models.loading import load_pipeline
from lorakit.training.accelerator import accelerator_for
from lorakit.training.task import LoopSettings

_RUN = """
import warnings
import torch
torch.set_float32_matmul_precision("high")
from lorakit.execute.worker import _quiet
from lorakit.models.processor import prepare_torch
_quiet()
prepare_torch(1)
warnings.warn("anything else")
print(torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32)
torch.zeros(3).put_(torch.tensor([1, 1]), torch.tensor([1.0, 2.0]))
"""


@pytest.mark.slow
def test_an_operation_without_a_deterministic_form_is_told_in_the_log() -> None:
    done = subprocess.run([sys.executable, "-c", _RUN], capture_output=True, text=True, check=True)
    assert "does not have a deterministic implementation" in done.stderr
    assert "anything else" not in done.stderr
    assert done.stdout.split() == ["highest", "False"]  # no TF32 on NVIDIA GPUs


@pytest.mark.slow
def test_what_computes_attention_is_not_a_shell_s_to_say() -> None:
    code = (
        "from lorakit.execute.worker import _quiet; _quiet()\n"
        "from diffusers.utils.constants import DIFFUSERS_ATTN_BACKEND as told; print(told)"
    )
    shell = {**os.environ, "DIFFUSERS_ATTN_BACKEND": "_native_math"}
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, env=shell, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "native"


def test_a_gpu_that_torch_cannot_use_is_an_error_and_no_silent_cpu(tiny_sd: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(LorakitError, match="the plan is for cuda, and torch cannot use it"):
        load_pipeline(tiny_sd, "sd", "fp32", "cuda")
    with pytest.raises(LorakitError, match="cannot use it"):
        accelerator_for(LoopSettings(steps=1, seed=0, learning_rate=1.0, device="cuda"), None)
