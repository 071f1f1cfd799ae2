"""Commands begun where things are missing: no HOME, no standard streams, few file handles, links in a ring."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.attack.commands import lorakit
from tests.attack.test_ends import told
from tests.support.runs import command, environment

BOARD = "storyboard: 1\nlook: {num_inference_steps: 1}\nscenes:\n  - text: A fox finds a key.\n"
IMAGES = "recipe: 1\ndatasets: {d: {images: d}}\nsteps: {s: {kind: train-image, data: d}}\n"
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\nshowpage\n%%EOF\n"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".lorakit").mkdir()
    (tmp_path / "b.yaml").write_text(BOARD)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def begun_with(
    change: str, *words: str, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """A command that begins once a line of Python has changed its process."""
    program = f"import os, resource, sys\n{change}\nos.execv(sys.executable, {command(*words)!r})"
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=env or environment(),
        timeout=300,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("closed", [[0], [1], [2], [0, 1, 2]], ids=str)
def test_a_stream_that_is_closed_is_missed_by_nobody(home: Path, closed: list[int]) -> None:
    done = begun_with(f"[os.close(n) for n in {closed}]", "plan", "b.yaml")
    told(done.stderr)
    assert done.returncode == 0, done.stderr
    assert not [p for p in home.iterdir() if p.name not in (".lorakit", "b.yaml")]


def test_without_a_home_and_in_the_locale_c_all_is_planned(home: Path) -> None:
    (home / "b.yaml").write_text(BOARD.replace("A fox", "Ä fôx"), "utf-8")
    without = ("HOME", "LANG", "PYTHONUTF8", "PYTHONIOENCODING")
    kept = {
        k: v
        for k, v in environment().items()
        if k not in without and not k.startswith(("XDG_", "LC_"))
    }
    done = begun_with("", "plan", "b.yaml", env={**kept, "LANG": "C", "LC_ALL": "C"})
    told(done.stderr)
    assert done.returncode in (0, 3), done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("handles", [6, 12])
def test_few_file_handles_are_told_with_a_way_out(home: Path, handles: int) -> None:
    limit = f"resource.setrlimit(resource.RLIMIT_NOFILE, ({handles}, {handles}))"
    done = begun_with(limit, "run", "--plain", "b.yaml")
    told(done.stdout + done.stderr)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "too many open files: allow more open files: ulimit -n 1024" in said, said
    assert not list((home / ".lorakit").glob("actions/*/*"))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="others do not hold to the limit")
@pytest.mark.parametrize(
    "megabytes", [400, *(pytest.param(mb, marks=pytest.mark.slow) for mb in (550, 700, 1000))]
)
def test_too_little_memory_is_called_that_whatever_fails_of_it(home: Path, megabytes: int) -> None:
    limit = f"resource.setrlimit(resource.RLIMIT_AS, ({megabytes}_000_000,) * 2)"
    done = begun_with(limit, "run", "--plain", "b.yaml")
    told(done.stdout + done.stderr)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert ": out of memory: smaller width and height, " in said, said
    assert not list((home / ".lorakit").glob("actions/*/*"))


def set_trap(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Ghostscript be a program that leaves a file, `started`."""
    trap = home / "bin"
    trap.mkdir()
    for program in ("gs", "gswin64c"):
        (trap / program).write_text(f"#!/bin/sh\n: > {home / 'started'}\n")
        (trap / program).chmod(0o755)
    monkeypatch.setenv("PATH", f"{trap}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.parametrize("name", ["x.png", "x.jpg", "x.webp"])
def test_a_picture_that_is_eps_starts_no_program(
    home: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_trap(home, monkeypatch)
    (home / "d").mkdir()
    (home / "d" / name).write_bytes(EPS)
    (home / "d" / "x.txt").write_text("a fox")
    (home / "r.yaml").write_text(IMAGES)
    said = lorakit("plan", "r.yaml")
    told(said.text)
    assert said.code == 3, said.text
    assert name in said.text
    assert not (home / "started").exists()


def test_a_picture_in_parquet_that_is_eps_starts_no_program(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    set_trap(home, monkeypatch)
    (home / "d").mkdir()
    rows = {"image": [{"bytes": EPS, "path": "x.png"}] * 2, "text": ["a fox", "an owl"]}
    pq.write_table(pa.table(rows), home / "d" / "train.parquet")
    (home / "r.yaml").write_text(IMAGES)
    said = lorakit("plan", "r.yaml")
    told(said.text)
    assert said.code == 3, said.text
    assert not (home / "started").exists()


def test_the_trap_for_eps_works(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import EpsImagePlugin, Image

    set_trap(home, monkeypatch)
    monkeypatch.setattr(EpsImagePlugin, "gs_binary", None)
    with pytest.raises(OSError), Image.open(io.BytesIO(EPS)) as picture:
        picture.load()
    assert (home / "started").exists()


@pytest.mark.parametrize("way", ["itself", "two that name each other", "the folder within itself"])
def test_links_in_a_ring_are_told_or_left_out(home: Path, way: str) -> None:
    match way:
        case "itself":
            (home / "d").symlink_to("d")
        case "two that name each other":
            (home / "d").symlink_to("e")
            (home / "e").symlink_to("d")
        case _:
            (home / "d").mkdir()
            (home / "d" / "again").symlink_to(".")
    for recipe in (IMAGES, IMAGES.replace("images", "texts").replace("train-image", "train-text")):
        (home / "r.yaml").write_text(recipe)
        said = lorakit("plan", "r.yaml")
        told(said.text)
        assert said.code == 3, said.text
        assert "r.yaml:2:" in said.text
        assert "did you mean" not in said.text
        if way != "the folder within itself":
            assert "it is a link that leads nowhere, or back to itself" in said.text
