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
from lorakit.rendering.known_batch_sizes import KnownBatchSizes
from lorakit.rendering.prompt_encoder import PromptEncoder
from lorakit.rendering.schedules import Schedule
from lorakit.rendering.wave import Row, advance, advance_trying, predictor

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
