"""A cluster that is not there, or no Ray to reach one, is told of at once."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from lorakit.cluster.ray_places import RayPlaces
from lorakit.cluster.settings import RaySettings
from lorakit.diagnostics import LorakitError
from tests.support.runs import lorakit


@pytest.mark.parametrize("form", ["127.0.0.1:{}", "ray://127.0.0.1:{}"])
def test_an_address_where_nobody_listens(form: str) -> None:
    pytest.importorskip("ray")
    with socket.socket() as taken:  # bound, and not listened at
        taken.bind(("127.0.0.1", 0))
        address = form.format(taken.getsockname()[1])
        with pytest.raises(LorakitError, match=r"no Ray cluster answers at .*refused"):
            RayPlaces(RaySettings(address=address))


def test_an_address_that_is_none() -> None:
    pytest.importorskip("ray")
    with pytest.raises(LorakitError, match="no Ray cluster answers at head:far"):
        RayPlaces(RaySettings(address="head:far"))


def test_without_ray_the_way_out_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)  # so Python finds none
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "recipe.yaml").write_text(
        "recipe: 1\nsteps: {a: {kind: generate, prompts: [a fox]}}\n"
    )
    done = lorakit(tmp_path, "run", "--on", "ray")
    said = 'error: Ray is not installed: pip install "lorakit[ray]"\n'
    assert (done.returncode, done.stderr) == (1, said)
    # what is wrong with a document comes first
    (tmp_path / "recipe.yaml").write_text("recipe: 1\nstep: {}\n")
    assert lorakit(tmp_path, "run", "--on", "ray").returncode == 3
