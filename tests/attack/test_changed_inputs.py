"""Files that change while a run is under way: nothing is kept under the key of other data."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import lorakit
from lorakit.execute.events import ActionFinished, Event, RunFinished, WorkerState
from lorakit.store.sources import SourceChanged, SourceReading
from tests.support.boards import board_text, write_project

ROWS = "".join(f"a {'fine' if n % 2 else 'dull'} film {n},{n % 2}\n" for n in range(40))
TEXTS = """\
recipe: 1
datasets: {mine: {texts: t.csv}}
steps:
  judge: {kind: train-text, data: mine, train: {max_train_steps: 2, batch_size: 4}}
"""
IMAGES = """\
recipe: 1
models: {tiny: {from: tiny, dtype: fp32}}
datasets: {mine: {images: mine}}
steps:
  style: {kind: train-image, model: tiny, data: mine, train: {max_train_steps: 1, batch_size: 1}}
"""


@pytest.fixture
def home(tmp_path: Path, tiny_sd: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = tmp_path / "project"
    (project / ".lorakit").mkdir(parents=True)
    shutil.copytree(tiny_sd, project / "tiny")
    monkeypatch.chdir(project)
    return project


def run(
    change: Callable[[], None], back: Callable[[], None] = lambda: None
) -> tuple[RunFinished, list[str]]:
    """Run r.yaml; `change` is called once it is planned, `back` when it is over. Its end, and its failures."""
    session = lorakit.load("r.yaml")
    plan = session.plan()
    failures: list[str] = []
    done = False

    def listen(event: Event) -> None:
        nonlocal done
        # the worker has started, and reads what it is told as soon as the next job comes
        if isinstance(event, WorkerState) and not done:
            done = True
            change()
        if isinstance(event, ActionFinished) and event.outcome == "failed":
            failures.append(event.detail)

    finished = session.run(plan=plan, listener=listen)
    back()
    return finished, failures


def drawn(home: Path) -> list[str]:
    """The frames that the store has; what needs no model may be there."""
    found = (home / ".lorakit" / "actions").glob("*/*.json")
    made = [json.loads(path.read_text()) for path in found]
    return [one["kind"] for one in made if "picture" in one["outputs"]]


def put_back(path: Path) -> Callable[[], None]:
    """The old bytes with the old times, as if nothing had been."""
    data, status = path.read_bytes(), path.stat()

    def back() -> None:
        path.write_bytes(data)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    return back


def test_a_table_changed_before_it_was_read_is_not_recorded_under_the_old_key(home: Path) -> None:
    """The attack as it was made: after the old file was put back, the other data's adapter was cached."""
    table = home / "t.csv"
    table.write_text("text,label\n" + ROWS)
    (home / "r.yaml").write_text(TEXTS)
    back = put_back(table)
    finished, failures = run(
        lambda: table.write_text("text,label\n" + ROWS.replace("fine", "grim")), back
    )
    assert finished.ending == "failed"
    assert f"{table} has changed since the plan was made" in failures[0]
    assert not drawn(home)
    assert not list((home / ".lorakit" / "checkpoints").glob("*/*.safetensors"))
    assert len(lorakit.load("r.yaml").plan().to_make) == 1


def test_a_picture_changed_before_it_was_read_is_not_recorded_under_the_old_key(home: Path) -> None:
    from PIL import Image

    picture = home / "mine" / "a.png"
    picture.parent.mkdir()
    Image.new("RGB", (64, 64), "navy").save(picture)
    picture.with_suffix(".txt").write_text("a fox")
    (home / "r.yaml").write_text(IMAGES)
    back = put_back(picture)
    finished, failures = run(lambda: Image.new("RGB", (64, 64), "red").save(picture), back)
    assert finished.ending == "failed"
    assert any(f"{picture} has changed" in told for told in failures)
    kinds = [
        json.loads(p.read_text())["kind"] for p in (home / ".lorakit/actions").glob("*/*.json")
    ]
    assert "latents" not in kinds
    assert "train-image" not in kinds


