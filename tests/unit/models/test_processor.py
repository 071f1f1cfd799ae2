"""What is promised of equal bytes is told where it does not hold."""

from __future__ import annotations

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
from lorakit.execute.worker import _quiet
from lorakit.models.processor import prepare_torch
_quiet()
prepare_torch(1)
warnings.warn("anything else")
torch.zeros(3).put_(torch.tensor([1, 1]), torch.tensor([1.0, 2.0]))
"""


def test_an_operation_without_a_deterministic_form_is_told_in_the_log() -> None:
    done = subprocess.run([sys.executable, "-c", _RUN], capture_output=True, text=True, check=True)
    assert "does not have a deterministic implementation" in done.stderr
    assert "anything else" not in done.stderr


def test_a_gpu_that_torch_cannot_use_is_an_error_and_no_silent_cpu(tiny_sd: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(LorakitError, match="the plan is for cuda, and torch cannot use it"):
        load_pipeline(tiny_sd, "sd", "fp32", "cuda")
    with pytest.raises(LorakitError, match="cannot use it"):
        accelerator_for(LoopSettings(steps=1, seed=0, learning_rate=1.0, device="cuda"), None)
