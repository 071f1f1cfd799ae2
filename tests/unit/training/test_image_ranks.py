"""Trainings on pictures that several processes share."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from lorakit import children
from lorakit.training import ranks


def trained(
    model: Path, home: Path, processes: int, more: str = ""
) -> tuple[list[float], dict[str, torch.Tensor]]:
    done = subprocess.run(
        children.python("tests.support.train_alone", str(model), str(home), str(processes), more),
        env=children.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    (ended,) = told["ended"]
    assert "error" not in ended, ended["error"]
    return told["losses"], load_file(ended["outputs"]["adapter"])


@pytest.mark.slow
def test_sdxl_with_its_text_encoders_is_trained_by_two_processes_as_by_one(
    tiny_sdxl: Path, tmp_path: Path
) -> None:
    """No pass reaches the last layer of its first text encoder: the second step must not wait for it."""
    one, alone = trained(tiny_sdxl, tmp_path / "one", 1)
    two, shared = trained(tiny_sdxl, tmp_path / "two", 2)
    assert len(two) == 3
    assert two == pytest.approx(one, abs=1e-5)
    assert alone.keys() == shared.keys()
    assert any("text_encoder" in name for name in shared)
    for name, tensor in alone.items():
        assert torch.allclose(tensor, shared[name], atol=1e-4), name


@pytest.mark.slow
def test_layers_that_clip_skip_leaves_out_are_not_waited_for(tiny_sd: Path, tmp_path: Path) -> None:
    losses, adapter = trained(tiny_sd, tmp_path / "two", 2, "clip_skip: 1, ")
    assert len(losses) == 3
    assert any("text_encoder" in name for name in adapter)


def test_each_process_has_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[int] = []
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    ranks.take_own_gpu("cuda")
    monkeypatch.setenv("LOCAL_RANK", "1")
    ranks.take_own_gpu("cpu")
    assert chosen == []
    ranks.take_own_gpu("cuda")
    assert chosen == [1]
