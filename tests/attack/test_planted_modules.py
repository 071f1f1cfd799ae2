"""A storyboard that comes with a `torch.py` must not run it: not in the command, not in any child of it."""

from __future__ import annotations

import os
import queue
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
import torch

import lorakit
from lorakit import children
from lorakit.diagnostics import LorakitError
from lorakit.execute.channels import LocalProcess
from lorakit.execute.seats import Seat
from lorakit.execute.workers import WorkerHandle
from lorakit.plan.tasks.job import Job
from lorakit.plan.workers import WORKERS
from lorakit.rendering.ffmpeg_writer import FFmpegWriter
from lorakit.training import image_reload, reload
from lorakit.training.ranks import Ranks
from tests.support.actions import TEXTS

pytestmark = pytest.mark.usefixtures("real_starts")
MODULES = [
    "torch",
    "filelock",
    "queue",
    "typing",
    "click",
    "json",
    "numpy",
    "PIL",
    "safetensors",
    "yaml",
    "rich",
    "subprocess",
    "threading",
    "signal",
    "traceback",
    "runpy",
    "pkgutil",
    "accelerate",
    "peft",
    "transformers",
    "diffusers",
    "imageio_ffmpeg",
    "psutil",
    "tokenizers",
    "random",
    "csv",
    "gzip",
    "hashlib",
    "importlib",
    "sitecustomize",
    "usercustomize",
    "datasets",
    "sentencex",
    "jsonschema_rs",
    "encodings",
    "socket",
]
PLANTED = "import os\nopen(os.environ['LORAKIT_PROOF'], 'a').write(__name__ + ' ')\n"
BOARD = """\
storyboard: 1
look: {num_inference_steps: 2}
scenes:
  - text: The fox finds a key.
"""


@pytest.fixture
def proof(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory is a folder full of planted modules; the file names those that ran."""
    home = tmp_path / "cloned"
    home.mkdir()
    for name in MODULES:
        (home / f"{name}.py").write_text(PLANTED)
    (home / ".lorakit").mkdir()
    monkeypatch.chdir(home)
    monkeypatch.setenv("LORAKIT_PROOF", str(tmp_path / "proof"))
    return tmp_path / "proof"


def ran(proof: Path) -> str:
    return proof.read_text() if proof.exists() else ""


def remove_what_python_runs_first() -> None:
    """`python -m` imports these before any code of ours; the command `lorakit` does not look for them here."""
    for name in ("sitecustomize", "usercustomize", "importlib", "encodings"):
        Path(f"{name}.py").unlink()


def test_the_trap_works(proof: Path) -> None:
    """Python itself, started here as anybody would, runs what was planted."""
    subprocess.run([sys.executable, "-c", "import filelock"], check=True)
    assert ran(proof) == "filelock "


@pytest.mark.slow
@pytest.mark.parametrize(
    "slot",
    [slot if slot == "render" else pytest.param(slot, marks=pytest.mark.slow) for slot in WORKERS],
)
def test_no_worker_imports_a_planted_module(
    slot: str, proof: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{Path.cwd()}{os.pathsep}.")
    with (tmp_path / "log").open("wb") as log:
        inbox: queue.Queue = queue.Queue()
        seat = Seat(slot, slot, 1)
        worker = WorkerHandle(seat, LocalProcess(seat, log))
        worker.begin(tmp_path / "lock", Path(log.name), inbox)
        try:
            _, message = inbox.get(timeout=600)
        finally:
            worker.end()
    assert message == {"event": "state", "state": "starting", "detail": ""}
    assert ran(proof) == ""


@pytest.mark.slow
def test_the_other_processes_of_a_training_import_no_planted_module(
    proof: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "WORLD_SIZE",
        "LOCAL_WORLD_SIZE",
        "MASTER_ADDR",
        "MASTER_PORT",
        "RANK",
        "LOCAL_RANK",
    ):
        monkeypatch.setenv(name, "")
    ranks = Ranks(Job("judge/training", "key", TEXTS, {}, Path("out")), 2, 1)
    (other,) = ranks._others
    ranks._ending.set()
    other.wait()  # it fails for its job, after it has imported all that it needs
    ranks.end()
    assert ran(proof) == ""


@pytest.mark.slow
def test_the_check_of_a_text_training_imports_no_planted_module(
    proof: Path, tmp_path: Path
) -> None:
    with pytest.raises(LorakitError, match="cannot be loaded again"):
        reload.in_fresh_process("train-text", tmp_path, {}, {"a": torch.zeros(1)})
    assert ran(proof) == ""


@pytest.mark.slow
def test_the_check_of_a_training_on_pictures_imports_no_planted_module(
    proof: Path, tmp_path: Path
) -> None:
    none = torch.zeros(1)
    with pytest.raises(LorakitError, match="cannot be loaded again"):
        image_reload.check(tmp_path / "a", tmp_path, "sd", {}, none, none)
    assert ran(proof) == ""


def test_ffmpeg_gets_none_of_pythons_variables(
    proof: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where `ffmpeg` is a script of Python's, as a wrapper may be."""
    told = tmp_path / "told"
    fake = tmp_path / "ffmpeg"
    fake.write_text(
        f"#!{sys.executable}\nimport sys, filelock\nsys.stdin.read()\nopen({str(told)!r}, 'w').write('ran')\n"
    )
    fake.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(fake))
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    with FFmpegWriter(tmp_path / "film.mp4", (16, 16), Fraction(8)) as encoder:
        list(encoder.finish())
    assert told.read_text() == "ran"
    assert ran(proof) == ""


