"""What stands in the store's folders instead of files: links, pipes, folders, files without end."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import lorakit as package
from lorakit.execute.events import ActionFinished, ActionProgress, Event
from tests.attack.commands import lorakit
from tests.attack.stored import files, object_of
from tests.support.runs import Ran, run
from tests.support.small_projects import write_text_training

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links, and names of pipes")


def _folder(path: Path) -> None:
    path.mkdir()
    (path / "inside").write_text("something")


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _without_end(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


ODD: dict[str, Callable[[Path], None]] = {
    "folder": _folder, "pipe": os.mkfifo, "loop": _loop, "no end": _without_end,
}  # fmt: skip


@pytest.mark.parametrize("output", ["film/meadow/2/picture", "film/meadow/1/latents"])
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_what_stands_in_an_objects_place_is_replaced(
    home: Path, made: Ran, odd: Callable[[Path], None], output: str
) -> None:
    path = object_of(home, made, output)
    path.unlink()
    odd(path)
    assert lorakit("plan").code == 0
    again = run(home, "--force", "film/meadow")
    assert again.code == 0, again.errors
    assert files(again) == files(made)
    assert path.is_file()
    assert not path.is_symlink()


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_what_stands_in_place_of_all_journals_and_manifests_is_none(
    home: Path, made: Ran, odd: Callable[[Path], None]
) -> None:
    for path in list((home / ".lorakit").rglob("*.json")):
        path.unlink()
        odd(path)
    said = lorakit("plan")
    assert said.code == 0, said.text
    assert " 0 cached" in said.text
    again = run(home)
    assert "a fault inside" not in again.errors
    if again.code == 0:
        assert files(again) == files(made)
    else:  # it is told of, since what is there might be somebody's
        said = (again.errors + json.dumps(again.events)).lower()
        assert {_folder: "is a directory", _loop: "is a link: remove it"}[odd] in said


@pytest.mark.parametrize("part", ["objects/ab", "actions/cd", "checkpoints/" + "ab" * 32])
def test_a_link_within_a_folder_of_the_store_is_refused(
    home: Path, tmp_path: Path, part: str
) -> None:
    """Whole objects are believed wherever they lie; but what is put and removed there would be another's."""
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "step-00000001.safetensors").write_text("my own")
    place = home / ".lorakit" / part
    shutil.rmtree(place, ignore_errors=True)
    place.symlink_to(mine)
    done = run(home, "--force", "all")
    assert done.code == 1
    assert f"{place} is a link: remove it" in done.errors
    assert [p.name for p in mine.iterdir()] == ["step-00000001.safetensors"]


@pytest.mark.parametrize("name", ["render.lock", "assemble.lock"])
def test_a_linked_lock_leaves_its_target_as_it_was(home: Path, tmp_path: Path, name: str) -> None:
    victim = tmp_path / "victim"
    victim.write_text("my own")
    lock = home / ".lorakit" / "locks" / name
    lock.unlink(missing_ok=True)
    lock.symlink_to(victim)
    done = run(home, "--force", "all")
    assert victim.read_text() == "my own"
    assert "a fault inside" not in done.errors
    assert done.code == 1
    assert f"{lock} is a link: remove it" in done.errors


def test_a_manifest_of_another_key_is_none(home: Path, made: Ran) -> None:
    """The whole, well-formed manifest of frame 1 in the places of all others."""
    every = sorted((home / ".lorakit" / "actions").glob("??/*.json"))
    for path in every[1:]:
        path.write_bytes(every[0].read_bytes())
    again = run(home)
    assert again.finished["cached"] <= 1
    assert files(again) == files(made)


