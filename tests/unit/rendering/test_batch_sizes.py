"""Narrow calls: taken only where they were found to give the full one's bits, tried only where it pays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from lorakit.cpu.rowwise import compute_row_by_row
from lorakit.models.loading import load_pipeline
from lorakit.plan.engine_specs import DrawingSpec
from lorakit.rendering.batch_sizes import BatchSizes
from lorakit.rendering.call_times import CallTimes
from lorakit.rendering.engine import RenderEngine
from lorakit.rendering.known_batch_sizes import KnownBatchSizes
from lorakit.rendering.prompt_encoder import PromptEncoder
from lorakit.rendering.schedules import Schedule
from lorakit.rendering.wave import Row, advance, advance_trying, predictor
from tests.support.drawing import spec, submit

SORT = ((4, 8, 8), True)
SPEC = DrawingSpec(
    path="",
    digest="a",
    family="sd",
    vae_factor=8,
    precision="fp32",
    device="cpu",
    batch_size=8,
)
SHAPE = (1, 4, 8, 8)


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    """As many threads as torch computes with: kernels go by it too."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def row(pipeline: Any, prompt: str, seed: int, steps: int = 6) -> Row:
    encoder = PromptEncoder(pipeline, "sd", "cpu")
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(SHAPE, generator=generator)
    schedule = Schedule(pipeline.scheduler, "default", steps, 1.0, generator)
    told = [encoder(text, (64, 64), negative=text == "") for text in (prompt, "")]
    return Row(f"{seed}", schedule, schedule.begin(noise, None), *told, 5.0)


@pytest.mark.slow
@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("count", [1, pytest.param(2, marks=pytest.mark.slow), 3])
def test_frames_that_are_alone_have_the_bits_of_those_in_company(tiny_sd: Path, count: int) -> None:
    """The promise, on whatever processor this is: tried at run time, and kept however the tries come out."""
    pipeline = load_pipeline(tiny_sd, "sd", "fp32", "cpu")
    compute_row_by_row(pipeline.unet)
    predict = predictor(pipeline.unet, "cpu")

    def rows() -> list[Row]:
        return [row(pipeline, "a fox on mars", seed) for seed in range(count)]

    whole = rows()
    while not whole[0].done:
        advance(whole, 8, predict)
    few, sizes = rows(), BatchSizes(8, KnownBatchSizes(None, SPEC))
    called = []
    while not few[0].done:
        size, smaller = sizes.choose(SORT, count, len(few[0].schedule) - few[0].index)
        called.append(size)
        if smaller is None:
            advance(few, size, predict)
        else:
            sizes.tell(SORT, smaller, equal=advance_trying(few, size, smaller, predict))
    assert all(
        torch.equal(one.latents, other.latents) for one, other in zip(few, whole, strict=True)
    )
    assert called[0] == 8


def test_a_width_that_differs_in_one_bit_is_never_taken() -> None:
    sizes = BatchSizes(8, KnownBatchSizes(None, SPEC))
    assert sizes.choose(SORT, 1, 50) == (8, 1)
    sizes.tell(SORT, 1, equal=True)
    assert sizes.choose(SORT, 1, 50) == (8, 1)
    sizes.tell(SORT, 1, equal=False)
    assert sizes.choose(SORT, 1, 50) == (8, 2)
    for _ in range(2):
        sizes.tell(SORT, 2, equal=True)
    assert sizes.choose(SORT, 1, 50) == (2, None)
    assert sizes.choose(SORT, 3, 50) == (8, 4)
    assert sizes.choose(SORT, 8, 50) == (8, None)


@pytest.mark.parametrize("size", [2, 4, 8, 16, 32])
@pytest.mark.parametrize("calls", [1, 2, 3, 4, 8, 20, 50])
def test_to_try_batch_sizes_never_costs_more_than_it_saves(size: int, calls: int) -> None:
    """Rows that go through the UNet, with tries and without, for every number of frames."""
    for count in range(1, size):
        sizes, spent = BatchSizes(size, KnownBatchSizes(None, SPEC)), 0
        for left in range(calls, 0, -1):
            taken, smaller = sizes.choose(SORT, count, left)
            spent += taken + (smaller or 0)
            if smaller is not None:
                sizes.tell(SORT, smaller, equal=True)
        assert spent <= size * calls
        # and where every one differs, a try is a small part of the work
        sizes, wasted = BatchSizes(size, KnownBatchSizes(None, SPEC)), 0
        for left in range(calls, 0, -1):
            _, smaller = sizes.choose(SORT, count, left)
            wasted += smaller or 0
            if smaller is not None:
                sizes.tell(SORT, smaller, equal=False)
        assert wasted <= size * calls / 2


