"""What would keep a command busy for ever: evil expressions, pipes and devices in the place of files."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from lorakit.facts.networks.layer_targets import hit, settled
from lorakit.patterns import BadPattern, Pattern, any_of
from tests.attack.commands import lorakit

NAMES = [
    "bert.encoder.layer.11.attention.self.query",
    "down_blocks.2.attentions.1.transformer_blocks.0.attn2.to_k",
    "a" * 60,
    "x" * 60 + "!",
]
EVIL = [
    r"(a+)+$",
    r"(a|a)*b",
    r"(a|aa)+b",
    r"([a-z]+)*\d",
    r"(.*)*!!",
    r"((.*)*)*!!",
    r"(.*?)*?!!",
    r"(.*){30}!!",
    r"(.{0,100}){0,100}!!",
    r"(\w+\.?)+!!",
    r"(x+x+)+y",
    r"(?=(.+)+$)(.+)+!!",
    r"(.+)\1*(.+)\2*!!",
    r"(\1a|b)*!!",
    r"(?!(.+)+!!)(.*)*!!",
    r"((a{1000}){1000}){1000}",
    "(" * 900 + "a" + ")" * 90,
    "(" * 400 + "a" + ")*" * 400,
    "a" * 100_000,
    "[" * 900,
    r"(?P<n>.*)(?(n)(.*)*!!|x)",
    r"(?>(.*)*)!!",
]


@pytest.mark.parametrize("evil", EVIL, ids=range(len(EVIL)))
def test_an_evil_expression_is_matched_or_refused_and_never_tried_for_ever(evil: str) -> None:
    try:
        expression = Pattern(evil)
    except BadPattern:
        return
    for name in NAMES:
        expression.matches(name)


@pytest.mark.parametrize("evil", EVIL, ids=range(len(EVIL)))
def test_a_recipe_with_an_evil_expression_is_told_so(
    evil: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    quoted = "'" + evil.replace("'", "''") + "'"
    Path("r.yaml").write_text(
        "recipe: 1\ndatasets: {d: {texts: lorakit:movie-snippets}}\n"
        f"steps:\n  judge: {{kind: train-text, data: d, lora: {{target_modules: {quoted}}}}}\n"
        f"  style: {{kind: train-image, data: i, lora: {{target_modules: {quoted}}}}}\n".replace(
            "datasets: {d:", "datasets: {i: {images: lorakit:hologram}, d:"
        )
    )
    said = lorakit("validate", "r.yaml")
    assert said.code == 3
    assert "a fault inside" not in said.text
    assert "target_modules" in said.text or "error[" in said.text


@pytest.mark.parametrize(
    "usual",
    [
        r".*\.(to_k|to_q)",
        r".*\.layer\.(1[01]|[0-9])\..*\.(?:query|key)",
        r"(?!.*down).*\.query",
        r".*(?<!attn1)\.to_k",
        r"bert.+query\Z",
        r"\w+\.encoder\.layer\.\d+\.attention\.self\.(query|value)",
        r"(?i).*QUERY",
    ],
)
def test_expressions_as_recipes_have_them_match_as_pythons_do(usual: str) -> None:
    for name in NAMES:
        assert Pattern(usual).matches(name) == (re.fullmatch(usual, name) is not None)
        assert hit(name, usual) == Pattern(usual).matches(name)


def test_a_library_is_given_names_and_no_expression_of_others() -> None:
    given = settled(NAMES, r".*\.(query|to_k)")
    assert isinstance(given, str)
    assert [n for n in NAMES if re.fullmatch(given, n)] == NAMES[:2]
    assert settled(NAMES, ["query"]) == ["query"]
    assert not re.fullmatch(any_of([]), "")


BOARD = "storyboard: 1\nscenes:\n  - text: The fox finds a key.\n"
DRAW = "recipe: 1\nmodels: {m: {from: {from}}}\nsteps: {d: {kind: generate, model: m, prompts: [a fox]}}\n"
IMAGES = "recipe: 1\ndatasets: {d: {images: d}}\nsteps: {s: {kind: train-image, data: d}}\n"
TEXTS = "recipe: 1\ndatasets: {d: {texts: {from}}}\nsteps: {s: {kind: train-text, data: d}}\n"


def _picture(name: str) -> None:
    from PIL import Image

    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 64), "navy").save(name)


def _at(recipe: str, place: str) -> Callable[[Callable[[Path], None]], list[str]]:
    """A recipe, and the odd file at a place beside it."""

    def build(odd: Callable[[Path], None]) -> list[str]:
        _picture("d/a.png")
        Path("d/a.txt").write_text("a fox")
        Path("r.yaml").write_text(recipe)
        path = Path(place)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        odd(path)
        return ["plan", "r.yaml"]

    return build


def _model(place: str) -> Callable[[Callable[[Path], None]], list[str]]:
    def build(odd: Callable[[Path], None]) -> list[str]:
        import shutil

        from lorakit import resources

        shutil.copytree(resources.path("studio"), "m")
        return _at(DRAW.replace("{from}", "m"), f"m/{place}")(odd)

    return build


PLACES: dict[str, Callable[[Callable[[Path], None]], list[str]]] = {
    "picture": _at(IMAGES, "d/b.png"),
    "picture of another name": _at(IMAGES, "d/b.webp"),
    "caption": _at(IMAGES, "d/a.txt"),
    "captions": _at(IMAGES, "d/metadata.jsonl"),
    "captions in a table": _at(IMAGES, "d/metadata.csv"),
    "parquet": _at(IMAGES, "d/b.parquet"),
    "anything beside pictures": _at(IMAGES, "d/notes"),
    "table": _at(TEXTS.replace("{from}", "t.csv"), "t.csv"),
    "lines": _at(TEXTS.replace("{from}", "t.jsonl"), "t.jsonl"),
    "parquet of texts": _at(TEXTS.replace("{from}", "t.parquet"), "t.parquet"),
    "text of a label": _at(TEXTS.replace("{from}", "t"), "t/good/a.txt"),
    "table in a folder": _at(TEXTS.replace("{from}", "t"), "t/train.csv"),
    "label": _at(TEXTS.replace("{from}", "t"), "t/good"),
    "weights": _at(DRAW.replace("{from}", "w.safetensors"), "w.safetensors"),
    "model": _at(DRAW.replace("{from}", "w"), "w"),
    "index of a model": _model("model_index.json"),
    "configuration of a model": _model("unet/config.json"),
    "weights of a model": _model("vae/diffusion_pytorch_model.safetensors"),
    "tokenizer of a model": _model("tokenizer/vocab.json"),
    "studio settings": _model("studio.json"),
    "document": _at("", "r.yaml"),
    "storyboard": _at("recipe: 1\nsteps: {f: {kind: storyboard, storyboard: b.yaml}}\n", "b.yaml"),
    "extends": _at("recipe: 1\nextends: b.yaml\nsteps: {}\n", "b.yaml"),
    "extends of any name": _at("recipe: 1\nextends: base\nsteps: {}\n", "base"),
    "neighbour": _at(
        "recipe: 1\nsteps: {f: {kind: storyboard, storyboard: bord.yaml}}\n", "board.yaml"
    ),
    "adapter": _at(
        DRAW.replace("{from}", "lorakit:studio")
        .replace("steps:", "adapters: {a: {from: a.safetensors}}\nsteps:")
        .replace("model: m,", "model: m, adapters: {a: 1},"),
        "a.safetensors",
    ),
    "adapter in a folder": _at(
        DRAW.replace("{from}", "lorakit:studio")
        .replace("steps:", "adapters: {a: {from: a}}\nsteps:")
        .replace("model: m,", "model: m, adapters: {a: 1},"),
        "a/adapter_model.safetensors",
    ),
}


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _socket(path: Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as made:
        here = Path.cwd()
        os.chdir(path.parent)  # their names may not be long
        try:
            made.bind(path.name)
        finally:
            os.chdir(here)


@pytest.fixture
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home" / ".lorakit").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "home")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.mark.usefixtures("_home")
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
@pytest.mark.parametrize("odd", [os.mkfifo, _device, _socket], ids=["pipe", "device", "socket"])
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_what_is_no_file_is_not_waited_for(
    place: Callable[[Callable[[Path], None]], list[str]], odd: Callable[[Path], None]
) -> None:
    said = lorakit(*place(odd))
    assert "a fault inside" not in said.text
    assert said.code in (0, 3), said.text


@pytest.mark.usefixtures("_home")
@pytest.mark.parametrize("odd", [os.mkfifo, _device, _socket], ids=["pipe", "device", "socket"])
def test_other_commands_wait_for_no_pipe_either(odd: Callable[[Path], None]) -> None:
    odd(Path("a.yaml"))
    odd(Path("a.safetensors"))
    for words in (
        ["validate"],
        ["validate", "a.yaml"],
        ["plan", "a.yaml"],
        ["export", "adapter", "a.safetensors"],
    ):
        said = lorakit(*words)
        assert "a fault inside" not in said.text, said.text


@pytest.mark.usefixtures("_home")
@pytest.mark.parametrize("where", ["a.txt", "metadata.jsonl"])
def test_a_caption_of_eight_megabytes_is_refused_uncounted(where: str) -> None:
    _picture("d/a.png")
    book = "a fox " * 1_400_000
    row = json.dumps({"file_name": "a.png", "text": book})
    Path("d", where).write_text(book if where == "a.txt" else row)
    Path("r.yaml").write_text(IMAGES)
    said = lorakit("plan", "r.yaml")
    assert said.code == 3
    assert "more than 100,000" in said.text
    assert len(said.text) < 2_000
