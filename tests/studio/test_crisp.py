"""The decoder's training against a network of patches: what it keeps, and where it looks."""

from __future__ import annotations

import argparse
import importlib

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

COUNT = 68  # four more than are held out
WEIGHTS = "vae/diffusion_pytorch_model.safetensors"


@pytest.fixture
def train_crisp(studio):
    return importlib.import_module("train_crisp")


@pytest.fixture
def args(tmp_path, studio):
    """What a training needs, in small."""
    chance = np.random.default_rng(0)
    np.save(tmp_path / "pictures.npy", chance.integers(0, 255, (COUNT, 128, 128, 3), np.uint8))
    np.save(tmp_path / "marks.npy", chance.integers(0, 255, (COUNT, 16, 16), np.uint8))
    for name in ("latents", "redrawn"):
        values = chance.normal(size=(COUNT, 16, 16, 16)).astype(np.float16)
        np.save(tmp_path / f"{name}.npy", values)
    return argparse.Namespace(
        pool=tmp_path, work=tmp_path, start=studio / "model", seconds=1e9, batch=2, redrawn=0.5,
        rate=1e-3, patch_rate=1e-3, head_start=0, noise=0.01, adversarial=0.5, matched=0.2, judged=0.1, seed=0,
    )  # fmt: skip


@pytest.mark.slow
def test_only_the_decoder_of_an_exported_model_has_changed(args, train_crisp, tmp_path):
    run = train_crisp.Run(args)
    losses = [run.take_step() for _ in range(2)]
    assert all(np.isfinite(list(found.values())).all() for found in losses)
    run.save()
    train_crisp.export(args.work, args.start, tmp_path / "out", 1.0)
    for path in args.start.rglob("*"):
        name = path.relative_to(args.start)
        if path.is_file() and str(name) != WEIGHTS:
            assert (tmp_path / "out" / name).read_bytes() == path.read_bytes()
    old, new = load_file(args.start / WEIGHTS), load_file(tmp_path / "out" / WEIGHTS)
    assert old.keys() == new.keys()
    moved = {name.split(".")[0] for name in old if not torch.equal(old[name], new[name])}
    assert moved == {"decoder"}
    train_crisp.export(args.work, args.start, tmp_path / "half", 0.5)
    between = load_file(tmp_path / "half" / WEIGHTS)
    for name in old:
        middle = (old[name].float() + new[name].float()) / 2
        torch.testing.assert_close(between[name].float(), middle, rtol=2e-3, atol=1e-4)


def test_the_adversary_alone_leaves_the_decoder_as_it_is(args, train_crisp):
    run = train_crisp.Run(args)
    before = {name: value.clone() for name, value in run.vae.state_dict().items()}
    patches = {name: value.clone() for name, value in run.patches.state_dict().items()}
    run.take_step(first=True)
    assert all(torch.equal(value, before[name]) for name, value in run.vae.state_dict().items())
    assert any(not torch.equal(v, patches[n]) for n, v in run.patches.state_dict().items())


def test_a_checkerboard_costs_more_than_noise_of_its_strength(studio):
    crisp = importlib.import_module("crisp")
    board = torch.ones(16, 16)
    board[::2, ::2] = board[1::2, 1::2] = -1
    noise = torch.randn(16, 16, generator=torch.Generator().manual_seed(0)).sign()
    costs = [crisp.alternation(one.expand(1, 3, 16, 16)) for one in (board, noise)]
    assert costs[0] > 4 * costs[1]


@pytest.mark.slow
def test_it_goes_on_where_it_was_stopped(args, train_crisp):
    run = train_crisp.Run(args)
    run.take_step()
    run.save()
    again = train_crisp.Run(args)
    assert again.step == 1
    for one, other in ((run.vae.decoder, again.vae.decoder), (run.patches, again.patches)):
        theirs = other.state_dict()
        assert all(torch.equal(value, theirs[name]) for name, value in one.state_dict().items())


def test_crops_show_what_is_marked_and_stay_within_the_picture(train_crisp):
    marks = np.zeros((16, 16), np.uint8)
    marks[15, 2] = 255
    chance = np.random.default_rng(0)
    corners = [train_crisp.corner(marks, chance) for _ in range(200)]
    inside = 16 - train_crisp.CROP
    assert all(0 <= row <= inside and 0 <= column <= inside for row, column in corners)
    assert sum(row == inside and column <= 2 for row, column in corners) > 50
    assert len({column for _, column in corners}) > 2
