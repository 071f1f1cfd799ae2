"""Ends that are told: full disks, folders that go, readers that leave, Ctrl-C at any moment, odd names."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import lorakit as package
from lorakit.execute.events import ActionFinished, ActionStarted, Event, Note, RunFinished
from lorakit.rendering.assemble import AssemblyEngine
from tests.attack.commands import lorakit
from tests.support.boards import board_text, write_project
from tests.support.runs import command, environment, quick_command, run

SCENES = [("one", ["a fox finds a key", "a fox holds a key"])]
BOARD = "storyboard: 1\nlook: {num_inference_steps: 1}\nscenes:\n  - text: A fox finds a key.\n"

slow = pytest.mark.slow
LATER = [pytest.param(wait, marks=slow) for wait in (0.005, 0.02, 0.045, 0.1, 0.2)]
MORE_ROOM = [pytest.param(room, marks=slow) for room in (0, 40_000, 120_000)]


@pytest.fixture
def home(tmp_path: Path, tiny_sd: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = tmp_path / "project"
    (project / ".lorakit").mkdir(parents=True)
    shutil.copytree(tiny_sd, project / "tiny")
    monkeypatch.chdir(project)
    write_project(project, board_text(SCENES, steps=2))
    return project


def told(text: str) -> None:
    assert "a fault inside" not in text, text
    assert "Traceback" not in text, text


def listened(change_at: type[Event], change: object) -> tuple[RunFinished, list[str]]:
    """A run in which something happens at the first event of a kind; its end and its notes and failures."""
    words: list[str] = []
    done = False

    def listen(event: Event) -> None:
        nonlocal done
        if isinstance(event, change_at) and not done:
            done = True
            change(event)  # type: ignore[operator]
        if isinstance(event, Note):
            words.append(event.text)
        if isinstance(event, ActionFinished) and event.detail:
            words.append(event.detail)

    return package.load("recipe.yaml").run(listener=listen), words


def remove(folder: Path) -> None:
    """At once, for those who write into it: what comes while it is emptied would be in its way."""
    gone = folder.rename(folder.with_name("gone"))
    shutil.rmtree(gone)


@pytest.mark.slow
def test_a_run_whose_folder_was_removed_is_not_done(home: Path) -> None:
    finished, words = listened(ActionStarted, lambda _: remove(home / "outputs"))
    assert finished.ending == "failed"
    assert any("was removed while the run went on" in one for one in words)
    assert run(home).code == 0


def test_a_run_whose_folder_was_removed_at_its_very_end_is_not_done(home: Path) -> None:
    finished, _ = listened(ActionFinished, lambda _: remove(home / "outputs"))
    assert finished.ending == "failed"
    assert not (home / "outputs").exists()


def test_a_store_that_was_removed_while_a_run_went_on_is_told(home: Path) -> None:
    finished, words = listened(ActionStarted, lambda _: remove(home / ".lorakit"))
    assert finished.ending == "failed"
    for one in words:
        told(one)
    assert any("removed" in one for one in words), words


@pytest.mark.parametrize("part", ["objects", "tmp"])
def test_a_file_in_the_place_of_a_folder_of_the_store_is_told(home: Path, part: str) -> None:
    (home / ".lorakit" / part).write_text("in the way")
    said = lorakit("run")
    told(said.text)
    assert said.code == 1
    assert f"{part} is a file where a folder belongs; move it away" in said.text


def test_a_file_in_the_place_of_outputs_is_told(home: Path) -> None:
    (home / "outputs").write_text("in the way")
    said = lorakit("run")
    told(said.text)
    assert said.code == 1
    assert "outputs" in said.text


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB, where this user may mount one."""
    place = tmp_path / "small"
    place.mkdir()
    if (
        sys.platform != "linux"
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(place)],
            capture_output=True,
            check=False,
        ).returncode
    ):
        pytest.skip("no disk may be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("room", [5_000, *MORE_ROOM])
def test_a_full_disk_is_told_and_the_next_run_goes_on(
    small: Path, tiny_sd: Path, room: int
) -> None:
    home = small / "project"
    (home / ".lorakit").mkdir(parents=True)
    (small / "m").symlink_to(tiny_sd)
    (home / "b.yaml").write_text(board_text(SCENES, steps=2))
    (home / "recipe.yaml").write_text(
        "recipe: 1\nmodels: {studio: {from: lorakit:studio}}\n"
        "steps: {film: {kind: storyboard, storyboard: b.yaml, model: studio}}\n"
    )
    free = shutil.disk_usage(small).free
    with (small / "ballast").open("wb") as file:
        file.write(bytes(max(0, free - room)))
    done = run(home)
    told(
        done.errors
        + "".join(str(e.get("detail", "")) + str(e.get("text", "")) for e in done.events)
    )
    assert done.code == 1
    said = done.errors + json.dumps(done.events)
    assert "no space left" in said.lower() or "disk" in said.lower(), said[-500:]
    (small / "ballast").unlink()
    assert run(home).code == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("words", [["plan"], ["validate"], ["--help"], ["plan", "--json"]])
def test_an_output_that_takes_nothing_is_told(home: Path, words: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command(*words), stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    told(done.stderr)
    assert done.returncode == 1
    assert "what was to be printed cannot be written: no space left on device" in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("style", ["csv", "otio"])
def test_an_export_to_an_output_that_takes_nothing_is_told(home: Path, style: str) -> None:
    words = command("export", "board", "board.yaml", "--format", style, "-o", "-")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    told(done.stderr)
    assert done.returncode == 1
    assert "what was to be printed cannot be written: no space left on device" in done.stderr
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(words, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    told(done.stderr)
    assert done.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", [["plan"], ["plan", "--json"], ["run", "--plain"], ["run", "--json"]]
)
def test_a_reader_that_leaves_is_no_failure(home: Path, words: list[str]) -> None:
    """`lorakit run | head`: the run goes on, and leaves its manifest."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        quick_command(*words), stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert done.stderr == ""
    assert done.returncode == 0
    if "run" in words:
        assert (home / "outputs" / "test" / "001" / "manifest.json").is_file()


@pytest.mark.skipif(sys.platform == "win32", reason="folders in use cannot be removed")
@pytest.mark.parametrize("words", [["plan"], ["run"], ["validate"], ["init"]])
def test_a_current_folder_that_was_removed_is_told(tmp_path: Path, words: list[str]) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    program = f"import os, sys; os.chdir({str(gone)!r}); os.rmdir({str(gone)!r}); os.execv(sys.executable, {command(*words)!r})"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    told(done.stderr)
    assert done.returncode == 1
    assert "the current folder was removed" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' names are Unicode")
def test_a_project_whose_path_is_no_utf_8_is_planned_and_refused_before_a_run(
    home: Path, tmp_path: Path
) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    home.rename(odd)
    os.chdir(odd)
    Path(os.fsdecode(b"n\xe9.yaml")).write_text(BOARD)
    for words in (["plan"], ["plan", "--json"], ["plan", os.fsdecode(b"n\xe9.yaml")], ["validate"]):
        said = lorakit(*words)
        told(said.text)
        assert said.code == 0, said.text
    said = lorakit("run", "--plain")
    told(said.text)
    assert said.code == 1
    assert "is no UTF-8, and libraries open no file below it: rename the folder" in said.text
    assert not (odd / "outputs").exists()


def test_pictures_whose_names_are_no_utf_8_are_planned(home: Path) -> None:
    from PIL import Image

    (home / "mine").mkdir()
    Image.new("RGB", (64, 64), "navy").save(home / "mine" / os.fsdecode(b"caf\xe9.png"), "PNG")
    (home / "r.yaml").write_text(
        "recipe: 1\nmodels: {m: {from: tiny, dtype: fp32}}\ndatasets: {d: {images: mine, caption: a fox}}\n"
        "steps: {s: {kind: train-image, model: m, data: d}}\n"
    )
    for words in (["plan", "r.yaml"], ["plan", "r.yaml", "--json"], ["validate", "r.yaml"]):
        said = lorakit(*words)
        told(said.text)
        assert said.code == 0, said.text


@pytest.mark.slow
@pytest.mark.parametrize("length", [250])
def test_long_names_fail_before_the_work_or_not_at_all(home: Path, length: int) -> None:
    name = "n" * length
    (home / f"{name}.yaml").write_text(BOARD)
    said = lorakit("run", f"{name}.yaml", "--plain")
    told(said.text)
    assert said.code == 0, said.text
    assert lorakit("plan", f"{name}.yaml").code == 0
    (home / "recipe.yaml").write_text(
        (home / "recipe.yaml").read_text().replace("film:", f"{name}:")
    )
    said = lorakit("run", "--plain")
    told(said.text)
    if said.code:
        assert "started" not in said.text
    too_long = lorakit("plan", "n" * 300 + ".yaml")
    told(too_long.text)
    assert too_long.code == 3


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("wait", [0.001, 0.01, 0.03, 0.06, *LATER])
def test_ctrl_c_at_the_start_shows_no_traceback(home: Path, wait: float) -> None:
    """From the first line of ours on: before it stands only Python's own start."""
    program = (
        "import os, signal, sys\nsys.argv = ['lorakit', 'plan']\n"
        "signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))\n"
        "import lorakit\n"
        f"signal.setitimer(signal.ITIMER_REAL, {wait})\n"
        "from lorakit.cli import main\ntry:\n    main()\n"
        "finally:\n    signal.setitimer(signal.ITIMER_REAL, 0)"  # Python's own end is not ours
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    assert "KeyboardInterrupt" not in done.stderr
    assert done.returncode in (0, 130, -signal.SIGINT)


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_a_second_ctrl_c_gives_the_cursor_back(home: Path) -> None:
    import pty

    write_project(home, board_text([("one", [f"a fox {n}" for n in range(6)])], steps=300))
    parent, child = pty.openpty()
    process = subprocess.Popen(
        command("run"), stdout=child, stderr=child, env={**os.environ, "TERM": "xterm-256color"}
    )
    os.close(child)
    seen = b""
    asked = 0
    while True:
        try:
            piece = os.read(parent, 1 << 16)
        except OSError:
            break
        seen += piece
        if asked == 0 and b"\x1b[?25l" in seen:
            process.send_signal(signal.SIGINT)
            asked = 1
        elif asked == 1:
            process.send_signal(signal.SIGINT)
            asked = 2
    os.close(parent)
    assert process.wait() == 130
    assert seen.rindex(b"\x1b[?25h") > seen.rindex(b"\x1b[?25l")


@pytest.mark.slow  # torch and diffusers under -X dev
def test_a_run_leaves_no_file_open(home: Path) -> None:
    """`-W error` in the command itself: what is not closed would be told at its end."""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error::ResourceWarning", "-m", "lorakit", "run", "--plain"],
        capture_output=True, text=True, env=environment(), check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "ResourceWarning" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("times", [2, 3])
def test_a_killed_ffmpeg_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path, times: int
) -> None:
    """A stand-in in front of the real one, which ends itself by a signal the first times."""
    import imageio_ffmpeg

    real, count = imageio_ffmpeg.get_ffmpeg_exe(), tmp_path / "count"
    fake = tmp_path / "ffmpeg"
    fake.write_text(
        f'#!/bin/sh\ncase "$*" in *-encoders*) exec {real} "$@";; esac\necho x >> {count}\n[ $(wc -l < {count}) -gt {times} ] || kill -9 $$\nexec {real} "$@"\n'
    )
    fake.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(fake))
    finished, words = listened(ActionStarted, lambda _: None)
    if times < 3:
        assert finished.ending == "done", words
        assert Path(finished.film).stat().st_size > 0
    else:
        assert finished.ending == "failed"
        assert any("ffmpeg was ended by signal 9" in one for one in words)
    assert AssemblyEngine  # what tries again


def test_a_killed_check_of_a_training_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from lorakit import children
    from lorakit.diagnostics import LorakitError
    from lorakit.training import reload

    count = tmp_path / "count"

    def stand_in(times: int) -> list[str]:
        program = (
            f"import os, sys\nopen({str(count)!r}, 'a').write('x')\n"
            f"if len(open({str(count)!r}).read()) <= {times}: os.kill(os.getpid(), 9)\n"
            "sys.stdin.read(); print('{\"difference\": 0.0}')"
        )
        return [sys.executable, "-c", program]

    monkeypatch.setattr(children, "python", lambda *_: stand_in(2))
    found = reload.in_fresh_process("train-text", tmp_path, {}, {"a": torch.zeros(1)})
    assert found == {"difference": 0.0}
    count.unlink()
    monkeypatch.setattr(children, "python", lambda *_: stand_in(3))
    with pytest.raises(LorakitError, match="was memory short"):
        reload.in_fresh_process("train-text", tmp_path, {}, {"a": torch.zeros(1)})
