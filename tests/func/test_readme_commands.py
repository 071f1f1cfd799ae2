"""Every command in the README's table is run as it is written there, with each of its options."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.support.boards import board_text, sentences, write_project
from tests.support.foreign import API, png
from tests.support.repositories import commit, init
from tests.support.runs import lorakit, run
from tests.support.vistory import story, write_story

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
_CELL = re.compile(r"(?<!\\)\|")
# what stands for what a reader puts in; a bracket alone may be left out
PUT_IN = {
    "[FOLDER]": "new",
    "[FILE|FOLDER]…": "recipe.yaml",
    "[RECIPE]": "recipe.yaml",
    "FOLDER|RECIPE": "photos",
    "[RECIPE|STORYBOARD]": "recipe.yaml",
    "[RECIPE|STORYBOARD]…": "recipe.yaml",
    "BOARD": "recipe.yaml",
    "[FRAME]": "one/1",
    "FRAME…": "one/1",
    "[A[..B]] [DOCS]": "HEAD~1..HEAD recipe.yaml",
    "[recipe|storyboard]": "storyboard",
    "RECIPE[:STEP]": "recipe.yaml:film",
    "REPOSITORY[@REVISION]": "owner/model@main",
    "[RUN]": "test/001",
    "RUN…": "test/001",
    "RUN": "test/001",
    "adapter FILE": "adapter ink.safetensors",
    "comfyui FILE": "comfyui drawn.png",
    "DATASET": "stories",
    "vistory RECIPE": "vistory recipe.yaml",
}
VALUES = {
    "--only": "film",
    "--force": "film",
    "--set": "seed=4",
    "--profile": "quick",
    "--scene": "one",
    "--checkpoint": "v1-5.safetensors",
    "--out": "out.safetensors",
}
FILM = "{fps: 24, hold: 0.5, height: 64}"
# exit codes other than 0: what lacks a word that the table tells of beside it; what asks the hub, which is
# not here (tests/func/test_models_command.py has one)
CODES = {
    "schema": 2,
    "pick recipe.yaml --take 3": 2,
    "pick recipe.yaml --remove": 2,
    "export board recipe.yaml:film": 2,
    "models pull owner/model@main": 1,
    "export vistory recipe.yaml": 1,  # no board there is called by a story's number
    "attach": 1,  # none is going on
    "attach test/001": 1,
    "attach --json": 1,
    "cache status": 1,  # none is named
    "cache status --json": 1,
}


def rows() -> dict[str, list[str]]:
    """Each row's command, and the words in code that stand beside it."""
    table = README.partition("\n## Commands\n")[2].partition("\n## ")[0]
    found = {}
    for line in table.splitlines():
        if line.startswith("| `lorakit "):
            _, first, second, _ = _CELL.split(line)
            (command,) = re.findall(r"`lorakit ([^`]+)`", first)
            told = re.findall(r"`([^`]+)`", second)
            found[command.replace("\\|", "|")] = [word.replace("\\|", "|") for word in told]
    return found


def filled(command: str, *, short: bool = False) -> str:
    for written, put_in in PUT_IN.items():
        # whole words: RUN is not in RUNS
        there = re.escape(written) + r"(?!\S)"
        command = re.sub(there, "" if short and written.startswith("[") else put_in, command)
    return command.strip()


def commands(command: str, told: list[str]) -> Iterator[str]:
    """What a row says may be typed: without what is optional, with it, with each option and value."""
    short, full = filled(command, short=True), filled(command)
    yield from dict.fromkeys((short, full))
    option = ""
    for word in told:
        name, _, value = word.partition(" ")
        if name.startswith("--"):
            option = name if value else ""
            yield f"{short} {name} {value or VALUES.get(name, '')}".strip()
        elif option and re.fullmatch("[a-z]+", word):
            yield f"{short} {option} {word}"
        elif value.startswith("--"):
            yield word
        elif value:
            yield f"{short} {filled(word)}"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tiny_sd: Path) -> Path:
    """A repository of two commits, a run, and files of other tools."""
    project = tmp_path_factory.mktemp("made") / "project"
    project.mkdir()
    shutil.copytree(tiny_sd, project / "tiny")
    init(project)
    (project / ".gitignore").write_text("outputs/\n.lorakit/\ntiny/\n")
    layer = "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q"
    rank = {"lora_A": (2, 64), "lora_B": (64, 2)}
    weights = {f"{layer}.{key}.weight": np.ones(shape, "f4") for key, shape in rank.items()}
    save_file(weights, project / "ink.safetensors")
    png(project / "drawn.png", prompt=API)
    write_story(project / "stories", story())
    (project / "photos").mkdir()
    png(project / "photos" / "a red fox.png")
    (project / "photos" / "a red fox.txt").write_text("a red fox")
    board = board_text([("one", sentences(1, 1))], video=FILM, steps=1)
    write_project(project, board, recipe="profiles: {quick: {seed: 5}}\n")
    commit(project)
    (project / "board.yaml").write_text(board.replace("steps: 1", "steps: 2"), "utf-8")
    commit(project)
    assert run(project, "recipe.yaml").code == 0
    return project


def test_the_table_is_read() -> None:
    assert [*commands("runs", ["rm RUN…"])] == ["runs", "runs rm test/001"]
    found = [typed for row in rows().items() for typed in commands(*row)]
    assert "run --until 07:00" in found
    assert "export board recipe.yaml:film --format pdf" in found
    assert "init --template style" in found
    assert "run --locked" in found
    assert not [
        typed for typed in found if re.search(r"[A-Z]{3}|[\[\]…]", typed.replace("HEAD", ""))
    ]


# watch goes on until a Ctrl-C, mcp until its agent leaves: tests/func/test_watch.py, test_mcp.py
@pytest.mark.slow
@pytest.mark.parametrize("row", [row for row in rows() if not row.startswith(("watch ", "mcp"))])
def test_a_command_of_the_readme_is_run(
    made: Path, tmp_path: Path, row: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWSER", "true")  # which shows nothing
    home = tmp_path / "project"
    shutil.copytree(made, home)
    kept = {*home.iterdir(), home / "lorakit.lock"}
    for typed in commands(row, rows()[row]):
        words = typed.split()
        if words[0] == "run":
            ran = run(home, *words[1:])
            code, said = ran.code, ran.errors
        else:
            done = lorakit(home, *words)
            code, said = done.returncode, done.stdout + done.stderr
        assert code == CODES.get(typed, 0), f"{typed}: {said}"
        assert "Traceback" not in said
        for new in {*home.iterdir()} - kept:  # what is written never goes over what is there
            shutil.rmtree(new) if new.is_dir() else new.unlink()
