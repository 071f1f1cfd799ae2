"""Make `.venv`, install lorakit into it once, and run a command there.

    python3 scripts/bootstrap.py lorakit run recipes/quickstart.yaml

Needs Python 3.11 or newer and nothing else. What is installed already is left alone until
`pyproject.toml` or `constraints.txt` change. On Linux the torch that PyPI serves brings gigabytes of
CUDA; where no NVIDIA or AMD GPU is found, PyTorch's own index of CPU builds is asked first.
`LORAKIT_TORCH=cpu` or `LORAKIT_TORCH=pypi` overrules the choice.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
SCRIPTS = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = SCRIPTS / ("python.exe" if os.name == "nt" else "python")
INSTALLED = VENV / "lorakit-installed.txt"
CPU_BUILDS = "https://download.pytorch.org/whl/cpu"
PATIENCE = 8  # s until an index that does not answer is given up


def say(text: str) -> None:
    """Print one line of news, at once."""
    print(f"bootstrap: {text}", flush=True)


def has_gpu() -> bool:
    """Whether this machine has a GPU for which the torch that PyPI serves is the right one."""
    drivers = (Path("/proc/driver/nvidia/version"), Path("/dev/kfd"), Path("/dev/dxg"))
    return shutil.which("nvidia-smi") is not None or any(path.exists() for path in drivers)


def answers(index: str) -> bool:
    """Whether an index of packages can be reached from here."""
    try:
        with urllib.request.urlopen(f"{index}/torch/", timeout=PATIENCE):
            return True
    except (OSError, ValueError):
        return False


def torch_index() -> list[str]:
    """Options of pip that keep CUDA away where there is no GPU; none where PyPI's torch is right."""
    choice = os.environ.get("LORAKIT_TORCH", "")
    if choice not in ("", "cpu", "pypi"):
        sys.exit(f"bootstrap: LORAKIT_TORCH is {choice!r}; it may be cpu or pypi")
    if choice == "pypi" or (not choice and (platform.system() != "Linux" or has_gpu())):
        return []
    if not answers(CPU_BUILDS):
        say(f"{CPU_BUILDS} does not answer: torch comes from where pip looks by itself")
        return []
    say("no GPU found: torch's CPU build (LORAKIT_TORCH=pypi for the other)")
    return ["--index-url", CPU_BUILDS]


def pinned_torch() -> str:
    """The torch that lorakit's tests passed with, as pip spells it."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return next(line for line in lines if line.startswith("torch=="))


def make_venv() -> None:
    """Make `.venv`, with a sentence where the system's Python cannot.

    Raises:
        SystemExit: this Python is too old, or has no ensurepip (Debian keeps it apart).
    """
    if sys.version_info < (3, 11):
        sys.exit(
            f"bootstrap: lorakit needs Python 3.11 or newer; this is {platform.python_version()}"
        )
    say(f"making {VENV}")
    try:
        venv.create(VENV, with_pip=True)
    except (subprocess.CalledProcessError, ImportError):
        shutil.rmtree(VENV, ignore_errors=True)
        sys.exit(
            "bootstrap: this Python cannot make a venv; on Debian: sudo apt install python3-venv"
        )


def install() -> None:
    """Install lorakit and what its developers use, in place, unless just that is there already.

    Raises:
        SystemExit: pip failed; what it printed stands above.
    """
    wanted = hashlib.sha256()
    for name in ("pyproject.toml", "constraints.txt"):
        wanted.update((ROOT / name).read_bytes())
    mark = f"{wanted.hexdigest()} {ROOT}"
    if INSTALLED.is_file() and INSTALLED.read_text(encoding="utf-8") == mark:
        return
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    say("installing lorakit and what it needs (a minute or two)")
    steps = [[*pip, "-c", str(ROOT / "constraints.txt"), "-e", f"{ROOT}[dev]"]]
    index = torch_index()
    if index:
        steps.insert(0, [*pip, *index, pinned_torch()])
    for step in steps:
        if subprocess.run(step, check=False).returncode != 0:
            sys.exit("bootstrap: pip failed (above); mend it and run the same line again")
    INSTALLED.write_text(mark, encoding="utf-8")


def run(command: list[str]) -> int:
    """Run a command with `.venv` first on the path; its exit code."""
    environment = dict(os.environ, VIRTUAL_ENV=str(VENV))
    environment["PATH"] = os.pathsep.join([str(SCRIPTS), environment.get("PATH", "")])
    program = shutil.which(command[0], path=environment["PATH"])
    if program is None:
        say(f"{command[0]}: no such command in {SCRIPTS}")
        return 127
    if os.name != "nt":
        os.execve(program, command, environment)  # Ctrl-C is then the command's alone
    process = subprocess.Popen([program, *command[1:]], env=environment)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # it reached the command as well, which ends in its own time
            continue


def main() -> int:
    """Make what is missing, then run what was asked for."""
    if not PYTHON.exists():
        make_venv()
    install()
    return run(sys.argv[1:]) if sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
