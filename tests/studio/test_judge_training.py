"""Judges' labels, the harm done to their pictures, and that a run learns, stops and goes on."""

from __future__ import annotations

import argparse
import importlib
import json
import sys

import numpy as np
import pytest
import torch


@pytest.fixture(scope="module")
def data():
    return importlib.import_module("judge_data")


def test_labels_name_what_a_scene_holds(data, scenes):
    world = scenes.load_world()
    codes, props = list(world.characters), list(world.props)
    fox, owl = scenes.Actor("1f98a", "1f451"), scenes.Actor("1f989")
    labels = data.labels_of(
        [
            scenes.Scene("shows", 1, "on mars", (fox, owl), "1f511"),
            scenes.Scene("students", 1, None, (), None, 3),
        ]
    )
    assert labels["main"].tolist() == [codes.index("1f98a"), -1]
    assert [codes[n] for n in labels["characters"][0].nonzero()[:, 0]] == ["1f98a", "1f989"]
    assert [codes[n] for n in labels["characters"][1].nonzero()[:, 0]] == [scenes.BOY, scenes.GIRL]
    assert labels["hats"].sum(1).tolist() == [1, 0]
    assert labels["prop"].tolist() == [1 + props.index("1f511"), 0]
    assert labels["setting"].tolist() == [1 + world.settings.index("on mars"), 0]
    assert [data.RELATIONS[n] for n in labels["relation"]] == ["shows", "students"]


def test_harm_keeps_shape_and_range_and_follows_its_generator(data):
    pictures = torch.rand(12, 3, 128, 128) * 2 - 1

    def harm(seed: int) -> torch.Tensor:
        return data.harmed(pictures, torch.Generator().manual_seed(seed))

    once = harm(1)
    assert once.shape == pictures.shape
    assert once.abs().max() <= 1
    assert torch.equal(once, harm(1))
    assert not torch.equal(once, harm(2))


def test_a_thing_in_the_middle_stays_in_sight_however_it_is_moved(data):
    pictures = torch.full((64, 3, 128, 128), -1.0)
    pictures[:, :, 56:72, 56:72] = 1
    moved = data.moved(pictures, torch.Generator().manual_seed(3))
    mass = (moved.mean(1) > 0).float().sum((1, 2))
    assert mass.min() > 0.7 * 256
    assert mass.max() < 1.4 * 256


@pytest.fixture
def pool(tmp_path, scenes):
    """Noise under scenes: enough for a run to run."""
    count = 560
    rng = np.random.default_rng(0)
    np.save(tmp_path / "pictures.npy", rng.integers(0, 256, (count, 128, 128, 3), np.uint8))
    some = [scenes.Scene("alone", n, "on mars", (scenes.Actor("1f98a"),)) for n in range(count)]
    lines = [json.dumps(scene.to_json()) + "\n" for scene in some]
    (tmp_path / "scenes.jsonl").write_text("".join(lines))
    return tmp_path


@pytest.mark.parametrize("build", ["conv", "next"])
@pytest.mark.slow
def test_a_run_learns_and_goes_on_from_its_checkpoint(build, pool, tmp_path, monkeypatch):
    train_judge = importlib.import_module("train_judge")
    words = f"--build {build} --pool {pool} --work {tmp_path / 'work'} --batch 4 --rate 2e-2"
    monkeypatch.setattr(train_judge, "HELD_OUT", 8)

    def go(seconds: float) -> dict:
        monkeypatch.setattr(
            sys, "argv", ["train_judge.py", *words.split(), "--seconds", str(seconds)]
        )
        threads = torch.get_num_threads()
        try:
            train_judge.main()
        finally:
            torch.set_num_threads(threads)
            torch.set_flush_denormal(False)
        return json.loads(
            (tmp_path / "work" / f"judge_{build}_log.jsonl").read_text().splitlines()[-1]
        )

    first = go(2)
    second = go(4)
    assert first["step"] >= 1
    assert second["step"] > first["step"]
    assert second["seconds"] >= 3  # the clock went on, it did not begin again
    assert second["loss"] < first["loss"]


def test_melted_pictures_show_nobody_whatever_their_scene_was(data, scenes):
    fox = scenes.Actor("1f98a", "1f451")
    labels = data.labels_of(
        [scenes.Scene("finds", n, "on mars", (fox,), "1f511") for n in range(3)]
    )
    blank = data.nothing(labels, torch.tensor([1]))
    assert blank["main"].tolist() == [labels["main"][0], -1, labels["main"][2]]
    assert blank["characters"].sum(1).tolist() == [1, 0, 1]
    assert blank["hats"].sum(1).tolist() == [1, 0, 1]
    assert blank["prop"].tolist() == [labels["prop"][0], 0, labels["prop"][2]]
    assert blank["setting"].equal(labels["setting"])  # a sky may still be told
    assert labels["prop"].min() > 0  # the others keep what they had


def test_without_softness_no_picture_is_blurred(data):
    stripes = torch.ones(32, 3, 128, 128)
    stripes[..., ::2] = -1

    def contrast(soft: bool) -> torch.Tensor:
        generator = torch.Generator().manual_seed(4)
        harmed = data.harmed(stripes, generator, styled=0, soft=soft)
        return harmed.diff(dim=3).abs().mean((1, 2, 3))

    assert contrast(True).min() < 0.15  # noise and nothing else
    assert contrast(False).mean() > contrast(True).mean() * 1.2


@pytest.mark.slow
def test_a_sharp_run_learns_that_melted_pictures_show_nobody(data, pool, tmp_path, monkeypatch):
    train_judge = importlib.import_module("train_judge")
    monkeypatch.setattr(train_judge, "MELTED_SHARE", 0.5)
    args = argparse.Namespace(
        build="conv", seed=1, threads=torch.get_num_threads(), work=tmp_path / "work", start=None,
        seconds=1e9, batch=16, rate=2e-3, muon_rate=2e-2, styled=0.0, sharp=True,
    )  # fmt: skip
    run = train_judge.Run(args)
    labels = data.labels_of(data.read_scenes(pool))
    plain = np.load(pool / "pictures.npy")
    melted = np.full_like(plain, 128)
    try:
        for _ in range(30):
            run.take_step(plain, None, melted, labels)
    finally:
        torch.set_flush_denormal(False)
    fox = int(labels["main"][0])
    run.net.eval()
    with torch.no_grad():
        there, nowhere = (
            run.net(train_judge.to_pictures(rows[:16], train_judge.CPU)).characters[:, fox].mean()
            for rows in (plain, melted)
        )
    assert there > nowhere + 0.5
