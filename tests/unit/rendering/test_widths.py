"""Narrow calls: taken only where they were found to give the full one's bits, tried only where it pays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from lorakit.cpu.rowwise import compute_row_by_row
from lorakit.models.loading import load_pipeline
from lorakit.rendering.conditioning import Encoder
from lorakit.rendering.known_widths import KnownWidths
from lorakit.rendering.schedules import Schedule
from lorakit.rendering.wave import Row, advance, advance_trying, predictor
from lorakit.rendering.widths import Widths

SORT = ((4, 8, 8), True)
SPEC = {"device": "cpu", "digest": "a", "precision": "fp32", "wave": 8}
SHAPE = (1, 4, 8, 8)


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    """As many threads as torch computes with: kernels go by it too."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def row(pipeline: Any, prompt: str, seed: int, steps: int = 6) -> Row:
    encoder = Encoder(pipeline, "sd", "cpu")
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(SHAPE, generator=generator)
    schedule = Schedule(pipeline.scheduler, "default", steps, 1.0, generator)
    told = [encoder(text, (64, 64), negative=text == "") for text in (prompt, "")]
    return Row(f"{seed}", schedule, schedule.begin(noise, None), *told, 5.0)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("count", [1, 2, 3])
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
    few, widths = rows(), Widths(8, KnownWidths(None, SPEC))
    called = []
    while not few[0].done:
        width, narrow = widths.choose(SORT, count, len(few[0].schedule) - few[0].index)
        called.append(width)
        if narrow is None:
            advance(few, width, predict)
        else:
            widths.tell(SORT, narrow, equal=advance_trying(few, width, narrow, predict))
    assert all(
        torch.equal(one.latents, other.latents) for one, other in zip(few, whole, strict=True)
    )
    assert called[0] == 8


def test_a_width_that_differs_in_one_bit_is_never_taken() -> None:
    widths = Widths(8, KnownWidths(None, SPEC))
    assert widths.choose(SORT, 1, 50) == (8, 1)
    widths.tell(SORT, 1, equal=True)
    assert widths.choose(SORT, 1, 50) == (8, 1)
    widths.tell(SORT, 1, equal=False)
    assert widths.choose(SORT, 1, 50) == (8, 2)
    for _ in range(2):
        widths.tell(SORT, 2, equal=True)
    assert widths.choose(SORT, 1, 50) == (2, None)
    assert widths.choose(SORT, 3, 50) == (8, 4)
    assert widths.choose(SORT, 8, 50) == (8, None)


@pytest.mark.parametrize("width", [2, 4, 8, 16, 32])
@pytest.mark.parametrize("calls", [1, 2, 3, 4, 8, 20, 50])
def test_to_try_widths_never_costs_more_than_it_saves(width: int, calls: int) -> None:
    """Rows that go through the UNet, with tries and without, for every number of frames."""
    for count in range(1, width):
        widths, spent = Widths(width, KnownWidths(None, SPEC)), 0
        for left in range(calls, 0, -1):
            taken, narrow = widths.choose(SORT, count, left)
            spent += taken + (narrow or 0)
            if narrow is not None:
                widths.tell(SORT, narrow, equal=True)
        assert spent <= width * calls
        # and where every one differs, a try is a small part of the work
        widths, wasted = Widths(width, KnownWidths(None, SPEC)), 0
        for left in range(calls, 0, -1):
            _, narrow = widths.choose(SORT, count, left)
            wasted += narrow or 0
            if narrow is not None:
                widths.tell(SORT, narrow, equal=False)
        assert wasted <= width * calls / 2


def test_found_widths_are_kept_for_the_same_surroundings_only(tmp_path: Path) -> None:
    file = tmp_path / "widths.json"

    def known(**other: object) -> Widths:
        return Widths(8, KnownWidths(file, {**SPEC, **other}))

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
