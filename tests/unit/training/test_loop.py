"""The loop is exact, safe and the same for every task. Complaints are those of the field's trainers."""

from __future__ import annotations

import shutil
import sys
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pytest
import torch

from lorakit.cpu.dropping import quick_dropout
from lorakit.diagnostics import LorakitError
from lorakit.facts.machine.packages import MODULES
from lorakit.training import canonical
from lorakit.training.checkpoints import Checkpoints
from lorakit.training.loop import Loop, LossNotFinite


def finish(loop):
    while not loop.done:
        loop.step()
    return {name: p.detach().clone() for name, p in loop._weights.items()}


def same(one, other) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


@pytest.mark.parametrize(
    "optimizer", ["adamw", "adamw_8bit", "adafactor", "lion", "prodigy", "sgd"]
)
def test_complaint_06_six_steps_and_six_more_are_twelve_bit_for_bit(
    toy, settings, tmp_path, optimizer
):
    if optimizer in MODULES:
        pytest.importorskip(MODULES[optimizer])
    settings = replace(settings, optimizer=optimizer)
    if optimizer == "adamw_8bit":
        toy = partial(toy, width=1024)  # it keeps what is smaller in fp32
    whole = Loop(toy(), settings)
    expected = finish(whole)
    first = Loop(toy(), settings, tmp_path)
    for _ in range(6):
        first.step()
    first.save()
    second = Loop(toy(seed=3), settings, tmp_path)
    assert second.step_number == 6
    assert same(finish(second), expected)
    assert same(second._averages, whole._averages)
    assert [f.loss for f in second.history] == [f.loss for f in whole.history]
    if optimizer == "adamw_8bit":
        kept = whole._optimizer.optimizer.state
        assert any(state["state1"].dtype == torch.uint8 for state in kept.values())


def test_complaint_06_resuming_is_exact_in_bf16_too_whatever_was_dropped(toy, settings, tmp_path):
    low = replace(settings, precision="bf16")
    expected = finish(Loop(toy(), low))
    first = Loop(toy(), low, tmp_path)
    for _ in range(6):
        first.step()
    first.save()
    torch.rand(9)
    assert same(finish(Loop(toy(), low, tmp_path)), expected)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_fp32_drops_what_torch_drops(toy, settings, monkeypatch, precision):
    entered = []

    @contextmanager
    def noticed():
        entered.append(precision)
        with quick_dropout():
            yield

    monkeypatch.setattr("lorakit.training.loop.quick_dropout", noticed)
    Loop(toy(), replace(settings, precision=precision)).step()
    assert entered == ([] if precision == "fp32" else ["bf16"])


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adamw", "adamw_8bit", "adafactor", "lion", "prodigy"])
def test_every_optimizer_learns(toy, settings, optimizer):
    if optimizer in MODULES:
        pytest.importorskip(MODULES[optimizer])
    rate = 1.0 if optimizer == "prodigy" else 1e-2
    steps = 400 if optimizer == "prodigy" else 60  # it begins with a millionth of its rate
    settings = replace(settings, optimizer=optimizer, learning_rate=rate, steps=steps)
    loop = Loop(toy(), replace(settings, lr_scheduler="constant", lr_warmup_steps=0))
    finish(loop)
    losses = [f.loss for f in loop.history]
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10])


def test_an_optimizer_whose_package_is_missing_says_what_to_install(toy, settings, monkeypatch):
    monkeypatch.setitem(sys.modules, "prodigyopt", None)  # as Python marks what cannot be imported
    with pytest.raises(LorakitError, match=r"pip install 'lorakit\[prodigy\]'"):
        Loop(toy(), replace(settings, optimizer="prodigy"))


def test_complaint_06_steps_after_the_checkpoint_are_done_again_and_told_once(
    toy, settings, tmp_path
):
    settings = replace(settings, checkpointing_steps=4)
    expected = finish(Loop(toy(), settings))
    killed = Loop(toy(), settings, tmp_path)
    for _ in range(7):
        killed.step()
    with (tmp_path / "metrics.jsonl").open("a") as log:
        log.write('{"step": 8, "lo')
    again = Loop(toy(), settings, tmp_path)
    assert again.step_number == 4
    assert same(finish(again), expected)
    assert [f.step for f in again.history] == list(range(1, 13))
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert len(lines) == 12


def test_a_torn_checkpoint_is_passed_over(toy, settings, tmp_path):
    loop = Loop(toy(), settings, tmp_path)
    for _ in range(2):
        loop.step()
        loop.save()
    newest = Checkpoints(tmp_path).path(2)
    newest.write_bytes(newest.read_bytes()[:100])
    assert Loop(toy(), settings, tmp_path).step_number == 1


