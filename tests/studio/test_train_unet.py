"""The UNet's training: what it keeps, and how its rate ends."""

from __future__ import annotations

import argparse
import importlib
import json

import numpy as np
import pytest
import torch

SCENES = 260  # four more than are held out


@pytest.fixture(scope="module")
def train_unet():
    return importlib.import_module("train_unet")


@pytest.fixture
def args(tmp_path, train_unet, studio):
    """What a training needs, in small."""
    scene_number = importlib.import_module("compose").scene_number
    lines = [json.dumps(scene_number(8, n).to_json()) for n in range(SCENES)]
    (tmp_path / "scenes.jsonl").write_text("\n".join(lines), encoding="utf-8")
    chance = np.random.default_rng(0)
    np.save(tmp_path / "latents.npy", chance.normal(size=(SCENES, 16, 16, 16)).astype(np.float16))
    np.save(tmp_path / "marks.npy", np.zeros((SCENES, 16, 16), np.uint8))
    (tmp_path / "latents.json").write_text('{"std": 1.0}', encoding="utf-8")
    train_unet.take_tokenizer(tmp_path, studio / "model")
    return argparse.Namespace(
        pool=tmp_path, work=tmp_path, start=studio / "model", seconds=1e9, batch=2, rate=1e-3,
        keep_text=True, noisy=0.7, empty=0.1, singles=0.2, focus=4.0, device="cpu", seed=0,
        processes=1, stop_after=2, float32=False, loaders=0, hard=0.0,
    )  # fmt: skip


@pytest.mark.slow
def test_a_kept_text_encoder_stays_as_it_is_while_the_unet_learns(args, train_unet):
    before = {}
    run = train_unet.Run(args, 0)
    for part in ("text_encoder", "unet"):
        weights = getattr(run.model, part).state_dict()
        before[part] = {name: value.clone() for name, value in weights.items()}
    run.train()
    state = train_unet.load_checkpoint(args.work / "unet.pt")
    assert state["step"] == 2
    moved = {
        part: sum(
            not torch.equal(value, state["model"][f"{part}.{name}"])
            for name, value in before[part].items()
        )
        for part in before
    }
    assert moved["text_encoder"] == 0
    assert moved["unet"] > 100


@pytest.mark.slow
def test_a_stopped_training_goes_on_where_it_was(args, train_unet):
    train_unet.Run(args, 0).train()
    args.stop_after = 3
    again = train_unet.Run(args, 0)
    assert again.step == 2
    again.train()
    assert train_unet.load_checkpoint(args.work / "unet.pt")["step"] == 3


@pytest.mark.slow
def test_loaders_draw_what_is_drawn_without_them(args, train_unet):
    """From the first step asked for on, in whatever order they are done with theirs."""
    tokenizer = train_unet.CLIPTokenizer.from_pretrained(args.work / "tokenizer")
    drawn = []
    for loaders in (0, 2):
        args.loaders = loaders
        batches = train_unet.Batches(args, tokenizer, torch.device("cpu"))
        drawn.append([batches.get(step, slice(None)) for step in range(3, 12)])
    for one, other in zip(*drawn, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_what_is_known_least_is_shown_most(args, train_unet):
    scenes = importlib.import_module("scenes")
    fox, owl = scenes.Actor("1f98a"), scenes.Actor("1f989", "1f451")
    some = [scenes.Scene("alone", 0, None, (fox,))] * train_unet.UNET_HELD_OUT
    some += [scenes.Scene("alone", n, None, (fox,)) for n in range(6)]
    some += [scenes.Scene("alone", n, None, (owl,)) for n in range(2)]
    # the crown is what an owl's scene weighs as
    (args.work / "known.json").write_text(
        '{"1f98a": 0.1, "1f989": 0.2, "1f451": 0.6}', encoding="utf-8"
    )
    sums = train_unet.heaps(some, args.work / "known.json")
    assert sums == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 1.2, 1.8])
    args.hard, args.singles, args.batch = 1.0, 0.0, 8
    tokenizer = train_unet.CLIPTokenizer.from_pretrained(args.work / "tokenizer")
    words = train_unet.Words(args, some, tokenizer)
    drawn = torch.cat([words[step][0] for step in range(60)]) - train_unet.UNET_HELD_OUT
    assert drawn.min() >= 0
    assert drawn.max() == 7
    assert 0.55 < (drawn >= 6).float().mean() < 0.78  # two of eight, and two thirds of the weight


def test_the_rate_rises_once_and_ends_at_nothing(train_unet):
    assert train_unet.rate_factor(0, 0.0) < 0.05
    middle = [train_unet.rate_factor(1000, part / 100) for part in range(101)]
    assert middle == sorted(middle, reverse=True)
    assert middle[0] == 1
    assert middle[-1] == pytest.approx(0, abs=1e-9)