@pytest.mark.slow
@pytest.mark.parametrize(
    "way", ["key twice", "outputs twice", "deep", "many digits", "NaN", "cut", "zeros"]
)
def test_a_manifest_that_json_reads_in_two_ways_makes_nothing_wrong(
    home: Path, made: Ran, way: str
) -> None:
    for path in (home / ".lorakit" / "actions").glob("??/*.json"):
        text = path.read_text()
        other = json.dumps({n: {"digest": "ab" * 32, "size": 1} for n in ("picture", "latents")})
        path.write_text(
            {
                "key twice": text.replace("{", '{"key": "' + "ab" * 32 + '", ', 1),
                "outputs twice": text.rstrip()[:-1] + f', "outputs": {other}}}',
                "deep": text.replace('"params": {', '"params": {"x": ' + "[" * 9000 + "]" * 9000 + ", ", 1),
                "many digits": text.replace('"seconds": ', '"seconds": ' + "9" * 5000),
                "NaN": text.replace('"seconds": ', '"seconds": NaN, "x": '),
                "cut": text[: len(text) // 2],
                "zeros": "\0" * len(text),
            }[way]
        )  # fmt: skip
    said = lorakit("plan")
    assert said.code == 0, said.text
    assert files(run(home)) == files(made)


def test_an_object_damaged_between_plan_and_use_is_not_used(home: Path, made: Ran) -> None:
    """Frame 1's latents, once frame 1 is settled and before frame 2 begins with them."""
    path = object_of(home, made, "film/meadow/1/latents")
    object_of(home, made, "film/meadow/2/picture").unlink()
    object_of(home, made, "film/meadow/2/latents").unlink()
    session = package.load("recipe.yaml")
    plan = session.plan()
    told: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, ActionFinished):
            told.append(event.detail)
            if event.action == "film/meadow/1":
                data = bytearray(path.read_bytes())
                data[-1] ^= 1
                path.write_bytes(data)

    session.run(plan=plan, listener=listen)
    again = run(home)
    assert again.code == 0, told
    assert files(again) == files(made)


@pytest.mark.slow
@pytest.mark.parametrize("odd", ["link", "pipe"])
def test_what_a_training_adds_to_is_a_file_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, odd: str
) -> None:
    """Its log, which lies beside the checkpoints of a stopped training, and is added to."""
    home = tmp_path / "training"
    (home / ".lorakit").mkdir(parents=True)
    write_text_training(home, steps=30, every=1)
    monkeypatch.chdir(home)
    far = False

    def listen(event: Event) -> None:
        nonlocal far
        far = far or (isinstance(event, ActionProgress) and event.done >= 3)

    finished = package.load("recipe.yaml").run(listener=listen, stop=lambda: far)
    assert finished.ending == "interrupted"
    victim = tmp_path / "victim"
    victim.write_text("my own")
    (folder,) = (home / ".lorakit" / "checkpoints").iterdir()
    logs = [p for p in folder.iterdir() if p.suffix == ".jsonl"]
    assert logs
    for path in logs:
        path.unlink()
        path.symlink_to(victim) if odd == "link" else os.mkfifo(path)
    done = run(home)
    assert done.code == 0, done.errors
    assert victim.read_text() == "my own"


def _read_only(place: Path) -> bool:
    """Make a folder read-only, for root too, where this user may."""
    for words in (
        ["mount", "--bind", str(place), str(place)],
        ["mount", "-o", "remount,ro,bind", str(place)],
    ):
        if subprocess.run(words, capture_output=True, check=False).returncode:
            return False
    return True


@pytest.mark.skipif(sys.platform != "linux", reason="mounts")
@pytest.mark.parametrize("part", [".lorakit", "outputs", "."])
def test_a_read_only_folder_is_told_and_read_from(home: Path, made: Ran, part: str) -> None:
    place = home / part
    os.chdir("/")
    try:
        if not _read_only(place):
            pytest.skip("nothing may be mounted here")
        os.chdir(home)
        assert lorakit("plan").code == 0
        assert lorakit("validate").code == 0
        done = run(home, "--force", "all")
        assert done.code == 1
        said = done.errors + json.dumps(done.events)
        assert "a fault inside" not in said
        assert "copy the project to" in said, said
    finally:
        os.chdir("/")
        subprocess.run(["umount", "-l", str(place)], capture_output=True, check=False)
    os.chdir(home)
    assert files(run(home, "--force", "all")) == files(made)
