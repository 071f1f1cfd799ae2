"""One byte flipped in what a stopped training has kept: it goes on from what is whole, to the same bytes.

Two are tried here of each kind of training; `tests/soak` tries hundreds.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import lorakit
from lorakit.execute.events import ActionProgress, Event
from tests.support.runs import Ran, run
from tests.support.small_projects import write_image_training, write_text_training

FLIPS = 2


def _text(home: Path, _: Path) -> None:
    write_text_training(home, steps=8, every=2)


def _image(home: Path, tiny_sd: Path) -> None:
    write_image_training(home, tiny_sd, steps=8, every=2)


def weights(ran: Ran) -> dict[str, str]:
    """Digests of what was trained; its figures tell of seconds, its settings of folders, which differ."""
    return {
        f"{one['id']}/{name}": digest
        for one in ran.manifest["actions"]
        for name, digest in one["outputs"].items()
        if name in ("adapter", "latents", "embeds")
    }


@pytest.fixture(
    scope="module",
    params=[_text, pytest.param(_image, marks=pytest.mark.slow)],
    ids=["text", "image"],
)
def stopped(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, tiny_sd: Path
) -> tuple[Path, dict[str, str]]:
    """A project whose training was stopped in its middle, and what it comes to undisturbed."""
    build: Callable[[Path, Path], None] = request.param
    home = tmp_path_factory.mktemp("stopped") / "project"
    (home / ".lorakit").mkdir(parents=True)
    build(home, tiny_sd)
    other = home.with_name("whole")
    shutil.copytree(home, other)
    whole = run(other)
    assert whole.code == 0, whole.errors
    far = False

    def listen(event: Event) -> None:
        nonlocal far
        far = far or (
            isinstance(event, ActionProgress)
            and event.action.endswith("training")
            and event.done >= 5
        )

    before = Path.cwd()
    os.chdir(home)
    try:
        finished = lorakit.load("recipe.yaml").run(listener=listen, stop=lambda: far)
    finally:
        os.chdir(before)
    assert finished.ending == "interrupted"
    assert list((home / ".lorakit" / "checkpoints").glob("*/step-*.safetensors"))
    return home, weights(whole)


def _attempts() -> list[object]:
    return [n if n < 1 else pytest.param(n, marks=pytest.mark.slow) for n in range(FLIPS)]


@pytest.mark.parametrize("attempt", _attempts())
def test_a_flipped_byte_in_what_a_training_kept_changes_nothing(
    stopped: tuple[Path, dict[str, str]], tmp_path: Path, attempt: int
) -> None:
    origin, expected = stopped
    home = tmp_path / "project"
    shutil.copytree(origin, home)
    chance = random.Random(attempt)
    every = sorted(
        p
        for p in (home / ".lorakit").rglob("*")
        if p.is_file() and p.stat().st_size and p.suffix != ".lock"
    )
    kept = [p for p in every if "checkpoints" in p.parts]
    path = chance.choice(kept if attempt % 2 == 0 else every)
    data = bytearray(path.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(bytes(data))
    done = run(home)
    assert done.code == 0, (path, done.errors)
    assert weights(done) == expected, path
