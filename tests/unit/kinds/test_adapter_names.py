"""An adapter from a file and a step may share a name, as long as it is clear which is meant."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file

import lorakit


def test_complaint_an_adapter_and_the_step_that_wears_it_may_have_one_name(
    tmp_path: Path, tiny_sd: Path
) -> None:
    stem = "lora_unet_mid_block_attentions_0_proj_in"
    tensors = {
        f"{stem}.lora_down.weight": torch.ones(2, 64),
        f"{stem}.lora_up.weight": torch.ones(64, 2),
    }
    save_file(tensors, tmp_path / "ink.safetensors")
    (tmp_path / ".lorakit").mkdir()
    shutil.copytree(tiny_sd, tmp_path / "tiny")
    (tmp_path / "recipe.yaml").write_text(
        "recipe: 1\nmodels: {tiny: {from: tiny}}\nadapters: {ink: {from: ink.safetensors}}\n"
        "steps:\n  ink: {kind: generate, prompts: [a fox], adapters: {ink: 1}}\n"
        "  other: {kind: generate, prompts: [a fox], adapters: {ink: 1}}\n"
    )
    session = lorakit.load(tmp_path / "recipe.yaml")
    frames = {p.action.id: p.action for p in session.plan().actions}
    assert {"ink/1", "other/1"} <= set(frames)
    assert frames["other/1"].inputs == ()
