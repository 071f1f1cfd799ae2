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
    for size, training, drawing in (
        (8, "too small: frozen weights in 4 bits", "bf16, block by block on the card: "),
        (16, "frozen weights in 4 bits: ", "bf16, block by block on the card: "),
        (24, "frozen weights in 8 bits: ", "bf16, block by block on the card: "),
        (80, "frozen weights in bf16: ", "bf16, all of it on the card: "),
    ):
        at = next(n for n, line in enumerate(lines) if line.startswith(f"{size} GB "))
        assert training in lines[at]
        assert re.search(r"\d GB", lines[at].split(":")[-1] + lines[at])
        assert f"film            {drawing}" in lines[at + 1]
    assert not (project / "outputs").exists()


def test_cards_are_named_by_their_memory(project: Path) -> None:
    words = ("plan", "recipes/gurukul-flux.yaml", "--cards", "12, 48GB", "--json")
    cards: list[dict[str, Any]] = json.loads(lorakit(project, *words).stdout)["cards"]
    assert [(c["gigabytes"], c["step"]) for c in cards] == [
        (12, "hologram_style"),
        (12, "film"),
        (48, "hologram_style"),
        (48, "film"),
    ]
    assert all(c["memory"] < c["gigabytes"] << 30 for c in cards if c["enough"])
    assert cards[3]["offload"] == "none"
    # a small model is told of where it is asked for, and nowhere else
    assert (
        json.loads(lorakit(project, "plan", "recipes/quickstart.yaml", "--json").stdout)["cards"]
        == []
    )
    (film, *_) = json.loads(
        lorakit(project, "plan", "recipes/quickstart.yaml", "--cards", "8", "--json").stdout
    )["cards"]
    assert (film["weight_bits"], film["offload"], film["enough"]) == (0, "none", True)


@pytest.mark.parametrize("wrong", ["", "8;16", "0", "huge", "-8", "9999"])
def test_what_is_no_list_of_sizes_is_refused(wrong: str, project: Path) -> None:
    told = lorakit(project, "plan", "recipes/quickstart.yaml", "--cards", wrong)
    assert told.returncode == 2
    assert "is no list of sizes in GB; write 8,16,24,80" in told.stderr


def test_a_training_that_is_too_large_is_told_the_key_that_rounds_its_weights(
    project: Path,
) -> None:
    told = lorakit(project, "plan", "recipes/gurukul-flux.yaml", "--only", "hologram_style").stdout
    if "warning[memory]" in told:  # of this machine's memory
        assert "write memory: low beside the model's from:" in told