def test_many_short_frames_are_worth_a_try_that_one_is_not() -> None:
    """A chain at low strength: two calls a frame, one frame after the other."""
    sizes, spent = BatchSizes(8, KnownBatchSizes(None, SPEC)), []
    for _ in range(20):
        rows = 0
        for left in (2, 1):
            taken, smaller = sizes.choose(SORT, 1, left)
            rows += taken + (smaller or 0)
            if smaller is not None:
                sizes.tell(SORT, smaller, equal=True)
        spent.append(rows)
    assert spent[0] == 16
    assert spent[-1] == 2
    assert sum(spent) < 20 * 16 / 2


def test_found_batch_sizes_are_kept_for_the_same_surroundings_only(tmp_path: Path) -> None:
    file = tmp_path / "widths.json"

    def known(**other: Any) -> BatchSizes:
        return BatchSizes(8, KnownBatchSizes(file, replace(SPEC, **other)))

    first = known()
    first.tell(SORT, 1, equal=False)
    for _ in range(2):
        first.tell(SORT, 2, equal=True)
    assert known().choose(SORT, 1, 1) == (2, None)
    assert known(precision="bf16").choose(SORT, 1, 50) == (8, 1)
    assert known().choose(((4, 8, 8), False), 1, 50) == (8, 1)
    file.write_text("{broken")
    assert known().choose(SORT, 1, 50) == (8, 1)
    file.write_text('{"a": 7}')
    assert known().choose(SORT, 1, 50) == (8, 1)


def test_rows_go_in_two_calls_where_these_were_measured_to_be_sooner(tmp_path: Path) -> None:
    known = KnownBatchSizes(tmp_path / "widths.json", SPEC)
    times = CallTimes(known)
    assert times.parts(SORT, 5, 8, [1, 2, 4]) == (8,)  # nothing is known
    for size, seconds in ((1, 1.0), (2, 1.8), (4, 3.4), (8, 7.0)):
        for taken in (9.0, seconds, seconds + 0.2):  # the first pays for kernels
            assert times.wanted(SORT, size)
            times.tell(SORT, size, taken)
        assert not times.wanted(SORT, size)
    assert times.parts(SORT, 5, 8, [1, 2, 4]) == (4, 1)
    assert times.parts(SORT, 6, 8, [1, 2, 4]) == (4, 2)
    assert times.parts(SORT, 8, 8, [1, 2, 4]) == (8,)  # two of four save too little
    assert times.parts(SORT, 5, 8, [1]) == (8,)  # of four the bits are others
    assert times.parts(SORT, 5, 8, []) == (8,)
    assert times.parts(((4, 8, 8), False), 5, 8, [1, 2, 4]) == (8,)
    # another run has it from the file, another precision has nothing, and the verdicts stand beside it
    known.keep(SORT, {4: 2})
    again = KnownBatchSizes(tmp_path / "widths.json", SPEC)
    assert CallTimes(again).parts(SORT, 5, 8, [1, 4]) == (4, 1)
    assert again.tried(SORT) == {4: 2}
    other = KnownBatchSizes(tmp_path / "widths.json", replace(SPEC, precision="bf16"))
    assert CallTimes(other).wanted(SORT, 8)


def test_on_a_device_where_rows_cost_next_to_nothing_they_share_a_call() -> None:
    times = CallTimes(KnownBatchSizes(None, SPEC))
    for size, seconds in ((1, 1.0), (4, 1.2), (8, 1.5)):
        for _ in range(3):
            times.tell(SORT, size, seconds)
    assert times.parts(SORT, 5, 8, [1, 4]) == (8,)


def test_frames_in_two_calls_have_the_bits_of_those_in_one(
    tiny_sd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = load_pipeline(tiny_sd, "sd", "fp32", "cpu")
    compute_row_by_row(pipeline.unet)
    predict = predictor(pipeline.unet, "cpu")
    if not all(advance_trying([row(pipeline, "a fox", 1)], 8, size, predict) for size in (1, 4)):
        pytest.skip("on this processor a narrower call has other bits")

    def drawn(folder: str) -> tuple[list[bytes], int]:
        engine = RenderEngine(spec(tiny_sd, batch_size=8), lambda *_: None)
        (tmp_path / folder).mkdir()
        for number in range(5):
            submit(engine, tmp_path / folder, f"{number}", noise=number, num_inference_steps=4)
        done: list[Any] = []
        while engine.busy:
            done += engine.step()
        files = {one["id"]: one["outputs"]["latents"] for one in done}
        return [Path(files[i]).read_bytes() for i in sorted(files)], engine.calls["unet"]

    whole, calls = drawn("whole")
    assert calls == 4
    # with what three runs would have found on a device where rows cost what they cost
    monkeypatch.setattr(BatchSizes, "choose", lambda *_: (8, None))
    monkeypatch.setattr(BatchSizes, "equal", lambda *_: [1, 4])
    monkeypatch.setattr(KnownBatchSizes, "seconds", lambda *_: {1: 1.0, 4: 4.0, 8: 8.0})
    parts, twice = drawn("parts")
    assert twice == 8
    assert parts == whole