@pytest.mark.parametrize(
    ("words", "path"),
    [
        (["--help"], None),
        (["validate"], None),
        (["plan", "board.yaml"], None),
        (["plan", "board.yaml"], ""),
        (["plan", "board.yaml"], os.pathsep),
        (["plan", "board.yaml"], "."),
    ],
)
def test_the_command_itself_imports_no_planted_module(
    words: list[str], path: str | None, proof: Path
) -> None:
    Path("board.yaml").write_text(BOARD)
    remove_what_python_runs_first()
    environment = {**os.environ, **({"PYTHONPATH": path} if path is not None else {})}
    done = subprocess.run(
        [sys.executable, "-m", "lorakit", *words],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert ran(proof) == ""


@pytest.mark.slow
def test_a_run_beside_planted_modules_draws_and_imports_none(proof: Path) -> None:
    """The workers that draw and assemble, with their engines and a film."""
    Path("board.yaml").write_text(BOARD)
    remove_what_python_runs_first()
    done = subprocess.run(
        [sys.executable, "-m", "lorakit", "run", "board.yaml"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert ran(proof) == ""


def test_a_child_finds_lorakit_where_the_command_did(tmp_path: Path) -> None:
    """Also where it is not installed, as in a checkout, and though it stands in PYTHONPATH alone."""
    done = subprocess.run(
        children.python("lorakit.execute.worker"),
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert "IndexError" in done.stderr, done.stderr  # it has no slot to serve
    checkout = str(Path(lorakit.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-m", "lorakit", "--version"],
        check=False,
        capture_output=True,
        text=True,
        cwd=checkout,
    )
    assert done.returncode == 0, done.stderr


def test_what_bends_python_is_not_handed_on() -> None:
    given = {
        "PYTHONPATH": "/x",
        "PYTHONOPTIMIZE": "2",
        "PYTHONWARNINGS": "error",
        "PYTHONSTARTUP": "x",
    }
    kept = {"PATH": "/bin", "PYTHONHOME": "/python", "OMP_NUM_THREADS": "1"}
    assert children.environment({**given, **kept}) == {
        **kept,
        "PYTHONSAFEPATH": "1",
        "PYTHONUTF8": "1",
    }


def test_processes_of_python_are_started_in_one_place() -> None:
    package = Path(lorakit.__file__).parent
    others = [
        path.name
        for path in package.rglob("*.py")
        if path.name != "children.py" and re.search(r"sys\.executable", path.read_text("utf-8"))
    ]
    assert others == []


@pytest.mark.skipif(sys.platform == "win32", reason="a script as a program")
@pytest.mark.parametrize("door", ["moviepy's own", "ours"])
def test_an_env_file_above_the_environment_names_no_program(door: str, tmp_path: Path) -> None:
    """A cloned project whose user keeps the environment in it: moviepy reads the `.env` of the project."""
    import shutil
    from importlib.util import find_spec

    found = find_spec("moviepy")
    assert found is not None
    assert found.origin is not None
    site = tmp_path / ".venv" / "site-packages"
    shutil.copytree(Path(found.origin).parent, site / "moviepy")
    evil = tmp_path / "evil"
    evil.write_text(f"#!/bin/sh\ntouch {tmp_path / 'proof'}\n")
    evil.chmod(0o755)
    (tmp_path / ".env").write_text(f"FFMPEG_BINARY={evil}\n")
    ways = {
        "moviepy's own": "import moviepy.video.io.ffmpeg_reader",
        "ours": "from lorakit.rendering.film_check import reader; reader()",
    }
    # where it is found, `__main__` has a file, as in a worker
    program = tmp_path / "program.py"
    program.write_text(
        f"import sys; sys.path.insert(0, {str(site)!r}); sys.path.append({str(Path(lorakit.__file__).parents[1])!r})\n"
        f"{ways[door]}\nassert sys.modules['moviepy'].__file__.startswith({str(site)!r})\n"
    )
    subprocess.run([sys.executable, str(program)], check=True, cwd=tmp_path)
    assert (tmp_path / "proof").exists() == (door == "moviepy's own")