def test_a_disk_that_fills_leaves_the_last_checkpoint_whole(toy, settings, tmp_path, monkeypatch):
    import os

    loop = Loop(toy(), settings, tmp_path)
    loop.step()
    loop.save()
    loop.step()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            loop.save()
    assert Checkpoints(tmp_path).steps() == [1]
    assert not list(tmp_path.glob("*.tmp"))
    assert Loop(toy(), settings, tmp_path).step_number == 1


def test_complaint_08_a_loss_that_is_not_finite_stops_with_step_samples_and_checkpoint(
    toy, settings, tmp_path
):
    loop = Loop(toy(poison=7), replace(settings, checkpointing_steps=2), tmp_path)
    with pytest.raises(LossNotFinite) as caught:
        finish(loop)
    words = str(caught.value)
    assert "at step 4" in words
    assert "sample 7.0" in words
    assert "checkpoint is of step 2" in words
    assert all(torch.isfinite(p).all() for p in loop._weights.values())
    assert Checkpoints(tmp_path).last().step == 2


def test_complaint_14_randomness_is_a_function_of_seed_and_step(toy, settings):
    one = finish(Loop(toy(), settings))
    torch.manual_seed(999)  # whatever happened before
    assert same(finish(Loop(toy(), settings)), one)
    assert not same(finish(Loop(toy(), replace(settings, seed=6))), one)


def test_complaint_17_clipping_clips(toy, settings):
    settings = replace(settings, optimizer="sgd", weight_decay=0.0, lr_scheduler="constant")
    settings = replace(settings, learning_rate=1.0, max_grad_norm=0.01, lr_warmup_steps=0)
    loop = Loop(toy(scale=100.0), settings)
    before = {name: p.detach().clone() for name, p in loop._weights.items()}
    figures = loop.step()
    moved = torch.cat([(loop._weights[n].detach() - before[n]).reshape(-1) for n in before])
    assert figures.grad_norm > 1
    assert float(moved.norm()) == pytest.approx(0.01, rel=1e-2)


def test_no_clipping_where_none_is_asked_for(toy, settings):
    settings = replace(settings, optimizer="sgd", weight_decay=0.0, lr_scheduler="constant")
    settings = replace(settings, learning_rate=1e-3, max_grad_norm=0.0, lr_warmup_steps=0)
    loop = Loop(toy(scale=100.0), settings)
    before = {name: p.detach().clone() for name, p in loop._weights.items()}
    figures = loop.step()
    moved = torch.cat([(loop._weights[n].detach() - before[n]).reshape(-1) for n in before])
    assert float(moved.norm()) == pytest.approx(figures.grad_norm * 1e-3, rel=1e-2)


def test_accumulated_passes_are_one_large_batch(toy, settings):
    class Halves(toy):
        def batch(self, number):
            return super().batch(0)[:2] if number % 2 == 0 else super().batch(0)[1:]

        def loss(self, model, batch, generator, shard):
            model.eval()
            return (model(batch) ** 2).mean()

    settings = replace(settings, steps=1, optimizer="sgd", weight_decay=0.0, lr_warmup_steps=0)
    task = Halves()
    rows = torch.cat([task.batch(0), task.batch(1)])
    task.model.eval()
    (task.model(rows) ** 2).mean().backward()
    expected = {n: p - settings.learning_rate * p.grad for n, p in task.parameters().items()}
    got = finish(Loop(Halves(), replace(settings, max_grad_norm=0.0)))
    for name, value in expected.items():
        assert torch.allclose(got[name], value, atol=1e-7)


def test_averages_stand_in_the_model_s_place_and_leave_it(toy, settings):
    loop = Loop(toy(), settings)
    own = finish(loop)
    with loop.averaged():
        inside = {name: p.detach().clone() for name, p in loop._weights.items()}
    assert same(inside, loop._averages)
    assert not same(inside, own)
    assert same({n: p.detach() for n, p in loop._weights.items()}, own)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's, within its own compiler
def test_a_compiled_model_loses_what_another_does(toy, settings):
    if not any(map(shutil.which, ("g++", "clang++"))):
        pytest.skip("no C++ compiler")
    settings = replace(settings, steps=2)
    toys = [toy(), toy()]
    for one in toys:
        one.model[1].p = 0.0  # compiled code drops out by rng of its own
    compiled = Loop(toys[0], replace(settings, torch_compile=True))
    finish(compiled)
    plain = Loop(toys[1], settings)
    finish(plain)
    expected = [pytest.approx(f.loss, abs=1e-5) for f in plain.history]
    assert [f.loss for f in compiled.history] == expected
    assert list(compiled.unwrapped().state_dict()) == list(plain.unwrapped().state_dict())


