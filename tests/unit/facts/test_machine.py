"""What a machine says of its GPUs, found out without torch."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lorakit.facts import machine
from lorakit.facts.machine import Machine


@pytest.fixture
def two_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """A machine whose driver tells of two GPUs."""
    tool = tmp_path / "nvidia-smi"
    lines = r"NVIDIA H100, 9.0, 81559\nNVIDIA H100, 9.0, 81559"
    tool.write_text(f'#!{sys.executable}\nprint("{lines}")\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    machine._nvidias.cache_clear()
    machine._memory.cache_clear()
    yield Machine("cuda", "cuda-nvidia-h100", "NVIDIA H100", fast_bf16=True)
    machine._nvidias.cache_clear()
    machine._memory.cache_clear()


def test_gpus_are_counted_and_only_those_that_may_be_used(
    two_gpus: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert two_gpus.gpus == 2
    assert two_gpus.memory == 81559 << 20
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert two_gpus.gpus == 1
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert two_gpus.gpus == 0


def test_a_cpu_has_none(two_gpus: Machine) -> None:
    assert Machine("cpu", "cpu-test", "CPU", fast_bf16=False).gpus == 0
