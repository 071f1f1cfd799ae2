"""What all tests share: no hub, one thread, tiny untrained pipelines where content does not matter."""

from __future__ import annotations

import os

os.environ["HF_HUB_OFFLINE"] = "1"
# before torch is imported, here and in the processes that tests start
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["LORAKIT_DEVICE"] = "cpu"
os.environ["LORAKIT_FONTS"] = ""  # whatever fonts this machine has

import functools
import gc
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support import nursery

nursery.install(os.environ.get(nursery.ADDRESS, ""))


# neither is of what is tested: a busy machine is slow to make examples, and to try them
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


def pytest_configure(config: pytest.Config) -> None:
    """One nursery for all of xdist's workers, which imports the libraries while tests are collected."""
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        nursery.share()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the simulated accelerator come first: torch's autograd counts devices when it is first used.

    They run in forks, and a fork of a process that has trained already knows of no device but the CPU.
    """
    items.sort(key=lambda item: "simulated" not in item.path.parts)


def pytest_collection_finish() -> None:
    """What was imported stays: no collection of garbage need go through it again, here or in forks."""
    gc.collect()
    gc.freeze()


def _quietly(save: Callable[[Path], Path], folder: Path) -> Path:
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    diffusers_logging.set_verbosity_error()
    diffusers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return save(folder)


@pytest.fixture(scope="session")
def tiny_sd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny untrained Stable Diffusion 1.x folder, 64 px."""
    from tests.support.tiny import save_sd

    return _quietly(save_sd, tmp_path_factory.mktemp("tiny_sd"))


@pytest.fixture(scope="session")
def tiny_sd2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny untrained Stable Diffusion 2.x folder, 64 px."""
    from tests.support.tiny import save_sd2

    return _quietly(save_sd2, tmp_path_factory.mktemp("tiny_sd2"))


@pytest.fixture(scope="session")
def tiny_sdxl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny untrained SDXL folder, 64 px."""
    from tests.support.tiny import save_sdxl

    return _quietly(save_sdxl, tmp_path_factory.mktemp("tiny_sdxl"))


@pytest.fixture(scope="session")
def tiny_transformer(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a tiny untrained transformers' pipeline by its kind, made when it is first asked for."""

    @functools.cache
    def made(kind: str) -> Path:
        from tests.support.tiny_transformers import save

        return _quietly(lambda folder: save(kind, folder), tmp_path_factory.mktemp(kind))

    return made


@pytest.fixture(autouse=True)
def _tiny_numbers_are_numbers() -> Iterator[None]:
    """Trainings round them to zero for the whole process; what comes after them is not theirs."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)


@pytest.fixture
def real_starts() -> Iterator[None]:
    """Processes of lorakit begin as Python begins them, not forked from one that has the libraries."""
    with nursery.real_starts():
        yield


@pytest.fixture
def home(tmp_path: Path, tiny_sd: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project with the tiny model in `tiny/`; the current directory."""
    project = tmp_path / "project"
    (project / ".lorakit").mkdir(parents=True)
    shutil.copytree(tiny_sd, project / "tiny")
    monkeypatch.chdir(project)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return project


@pytest.fixture
def fonts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder, not made yet, in which this machine has its fonts."""
    monkeypatch.setenv("LORAKIT_FONTS", str(tmp_path / "fonts"))
    return tmp_path / "fonts"
