"""Escape sequences and marks of writing direction, through every way into what is printed."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import struct
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

import lorakit as package
from lorakit import terminal
from tests.attack.commands import lorakit

ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\x08"
DIRECTIONS = "\u202egnp\u2066\u200f\ufeff\u061c"
EVIL = f"e{ESCAPES}v{DIRECTIONS}il"
EVIL_NAME = EVIL.replace("/", "")
TEXTS = "recipe: 1\ndatasets: {mine: {texts: mine.csv%s}}\nsteps:\n  judge: {kind: train-text, data: mine%s}\n"
IMAGES = "recipe: 1\ndatasets: {mine: {images: mine%s}}\nsteps:\n  style: {kind: train-image, data: mine}\n"
DRAWS = (
    "recipe: 1\nmodels: {m: {from: %s}}\nadapters: {a: {from: a.safetensors}}\nsteps:\n"
    "  draw: {kind: generate, model: m, adapters: {a: 1}, prompts: [a fox]}\n"
)
BOARD = "storyboard: 1\nscenes:\n  - text: The fox finds a key.\n"


def quoted(text: str) -> str:
    """A text in double quotes as YAML reads it, written without a character that YAML forbids."""
    return json.dumps(text, ensure_ascii=True)


def obeyed(text: str) -> list[str]:
    """Characters that a terminal would act upon."""
    unseen = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return [c for c in text if unicodedata.category(c) in unseen and c not in "\n\t"]


def safetensors(names: dict[str, list[int]], metadata: dict[str, str] | None = None) -> bytes:
    """A file of ones whose tensors are called so."""
    header: dict[str, object] = {"__metadata__": metadata} if metadata else {}
    at = 0
    for name, shape in names.items():
        size = 4
        for length in shape:
            size *= length
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + struct.pack("<f", 1.0) * (at // 4)


def write(name: str, content: str | bytes) -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def picture(name: str) -> None:
    from PIL import Image

    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 64), "navy").save(name, "PNG")


def model(index: dict[str, object]) -> None:
    write("m/model_index.json", json.dumps(index))
    write("m/unet/config.json", json.dumps({"_class_name": EVIL, "block_out_channels": EVIL}))
    write("m/vae/config.json", "{}")


def _class_of_a_model() -> list[str]:
    model({"_class_name": EVIL})
    write("a.safetensors", b"")
    write("r.yaml", DRAWS % "m")
    return ["plan", "r.yaml"]


def _configuration_of_a_model() -> list[str]:
    model({"_class_name": "StableDiffusionPipeline", EVIL: [EVIL, EVIL]})
    write("a.safetensors", b"")
    write("r.yaml", DRAWS % "m")
    return ["plan", "r.yaml"]


def _tensors_of_an_adapter() -> list[str]:
    write(
        "a.safetensors",
        safetensors({f"base_model.model.{EVIL}.lora_A.weight": [4, 4]}, {EVIL: EVIL}),
    )
    write("r.yaml", DRAWS % "lorakit:studio")
    return ["plan", "r.yaml"]


def _tensors_of_an_exported_adapter() -> list[str]:
    write(
        "a.safetensors", safetensors({f"lora_unet_{EVIL}.lora_down.weight": [4, 4]}, {EVIL: EVIL})
    )
    return ["export", "adapter", "a.safetensors"]


def _name_of_an_exported_file() -> list[str]:
    write(f"{EVIL_NAME}.safetensors", b"x")
    return ["export", "adapter", f"{EVIL_NAME}.safetensors", "--out", EVIL_NAME]


def _names_of_pictures() -> list[str]:
    picture(f"mine/{EVIL_NAME}.png")
    picture(f"mine/{EVIL_NAME}/b.png")
    write("r.yaml", IMAGES % "")
    return ["plan", "r.yaml"]


def _names_of_broken_pictures() -> list[str]:
    write(f"mine/{EVIL_NAME}.png", b"no picture")
    write("r.yaml", IMAGES % "")
    return ["plan", "r.yaml"]


def _captions() -> list[str]:
    picture("mine/a.png")
    write("mine/a.txt", f"{EVIL} " * 200)
    write("r.yaml", IMAGES % "")
    return ["plan", "r.yaml", "--frames"]


def _columns() -> list[str]:
    write("mine.csv", f"text{EVIL_NAME.replace(chr(13), '')},label\nx,a\ny,b\n")
    write("r.yaml", TEXTS % ("", ""))
    return ["validate", "r.yaml"]


def _data_set_that_is_looked_at() -> list[str]:
    for name in ("a", EVIL_NAME, f"{EVIL_NAME}/b"):
        picture(f"mine/{name}.png")
        write(f"mine/{name}.txt", EVIL)
    for name in (f"{EVIL_NAME}.md", f"._{EVIL_NAME}", f"{EVIL_NAME}2.txt", f"{EVIL_NAME}.heic"):
        write(f"mine/{name}", "x")
    return ["data", "mine"]


def _texts_that_are_looked_at() -> list[str]:
    evil = EVIL.replace("\r", "")
    write("mine.csv", "text,label\n" + "".join(f"{evil},{evil}{n % 2}\n" for n in range(20)))
    return ["data", "mine.csv"]


def _captions_that_are_written() -> list[str]:
    picture(f"mine/{EVIL_NAME} fox.png")
    return ["data", "mine", "--write-captions"]


def _labels() -> list[str]:
    evil = EVIL.replace("\r", "")
    write("mine.csv", "text,label\n" + "".join(f"text {n},{evil}{n % 2}\n" for n in range(20)))
    write("r.yaml", TEXTS % (", labels: [a, b]", ""))
    return ["validate", "r.yaml"]


def _labels_of_a_plan() -> list[str]:
    evil = EVIL.replace("\r", "")
    write("mine.csv", "text,label\n" + "".join(f"text {n},{evil}{n % 2}\n" for n in range(20)))
    write("r.yaml", TEXTS % ("", ""))
    return ["plan", "r.yaml"]


def _splits() -> list[str]:
    for name in (f"{EVIL_NAME}1", f"{EVIL_NAME}2"):
        write(f"mine/{name}.csv", "text,label\nx,a\ny,b\n")
    write("r.yaml", (TEXTS % ("", "")).replace("mine.csv", "mine"))
    return ["validate", "r.yaml"]


def _layers() -> list[str]:
    write("mine.csv", "text,label\n" + "".join(f"text {n},{n % 2}\n" for n in range(20)))
    write("r.yaml", TEXTS % ("", f", lora: {{target_modules: [{quoted(EVIL)}]}}"))
    return ["validate", "r.yaml"]


def _neighbours() -> list[str]:
    write(f"board{EVIL_NAME}.yaml", BOARD)
    write("r.yaml", "recipe: 1\nsteps: {film: {kind: storyboard, storyboard: board.yaml}}\n")
    return ["validate", "r.yaml"]


def _keys_and_values() -> list[str]:
    evil = quoted(EVIL)
    write("r.yaml", f"recipe: 1\n{evil}: {evil}\nsteps: {{{evil}: {{kind: {evil}}}}}\n")
    return ["validate", "r.yaml"]


def _sentences() -> list[str]:
    write(
        "b.yaml",
        f"storyboard: 1\ntitle: {quoted(EVIL)}\nscenes:\n  - text: {quoted('The fox ' + EVIL)}\n",
    )
    return ["plan", "b.yaml", "--frames"]


def _project_folder() -> list[str]:
    write(f"{EVIL_NAME}/.lorakit/x", "")
    write(f"{EVIL_NAME}/b.yaml", BOARD)
    return ["plan", f"{EVIL_NAME}/b.yaml"]


def _arguments(*words: str) -> Callable[[], list[str]]:
    def build() -> list[str]:
        write("b.yaml", BOARD)
        write("r.yaml", "recipe: 1\nsteps: {film: {kind: storyboard, storyboard: b.yaml}}\n")
        return list(words)

    return build


WAYS: dict[str, Callable[[], list[str]]] = {
    "class of a model": _class_of_a_model,
    "configuration of a model": _configuration_of_a_model,
    "tensors of an adapter": _tensors_of_an_adapter,
    "tensors of an exported adapter": _tensors_of_an_exported_adapter,
    "name of an exported file": _name_of_an_exported_file,
    "names of pictures": _names_of_pictures,
    "names of broken pictures": _names_of_broken_pictures,
    "captions": _captions,
    "columns": _columns,
    "data set that is looked at": _data_set_that_is_looked_at,
    "texts that are looked at": _texts_that_are_looked_at,
    "captions that are written": _captions_that_are_written,
    "labels": _labels,
    "labels of a plan": _labels_of_a_plan,
    "splits": _splits,
    "layers": _layers,
    "neighbours": _neighbours,
    "keys and values": _keys_and_values,
    "sentences": _sentences,
    "project folder": _project_folder,
    "file": _arguments("plan", f"{EVIL}.yaml"),
    "files": _arguments("validate", f"{EVIL}.yaml", EVIL),
    "init": _arguments("init", EVIL_NAME),
    "command": _arguments(EVIL),
    "option": _arguments("plan", f"--{EVIL}"),
    "--only": _arguments("plan", "r.yaml", "--only", EVIL),
    "--only of a scene": _arguments("plan", "r.yaml", "--only", f"film/{EVIL}"),
    "--force": _arguments("plan", "r.yaml", "--force", EVIL),
    "--profile": _arguments("plan", "r.yaml", "--profile", EVIL),
    "--set": _arguments("plan", "r.yaml", "--set", f"steps.film.{EVIL}={EVIL}"),
    "--until": _arguments("run", "r.yaml", "--until", EVIL),
    "--environment": _arguments("plan", "r.yaml", "--environment", EVIL),
}


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home" / ".lorakit").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "home")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_nothing_that_a_terminal_obeys_is_printed(way: Callable[[], list[str]]) -> None:
    said = lorakit(*way())
    assert "a fault inside lorakit" not in said.text
    assert obeyed(said.text) == []


def test_what_is_escaped_can_be_read() -> None:
    said = lorakit("plan", "r\x1b[31m\u202e.yaml")
    assert r"r\u001b[31m\u202e.yaml" in said.text


def test_no_name_makes_a_line_of_its_own() -> None:
    """A line break in a name would let it speak as lorakit does."""
    said = lorakit("plan", "r\nerror: all is lost\n.yaml")
    assert r"r\nerror: all is lost\n.yaml" in said.text
    assert "\nerror: all is lost" not in said.text


@pytest.mark.parametrize("style", ["json", "github", "text"])
def test_findings_are_as_safe_in_every_form(style: str) -> None:
    _keys_and_values()
    said = lorakit("validate", "r.yaml", "--format", style)
    assert obeyed(said.text) == []
    if style == "json":
        assert any(DIRECTIONS in finding["message"] for finding in json.loads(said.text))


def test_json_on_a_pipe_is_escaped_and_loses_nothing() -> None:
    picture(f"mine/{EVIL_NAME}.png")
    write("r.yaml", IMAGES % ", caption: a fox")
    said = lorakit("plan", "r.yaml", "--json")
    assert obeyed(said.text) == []
    assert DIRECTIONS in json.dumps(json.loads(said.text), ensure_ascii=False)


def test_other_scripts_and_emoji_are_printed_as_they_are() -> None:
    for text in ("👩‍🚀 und 🏳️‍🌈", "می‌خواهم", "小红找到钥匙。", "क्‍ष", "naïve\u00a0!", "\u3000全角"):
        assert terminal.visible(text) == text


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
@pytest.mark.parametrize(
    "words", [["plan", "b.yaml", "--frames"], ["run", "b.yaml"], ["run", "b.yaml", "--plain"]]
)
def test_on_a_terminal_our_own_colours_arrive_and_nothing_of_a_document(words: list[str]) -> None:
    _sentences()
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "lorakit", *words, *(["--draft"] if "run" in words else [])],
        stdout=child,
        stderr=child,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"},
    )
    os.close(child)
    told = b""
    while True:
        try:
            piece = os.read(parent, 1 << 16)
        except OSError:
            break
        if not piece:
            break
        told += piece
    os.close(parent)
    process.wait()
    text = told.decode("utf-8")
    assert "\x1b]0;owned" not in text
    assert "\x1b[2J" not in text
    own = re.compile(r"\x1b\[[0-9;?]*[mKAhlG]|\r")
    assert obeyed(own.sub("", text)) == []


@pytest.mark.parametrize("live", [True, False])
def test_what_workers_and_libraries_say_is_shown_and_not_obeyed(live: bool) -> None:
    """The words of a failure, of a note and of a worker's state, in both views of a run."""
    from rich.console import Console

    from lorakit.execute.events import ActionFinished, Note, RunFinished, RunStarted, WorkerState
    from lorakit.ui.live import LiveView
    from lorakit.ui.plain import PlainView
    from tests.support.shown_plans import board

    out = io.StringIO()
    with mock.patch.object(sys, "stdout", out):
        console = terminal.console()
    assert isinstance(console, Console)
    console._force_terminal = live
    shown = board()
    first = shown.actions[0].action.id
    with (LiveView if live else PlainView)(shown, console) as view:
        view.handle(RunStarted(0.0, EVIL_NAME, shown.recipe, 1, 1))
        view.handle(WorkerState(0.1, "render", "loading", EVIL))
        view.handle(Note(0.2, EVIL))
        view.handle(ActionFinished(0.3, first, "failed", detail=EVIL, picture=f"{EVIL_NAME}.png"))
        view.handle(
            RunFinished(0.4, "failed", EVIL_NAME, 0.4, 0, 0, 1, 0, film=EVIL_NAME, hint=EVIL)
        )
    text = out.getvalue()
    assert "owned" in text
    own = re.compile(r"\x1b\[[0-9;?]*[mKAhlG]|\r")
    assert obeyed(own.sub("", text)) == []


def test_one_module_prints() -> None:
    home = Path(package.__file__).parent
    prints = re.compile(r"(?<![\w.])print\(|sys\.stdout\.write|console\.file\.write|\bConsole\(\)")
    others = [
        f"{path.relative_to(home)}: {line}"
        for path in home.rglob("*.py")
        if path.name not in ("terminal.py", "__init__.py")
        for line in path.read_text("utf-8").splitlines()
        if prints.search(line) and ">>>" not in line
    ]
    assert others == []
