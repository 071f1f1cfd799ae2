"""What is promised of equal bytes is told where it does not hold."""

from __future__ import annotations

import subprocess
import sys

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