@pytest.mark.parametrize(
    "part", ["unet/config.json", "vae/diffusion_pytorch_model.safetensors", "tokenizer/merges.txt"]
)
def test_a_model_changed_before_it_was_loaded_draws_nothing(home: Path, part: str) -> None:
    write_project(home, board_text([("one", ["a fox"])], steps=1)).rename(home / "r.yaml")
    file = home / "tiny" / part
    if not file.exists():
        file = next((home / "tiny" / part.partition("/")[0]).glob("*.json"))
    back = put_back(file)
    changed = file.read_bytes()
    changed = (
        changed[:-1] + bytes([changed[-1] ^ 1])
        if file.suffix == ".safetensors"
        else changed + b"\n"
    )
    finished, failures = run(lambda: file.write_bytes(changed), back)
    assert finished.ending == "failed"
    assert f"{file} has changed since the plan was made" in failures[0]
    assert not drawn(home)


@pytest.mark.slow
def test_a_model_that_was_only_touched_is_drawn_with(home: Path) -> None:
    write_project(home, board_text([("one", ["a fox"])], steps=1)).rename(home / "r.yaml")
    finished, failures = run(lambda: os.utime(home / "tiny" / "unet" / "config.json"))
    assert finished.ending == "done", failures


def test_a_file_that_changes_while_it_is_read_is_noticed_though_it_is_put_back(
    tmp_path: Path,
) -> None:
    from lorakit.facts.files.digests import Digests

    file = tmp_path / "a"
    file.write_bytes(b"one")
    digests = Digests(None)
    digests.file(file)
    reading = SourceReading(digests.sources.named_in({"path": str(file)}))
    reading.begin()
    back = put_back(file)
    file.write_bytes(b"two")
    back()
    with pytest.raises(SourceChanged, match="has changed"):
        reading.end()
    reading = SourceReading(digests.sources.named_in([str(file)]))
    reading.begin()  # it holds what it held
    reading.end()
    file.unlink()
    with pytest.raises(SourceChanged):
        reading.begin()


def test_a_file_that_never_keeps_still_has_no_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import hashlib

    from lorakit.store.seen import digest_and_identity

    file = tmp_path / "a"
    file.write_bytes(b"one")
    real = hashlib.file_digest

    def while_it_is_written(*given: object) -> object:
        with file.open("ab") as more:
            more.write(b"x")
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(hashlib, "file_digest", while_it_is_written)
    with pytest.raises(OSError, match="changes while it is read"):
        digest_and_identity(file)


@pytest.mark.parametrize(
    "name",
    [
        "unet/diffusion_pytorch_model.safetensors.index.json",
        "tokenizer/added_tokens.json",
        "extra.json",
    ],
)
def test_a_file_that_was_put_into_a_model_since_the_plan_is_noticed(home: Path, name: str) -> None:
    """Libraries look for more files than they find: one that is new would change what they load."""
    write_project(home, board_text([("one", ["a fox"])], steps=1)).rename(home / "r.yaml")
    finished, failures = run(lambda: (home / "tiny" / name).write_text("{}") and None)
    assert finished.ending == "failed"
    assert "has changed since the plan was made" in failures[0]
    assert not drawn(home)


def test_a_note_put_beside_a_model_since_the_plan_is_nobodys_business(home: Path) -> None:
    write_project(home, board_text([("one", ["a fox"])], steps=1)).rename(home / "r.yaml")
    finished, failures = run(lambda: (home / "tiny" / "README.md").write_text("mine") and None)
    assert finished.ending == "done", failures


def test_a_board_that_changes_while_a_run_goes_on_belongs_to_the_next(home: Path) -> None:
    write_project(home, board_text([("one", ["a fox"])], steps=1)).rename(home / "r.yaml")
    board = home / "board.yaml"
    back = put_back(board)
    finished, failures = run(
        lambda: board.write_text(board.read_text().replace("a fox", "an owl")) and None, back
    )
    assert finished.ending == "done", failures
    assert not lorakit.load("r.yaml").plan().to_make
    board.write_text(board.read_text().replace("a fox", "an owl"))
    # the frame, the sheet, the film, what finishes it and its subtitles
    assert len(lorakit.load("r.yaml").plan().to_make) == 5