def test_cosine_with_restarts_restarts(toy, settings):
    plain = replace(settings, lr_scheduler="cosine", lr_warmup_steps=0)
    loop = Loop(toy(), replace(plain, lr_scheduler="cosine_with_restarts", lr_num_cycles=3))
    finish(loop)
    rates = [f.learning_rate for f in loop.history]
    high = settings.learning_rate
    assert [step for step, rate in enumerate(rates) if rate == pytest.approx(high)] == [0, 4, 8]
    whole = Loop(toy(), replace(plain, steps=4))
    finish(whole)
    assert rates[4:8] == pytest.approx([f.learning_rate for f in whole.history])


@pytest.mark.parametrize("name", ["linear", "cosine", "polynomial", "constant_with_warmup"])
def test_the_learning_rate_rises_and_goes_its_way(toy, settings, name):
    loop = Loop(toy(), replace(settings, lr_scheduler=name))
    finish(loop)
    rates = [f.learning_rate for f in loop.history]
    assert rates[0] == 0
    assert rates[3] == pytest.approx(settings.learning_rate)
    assert (rates[-1] < rates[3]) == (name != "constant_with_warmup")


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
def test_a_flipped_byte_in_a_checkpoint_is_not_trained_on(toy, settings, tmp_path, caplog, share):
    """It falls back to the one before, says so, and ends in the same weights."""
    expected = finish(Loop(toy(), settings, tmp_path / "whole"))
    loop = Loop(toy(), settings, tmp_path / "flipped")
    for _ in range(4):
        loop.step()
        loop.save()
    newest = Checkpoints(tmp_path / "flipped").path(4)
    data = bytearray(newest.read_bytes())
    data[int(len(data) * share)] ^= 16
    newest.write_bytes(bytes(data))
    again = Loop(toy(), settings, tmp_path / "flipped")
    assert again.step_number == 3
    assert "the checkpoint of step 4 is damaged" in caplog.text
    assert not newest.exists()
    assert same(finish(again), expected)


def test_a_checkpoint_without_a_digest_is_not_trained_on(toy, settings, tmp_path):
    loop = Loop(toy(), settings, tmp_path)
    loop.step()
    path = loop.save()
    tensors, metadata = canonical.read(path)
    canonical.write(path, tensors, {"loop": metadata["loop"]})
    assert Loop(toy(), settings, tmp_path).step_number == 0


def test_a_damaged_line_of_the_log_is_left_out(toy, settings, tmp_path):
    loop = Loop(toy(), settings, tmp_path)
    for _ in range(3):
        loop.step()
    loop.save()
    log = tmp_path / "metrics.jsonl"
    lines = log.read_text().splitlines(keepends=True)
    lines[1] = lines[1].replace('"loss": ', '"loss": 9')
    log.write_text("".join(lines))
    assert [f.step for f in Loop(toy(), settings, tmp_path).history] == [1, 3]


def test_text_encoders_have_a_learning_rate_of_their_own(toy, settings, tmp_path):
    class Two(toy):
        def __post_init__(self):
            super().__post_init__()
            self.model = torch.nn.ModuleDict({"unet": self.model[0], "text_encoder": self.model[2]})

        def loss(self, model, batch, generator, shard):
            out = model["text_encoder"](model["unet"](batch))
            return ((out - 2 * batch) ** 2).mean()

    settings = replace(
        settings, ema_decay=0.0, lr_warmup_steps=0, lr_scheduler="constant", optimizer="sgd",
        text_encoder_learning_rate=1e-4, weight_decay=0.0, max_grad_norm=0.0, checkpointing_steps=6,
    )  # fmt: skip
    one = Two()
    before = {n: p.detach().clone() for n, p in one.parameters().items()}
    loop = Loop(one, replace(settings, steps=1))
    gradients = {}
    step = loop._optimizer.step
    loop._optimizer.step = lambda: (
        gradients.update({n: p.grad.clone() for n, p in one.parameters().items()}), step(),
    )  # fmt: skip
    loop.step()
    for name, parameter in one.parameters().items():
        rate = 1e-4 if name.startswith("text_encoder") else settings.learning_rate
        expected = before[name] - rate * gradients[name]
        assert torch.allclose(parameter, expected, atol=1e-7), name
    # and goes on from a checkpoint as if it had never stopped
    whole = finish(Loop(Two(), replace(settings, optimizer="adamw", lr_scheduler="cosine")))
    half = Loop(Two(), replace(settings, optimizer="adamw", lr_scheduler="cosine"), tmp_path)
    while half.step_number < 7:
        half.step()
    again = finish(
        Loop(Two(), replace(settings, optimizer="adamw", lr_scheduler="cosine"), tmp_path)
    )
    assert all(torch.equal(whole[name], again[name]) for name in whole)
