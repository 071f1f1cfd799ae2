"""`lorakit models`: what is there, and fetching what is not, from a hub on this machine."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support import published
from tests.support.hub_server import COMMIT, Hub, serving
from tests.support.runs import command, environment

CARD = "---\nlicense: other\nlicense_name: their-own\n---\n# A model\n"


def models(home: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("models", *words),
        cwd=home,
        env={**environment(), "HF_HOME": str(home.parent / "hf"), "HF_TOKEN": "", **more},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def told(home: Path, *words: str, **more: str) -> Any:
    done = models(home, *words, "--json", **more)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_a_model_is_fetched_once_and_listed(home: Path, tiny_sd: Path) -> None:
    (home / "recipe.yaml").write_text(
        "recipe: 1\nmodels: {tiny: {from: tiny}, far: {from: 'hub:someone/model'}}\n"
        "steps: {a: {kind: generate, model: tiny, prompts: [a fox]}}\n"
    )
    before = {one["name"]: one for one in told(home)}
    assert before["hub:someone/model"]["where"] == "not here"
    own = before[str(home / "tiny")]
    assert (own["where"], own["family"], own["recipes"]) == ("folder", "sd", ["recipe.yaml"])
    size = sum(p.stat().st_size for p in (home / "tiny").rglob("*") if p.is_file())
    assert own["size"] == size
    assert before["lorakit:studio"]["family"] == "sd"
    assert before["lorakit:studio"]["license"] == "Apache-2.0"
    assert "`lorakit models pull someone/model` fetches one" in models(home).stdout

    folder = published.stable_diffusion_1(tiny_sd, home.parent / "repository")
    (folder / "README.md").write_text(CARD)
    with serving(Hub(folder)) as hub:
        net = {"HF_ENDPOINT": hub.address, "HF_HUB_OFFLINE": "0"}
        (pulled,) = told(home, "pull", "someone/model", **net)
        assert (pulled["family"], pulled["license"]) == ("sd", "their-own")
        assert pulled["revision"] == COMMIT
        weights = [name for name in hub.fetched if name.endswith(".safetensors")]
        assert sorted(weights) == sorted(published.weights(p) for p in published.parts(folder))
        fetched = list(hub.fetched)
        again = models(home, "pull", "hub:someone/model@main", **net)
        assert again.returncode == 0, again.stderr
        assert "here  hub:someone/model@c0ffee000000  sd, their-own, " in again.stdout
        assert hub.fetched == fetched

        there = {one["name"]: one for one in told(home)}["hub:someone/model"]
        assert (there["where"], there["family"], there["license"]) == (
            "hub's cache",
            "sd",
            "their-own",
        )
        assert there["whole"]
        assert there["revision"] == COMMIT
        assert there["recipes"] == ["recipe.yaml"]
        # one network is lost, and it alone is fetched again
        lost = Path(there["path"]) / published.weights("vae")
        lost.resolve().unlink()
        lost.unlink()
        assert "hub's cache, in part" in models(home).stdout
        told(home, "pull", "someone/model", **net)
        assert hub.fetched[len(fetched) :] == [published.weights("vae")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("some one/model", 2, "is no name on the hub: write owner/name, or owner/name@revision"),
        ("someone/model@", 2, "is no name on the hub"),
        ("../../etc/passwd", 2, "is no name on the hub"),
        ("someone/model", 1, "not on this machine, and HF_HUB_OFFLINE forbids to fetch it; unset"),
    ],
)
def test_what_cannot_be_fetched_is_told(home: Path, name: str, code: int, says: str) -> None:
    done = models(home, "pull", name)
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_revision_that_is_not_there_is_told(home: Path) -> None:
    with serving(Hub(None, 404, "RevisionNotFound")) as hub:
        net = {"HF_ENDPOINT": hub.address, "HF_HUB_OFFLINE": "0"}
        done = models(home, "pull", "someone/model@v9", **net)
    assert done.returncode == 1
    assert "hub:someone/model has no revision v9; its branches and commits are at " in done.stderr


def test_a_card_that_means_harm_says_nothing(tmp_path: Path) -> None:
    from lorakit.facts.hub.cards import license_of

    for card, named in {
        "no card": "",
        "---\nlicense: [mit, apache-2.0]\n---\n": "mit, apache-2.0",
        "---\nlicense: !!python/object/apply:os.system [id]\n---\n": "",
        "---\n{{{\n---\n": "",
        "---\n- a\n---\n": "",
    }.items():
        (tmp_path / "README.md").write_text(card)
        assert license_of(tmp_path / "README.md") == named, card
