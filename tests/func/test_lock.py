"""`lorakit lock` and `run --locked`: what recipes stand on, against a hub that moves."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support import published
from tests.support.hub_server import COMMIT, Hub, serving
from tests.support.runs import lorakit, lorakit_alone

NEWER = "beef" + "0" * 36
RECIPE = """recipe: 1
models: {theirs: {from: "hub:someone/model"}}
steps:
  foxes: {kind: generate, model: theirs, prompts: [a fox], num_inference_steps: 1, width: 32, height: 32}
"""


@pytest.fixture
def hub(tiny_sd: Path, tmp_path: Path) -> Iterator[Hub]:
    folder = published.stable_diffusion_1(tiny_sd, tmp_path / "repository")
    (folder / "README.md").write_text("---\nlicense: openrail\n---\n# A model\n", "utf-8")
    with serving(Hub(folder)) as hub:
        yield hub


def online(hub: Hub, home: Path) -> dict[str, str]:
    """The environment of somebody with a network, whose hub is ours."""
    return {
        "HF_HUB_CACHE": str(home / "cache"),
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "NO_PROXY": "127.0.0.1",
        "HF_ENDPOINT": hub.address,
    }


def a_project(folder: Path) -> Path:
    folder.mkdir()
    (folder / ".lorakit").mkdir()
    (folder / "recipe.yaml").write_text(RECIPE, "utf-8")
    return folder


def pin_in(home: Path) -> dict[str, object]:
    lock = yaml.safe_load((home / "lorakit.lock").read_text("utf-8"))
    pin: dict[str, object] = lock["models"]["hub:someone/model"]
    return pin


@pytest.mark.slow
def test_a_lock_has_commit_licence_and_digests_and_is_obeyed_by_others(
    hub: Hub, tmp_path: Path
) -> None:
    home = a_project(tmp_path / "mine")
    made = lorakit_alone(home, "lock", **online(hub, tmp_path / "mine"))
    assert made.returncode == 0, made.stderr
    assert f"added  hub:someone/model  {COMMIT[:12]}  openrail" in made.stdout
    pin = pin_in(home)
    assert pin["revision"] == COMMIT
    assert pin["license"] == "openrail"
    files = pin["files"]
    assert isinstance(files, dict)
    assert "unet/config.json" in files
    assert "README.md" not in files

    # the hub moves on; a colleague with an empty cache gets what was locked
    newer = tmp_path / "newer"
    shutil.copytree(hub.commits[COMMIT], newer)
    published.change(newer / "scheduler" / "scheduler_config.json", beta_end=0.02)
    hub.push(NEWER, newer)
    theirs = a_project(tmp_path / "theirs")
    shutil.copy(home / "lorakit.lock", theirs / "lorakit.lock")
    settings = online(hub, theirs)
    locked = lorakit_alone(theirs, "run", "recipe.yaml", "--locked", "--plain", **settings)
    assert locked.returncode == 0, locked.stderr
    snapshots = theirs / "cache" / "models--someone--model" / "snapshots"
    assert [folder.name for folder in snapshots.iterdir()] == [COMMIT]

    # a pin moves when it is told to, and only then
    assert lorakit_alone(theirs, "lock", **settings).stdout.startswith("kept ")
    assert pin_in(theirs) == pin
    moved = lorakit_alone(theirs, "lock", "--update", **settings)
    assert moved.returncode == 0, moved.stderr
    assert moved.stdout.startswith("moved ")
    after = pin_in(theirs)
    assert after["revision"] == NEWER
    files = after["files"]
    assert isinstance(files, dict)
    assert (
        files["scheduler/scheduler_config.json"] != pin["files"]["scheduler/scheduler_config.json"]
    )  # type: ignore[index]


@pytest.mark.slow
def test_run_adds_pins_and_locked_refuses_what_has_none_or_another(
    hub: Hub, tmp_path: Path
) -> None:
    home = a_project(tmp_path / "mine")
    settings = online(hub, home)
    refused = lorakit_alone(home, "run", "recipe.yaml", "--locked", "--plain", **settings)
    assert refused.returncode == 3
    assert (
        "recipe.yaml:2:25: error[not-locked]: hub:someone/model is not in lorakit.lock"
        in refused.stderr
    )
    assert not (home / "lorakit.lock").exists()
    assert hub.fetched == []

    assert lorakit_alone(home, "run", "recipe.yaml", "--plain", **settings).returncode == 0
    assert pin_in(home)["revision"] == COMMIT
    assert lorakit_alone(home, "lock", "--check", **settings).returncode == 0

    # somebody's cache holds another file under the same commit
    snapshot = home / "cache" / "models--someone--model" / "snapshots" / COMMIT
    config = snapshot / "scheduler" / "scheduler_config.json"
    config.write_text(
        json.dumps(json.loads(config.read_text("utf-8")) | {"beta_end": 0.02}), "utf-8"
    )
    other = lorakit_alone(home, "run", "recipe.yaml", "--locked", "--plain", **settings)
    assert other.returncode == 3
    assert "error[not-as-locked]" in other.stderr
    assert "scheduler/scheduler_config.json" in other.stderr
    assert lorakit_alone(home, "lock", "--check", **settings).returncode == 3


@pytest.mark.slow
def test_what_ships_is_locked_with_its_version_and_a_lock_is_merged_line_by_line(
    tmp_path: Path,
) -> None:
    lorakit(tmp_path, "init")
    assert lorakit(tmp_path, "lock").returncode == 0
    text = (tmp_path / "lorakit.lock").read_text("utf-8")
    lock = yaml.safe_load(text)
    assert set(lock["models"]) == {"lorakit:studio"}
    assert set(lock["models"]["lorakit:studio"]) == {"version", "license", "files"}
    assert lorakit(tmp_path, "lock").stdout.splitlines()[-1].startswith("unchanged ")
    assert (tmp_path / "lorakit.lock").read_text("utf-8") == text
    digests = [line for line in text.splitlines() if line.startswith("      ")]
    assert digests == sorted(digests)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lock: 2\n", "lorakit.lock:1:7: error["),
        ("lock: 1\nmodels: {a: {files: {x: y}}}\n", "64 hex digits"),
        ("lock: 1\nmodel: {}\n", "did you mean models"),
        (
            "<<<<<<< HEAD\nlock: 1\n=======\nlock: 1\n>>>>>>> x\n",
            "lorakit.lock:1:1: error[merge-conflict]: git could not merge lines 1 to 5",
        ),
    ],
)
def test_a_broken_lock_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    lorakit(tmp_path, "init")
    (tmp_path / "lorakit.lock").write_text(text, "utf-8")
    planned = lorakit(tmp_path, "plan", "recipes/quickstart.yaml")
    assert planned.returncode == 3
    assert said in planned.stderr
