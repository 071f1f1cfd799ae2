from __future__ import annotations

from pathlib import Path

import pytest

from lorakit.diagnostics import InvalidDocument
from lorakit.facts.files.roots import read_roots
from lorakit.facts.files.user_config import config_path


def test_no_config_means_no_roots(tmp_path: Path) -> None:
    assert read_roots(tmp_path / "config.yaml") == {}
    assert config_path().name == "config.yaml"


def test_roots_are_folders_by_name(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("roots: {sd: ~/models, art: /data/art}\nother: 1\n")
    assert read_roots(config) == {"sd": Path("~/models").expanduser(), "art": Path("/data/art")}


@pytest.mark.parametrize("text", ["", "# nothing\n", "other: 1\n", "roots:\n"])
def test_a_config_without_roots(tmp_path: Path, text: str) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(text)
    assert read_roots(config) == {}


@pytest.mark.parametrize(
    "text",
    [
        "roots: [a]\n",
        "roots: {Sd: /x}\n",
        "roots: {sd: 3}\n",
        "roots: {s: /x}\n",
        "roots: {\n",
        "- a\n",
    ],
)
def test_a_config_that_makes_no_sense_is_told_of(tmp_path: Path, text: str) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(text)
    with pytest.raises(InvalidDocument, match="bad-config"):
        read_roots(config)
