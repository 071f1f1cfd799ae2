"""`lorakit plan` of a model that is not here, on cards that are not here: offline, with nothing downloaded."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from lorakit import resources
from tests.support.runs import lorakit

PARAMETERS = 11_901_408_320 + 83_819_683 + 123_060_480 + 4_762_310_656


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for folder in ("recipes", "storyboards"):
        shutil.copytree(resources.path(folder), tmp_path / folder)
    (tmp_path / ".lorakit").mkdir()
    return tmp_path


def test_the_gurukul_on_flux_is_planned_for_every_card(project: Path) -> None:
    told = lorakit(project, "plan", "recipes/gurukul-flux.yaml")
    assert told.returncode == 0, told.stderr
    assert f"hub:black-forest-labs/FLUX.1-dev: {PARAMETERS:,} parameters" in told.stdout
    assert "no history" in told.stdout
    lines = told.stdout.splitlines()
    beside = "bf16, block by block on the card: "
    whole = "bf16, all of it on the card: "
    for size, encoding, training, drawing in (
        (8, beside, "too small: frozen weights in 4 bits", beside),
        (16, whole, "frozen weights in 4 bits: ", beside),
        (24, whole, "frozen weights in 8 bits: ", beside),
        (80, whole, "frozen weights in bf16: ", whole),
    ):
        at = next(n for n, line in enumerate(lines) if line.startswith(f"{size} GB "))
        assert f"hologram_style  encoding  {encoding}" in lines[at]
        assert f"hologram_style  training  {training}" in lines[at + 1]
        assert f"film            drawing   {drawing}" in lines[at + 2]
        assert all(
            re.search(r"\d GB", line.partition(":")[2] + line) for line in lines[at : at + 3]
        )
    assert not (project / "outputs").exists()


def test_cards_are_named_by_their_memory(project: Path) -> None:
    words = ("plan", "recipes/gurukul-flux.yaml", "--cards", "12, 48GB", "--json")
    cards: list[dict[str, Any]] = json.loads(lorakit(project, *words).stdout)["cards"]
    works = [("hologram_style", "encoding"), ("hologram_style", "training"), ("film", "drawing")]
    assert [(c["gigabytes"], c["step"], c["work"]) for c in cards] == [
        (size, *work) for size in (12, 48) for work in works
    ]
    # T5-XXL alone is 9.5 GB in bf16
    assert (cards[0]["offload"], cards[0]["beside"] > 9.5e9) == ("group", True)
    assert cards[3]["memory"] > 9.5e9
    assert all(c["memory"] < c["gigabytes"] << 30 for c in cards if c["enough"])
    assert cards[5]["offload"] == "none"
    # a small model is told of where it is asked for, and nowhere else
    assert (
        json.loads(lorakit(project, "plan", "recipes/quickstart.yaml", "--json").stdout)["cards"]
        == []
    )
    cards = json.loads(
        lorakit(project, "plan", "recipes/quickstart.yaml", "--cards", "8", "--json").stdout
    )["cards"]
    film = next(card for card in cards if card["work"] == "drawing")
    assert (film["weight_bits"], film["offload"], film["enough"]) == (0, "none", True)


@pytest.mark.parametrize("wrong", ["", "8;16", "0", "huge", "-8", "9999"])
def test_what_is_no_list_of_sizes_is_refused(wrong: str, project: Path) -> None:
    told = lorakit(project, "plan", "recipes/quickstart.yaml", "--cards", wrong)
    assert told.returncode == 2
    assert "is no list of sizes in GB; write 8,16,24,80" in told.stderr


@pytest.mark.parametrize(
    ("precision", "words"),
    [
        ("fp32", "write train.precision: bf16, in which weights that are not trained take half"),
        ("bf16", "write memory: low beside the model's from:"),
    ],
)
def test_a_training_that_is_too_large_is_told_the_key_that_rounds_its_weights(
    project: Path, precision: str, words: str
) -> None:
    more = ("--set", f"steps.hologram_style.train.precision={precision}")
    told = lorakit(
        project, "plan", "recipes/gurukul-flux.yaml", "--only", "hologram_style", *more
    ).stdout
    if "warning[memory]" in told:  # of this machine's memory
        assert words in told
        assert "memory: low or minimal beside the model's from:, a smaller resolution" in told
        hints = [line for line in told.splitlines() if line.startswith("  = a smaller resolution")]
        assert len(hints) <= 1
