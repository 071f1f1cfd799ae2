"""`lorakit doctor` on machines and in projects where something is amiss."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.attack.commands import lorakit
from tests.support.runs import lorakit_alone as alone

RECIPE = "recipe: 1\nmodels: {tiny: {from: tiny}}\nsteps: {a: {kind: generate, model: tiny, prompts: [a fox]}}\n"


def findings(home: Path, code: int = 0) -> dict[tuple[str, str], list[str]]:
    """What a fresh process says: messages and ways by area and level."""
    done = alone(home, "doctor", "--json")
    assert done.returncode == code, done.stdout + done.stderr
    found: dict[tuple[str, str], list[str]] = {}
    for one in json.loads(done.stdout):
        said = found.setdefault((one["area"], one["level"]), [])
        said += [one["message"], *one["ways"]]
    return found


@pytest.mark.slow
def test_all_is_well_and_told(home: Path) -> None:
    (home / "recipe.yaml").write_text(RECIPE)
    said = lorakit("doctor")
    assert said.code == 0, said.text
    assert said.text.splitlines()[-1].startswith("0 errors, ")
    for area in ("python", "libraries", "extras", "torch", "device", "ffmpeg", "fonts", "disk"):
        assert f" {area:10} " in said.text
    found = findings(home)
    assert ("store", "ok") in found
    assert "lorakit schema --install" in found["editors", "note"][1]
    assert lorakit("schema", "--install").code == 0
    line = "# yaml-language-server: $schema=.lorakit/schemas/recipe.schema.json\n"
    (home / "recipe.yaml").write_text(line + RECIPE)
    assert found.keys() - findings(home).keys() == {("editors", "note")}
    (home / "recipe.yaml").write_text(line.replace("recipe.schema", "recip.schema") + RECIPE)
    assert "a $schema line that leads to no file" in findings(home)["editors", "warning"][0]


@pytest.mark.slow
def test_what_stops_lorakit_is_an_error(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/bin/false")
    monkeypatch.setenv("LORAKIT_DEVICE", "cuda")
    config = Path(home.parent / "config" / "lorakit" / "config.yaml")
    config.parent.mkdir(parents=True)
    config.write_text("roots: [a]\n")
    (home / ".lorakit" / "objects").write_text("")
    (home / "lorakit.lock").write_text("models: 7\n")
    found = findings(home, 1)
    assert "no film can be written" in found["ffmpeg", "error"][0]
    assert "IMAGEIO_FFMPEG_EXE" in found["ffmpeg", "error"][2]
    assert "LORAKIT_DEVICE=cuda asks for a GPU" in found["device", "error"][0]
    assert "roots: must be a mapping" in found["config", "error"][0]
    assert "is a file where a folder belongs; move it away" in found["store", "error"][0]
    assert found["lock", "error"][0]
    assert ("libraries", "ok") in found  # one that fails hides no other


@pytest.mark.slow
def test_a_cpu_build_beside_a_card_is_a_warning(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = home.parent / "bin" / "nvidia-smi"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho 'NVIDIA L4, 8.9, 23034'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:/usr/bin:/bin")
    monkeypatch.delenv("LORAKIT_DEVICE")
    found = findings(home)
    # a CPU build of torch, or one for CUDA, which then finds the card
    from lorakit.facts.machine.nvidia import torch_cuda

    if torch_cuda() is None:
        assert "built for the CPU alone" in found["torch", "warning"][0]
        assert "CPU" in found["device", "ok"][0]
    else:
        assert "NVIDIA L4" in found["device", "ok"][0]


@pytest.mark.slow
def test_objects_of_another_size_than_they_should_have_are_found(home: Path) -> None:
    from lorakit.store.manifests import Manifest
    from lorakit.store.store import Store

    store = Store(home)
    store.prepare()
    output = store.put(b"a picture")
    store.record(Manifest("0" * 64, "frame", {}, {}, {"image": output}, 1.0, {}))
    assert findings(home)["store", "ok"][0].startswith("1 result, 1 object, 9 B in ")
    store.object_path(output.digest).write_bytes(b"half")
    found = findings(home, 1)["store", "error"]
    assert "1 object of " in found[0]
    assert "`lorakit run --verify`" in found[1]


@pytest.mark.slow
def test_git_that_would_take_up_what_is_made_is_told(home: Path) -> None:
    subprocess.run(["git", "init", "-q", str(home)], check=True)
    found = findings(home)["git", "warning"]
    assert "git does not ignore outputs/" in found
    assert "echo outputs/ >> .gitignore" in found
    (home / ".gitignore").write_text("outputs/\n.lorakit/\n")
    assert ("git", "warning") not in findings(home)


def test_libraries_that_are_missing_or_too_old_are_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import metadata

    from lorakit.upkeep import machine_checks

    ours = metadata.requires("lorakit") or []
    monkeypatch.setattr(metadata, "requires", lambda _: [*ours, "click>=999", "no-such-library>=2"])
    amiss = [one for one in machine_checks.python() if one.level == "error"]
    assert [one.ways for one in amiss] == [
        ("pip install 'click>=999'",),
        ("pip install 'no-such-library>=2'",),
    ]
    assert "is installed, and lorakit needs >=999" in amiss[0].message
    assert amiss[1].message == "no-such-library is not installed"


@pytest.mark.slow
def test_where_clusters_and_the_cache_are_is_told(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = home.parent / "config" / "lorakit" / "config.yaml"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home.parent / "config"))
    monkeypatch.setenv("LORAKIT_CACHE", str(home.parent / "not" / "mounted"))
    found = findings(home)
    assert f"none yet; it would be {config}" in found["config", "ok"]
    assert "it cannot be used now: there is no folder" in found["cache", "warning"][0]
    config.parent.mkdir(parents=True)
    config.write_text("cluster: {ray: {address: 'head:6379'}, slurm: {folder: /shared}}\n")
    monkeypatch.setenv("LORAKIT_CACHE", str(home.parent / "shared"))
    found = findings(home)
    assert str(config) in found["config", "ok"]
    assert any("--on ray goes to head:6379" in one for one in found["cluster", "ok"])
    assert "there is no sbatch here" in found["cluster", "warning"][0]
    assert "0 results; read and written; named in LORAKIT_CACHE" in found["cache", "ok"][0]
    config.write_text("cluster: {rey: {}}\n")
    assert "unknown key rey" in findings(home, 1)["cluster", "error"][0]
