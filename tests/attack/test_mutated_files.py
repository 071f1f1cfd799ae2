"""Foreign files with something wrong: pictures, tables, weights' headers, configurations, metadata.

`LORAKIT_MUTANTS` sets how many are tried (5,000 for the soak). Each ends in a plan or in findings with places:
never in a fault of ours, never in more than 10 s of work, never in more than 1 GB.
"""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lorakit.facts.files.weights_header import weights_header
from tests.attack.commands import lorakit
from tests.attack.test_terminal_injection import safetensors
from tests.support.tiny_text import save_bert

MUTANTS = int(os.environ.get("LORAKIT_MUTANTS", "120"))
_BATCH = 40
_MOST = 10.0  # s of a plan's own work
_MOST_MEMORY = 10**9  # bytes at the peak of the process that plans with a batch
_HANGS = 540.0  # s for a batch, on a machine that others use: one that waits does no work
DRAW = (
    "recipe: 1\nmodels: {m: {from: m, dtype: fp32}}\nadapters: {a: {from: a.safetensors}}\n"
    "steps: {d: {kind: generate, model: m, prompts: [%s], adapters: {a: 1}}}\n" % ("a fox " * 13)
)
IMAGES = "recipe: 1\ndatasets: {d: {images: d}}\nsteps: {s: {kind: train-image, data: d}}\n"
TEXTS = "recipe: 1\ndatasets: {d: {texts: %s}}\nsteps: {s: {kind: train-text, data: d}}\n"
ODD: list[Any] = [
    None, True, "", "x", -1, 0, 1.5, 1e308, 10**30, [], {}, [[]], [None], ["x"], {"a": None}, "\ud800",
    "\x1b[31m", "a" * 5000,
]  # fmt: skip
ODD_TEXT = ["1e999", "-1e999", "NaN", "9" * 5000, "[" * 20_000, '{"a":' * 20_000, '"\\u0000"', "\\"]


def flipped(data: bytes, chance: random.Random) -> bytes:
    """Bytes with a few others, a piece too many or too few."""
    out = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 8, 64])):
        at = chance.randrange(len(out) or 1)
        match chance.randrange(5):
            case 0 if out:
                out[at] ^= 1 << chance.randrange(8)
            case 1 if out:
                out[at] = chance.choice([0, 0xFF, 0x7F, 0x80, 10, 44, 34])
            case 2:
                del out[at : at + chance.choice([1, 4, 100, 10_000])]
            case 3:
                out[at:at] = out[at : at + chance.choice([1, 4, 100])]
            case _:
                out[at:at] = chance.randbytes(chance.choice([1, 4, 16]))
    return bytes(out)


def bent(data: bytes, chance: random.Random) -> bytes:
    """JSON with an odd value somewhere, or odd text in its place."""
    whole = json.loads(data)
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            places.append((node, key))
            if isinstance(value, dict | list):
                walk(value)

    walk(whole)
    node, key = chance.choice(places)
    if chance.random() < 0.7:
        node[key] = chance.choice(ODD)
        return json.dumps(whole).encode()
    node[key] = "@@@"
    return json.dumps(whole).replace('"@@@"', chance.choice(ODD_TEXT)).encode()


def header_bent(data: bytes, chance: random.Random) -> bytes:
    """A safetensors file whose header is bent."""
    length = int.from_bytes(data[:8], "little")
    text = bent(data[8 : 8 + length], chance)
    told = chance.choice([len(text), len(text), len(text) + 1, 2**63, 0])
    return told.to_bytes(8, "little") + text + data[8 + length :]


def _picture(kind: str) -> bytes:
    from PIL import Image, PngImagePlugin

    out = io.BytesIO()
    image = Image.radial_gradient("L").resize((64, 64)).convert("RGBA" if kind == "PNG" else "RGB")
    extra: dict[str, Any] = {}
    if kind == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_text("parameters", "a fox", zip=True)
        info.add_itxt("note", "a fox", zip=True)
        extra["pnginfo"] = info
    if kind in ("JPEG", "WEBP", "PNG", "TIFF"):
        exif = Image.Exif()
        exif[274] = 6
        extra["exif"] = exif
    image.save(out, kind, **extra)
    return out.getvalue()


def _parquet(tmp: Path) -> bytes:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pa.table(
        {"image": [{"bytes": _picture("PNG"), "path": None}] * 2, "text": ["a fox", "an owl"]}
    )
    pq.write_table(table, tmp / "x.parquet")
    return (tmp / "x.parquet").read_bytes()


Way = tuple[str, Callable[[bytes, random.Random], bytes], str]
_JSON_OF_MODELS = ("model_index.json", "unet/config.json", "vae/config.json", "text_encoder/config.json",
                   "scheduler/scheduler_config.json", "tokenizer/tokenizer_config.json")  # fmt: skip
ROWS = "text,label\n" + "".join(f"a film {n},{'good' if n % 2 else 'bad'}\n" for n in range(20))
LINES = "".join(json.dumps({"text": f"a film {n}", "label": n % 2}) + "\n" for n in range(20))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, tiny_sd: Path) -> tuple[Path, dict[str, Way]]:
    """A project with every kind of file, and for each the recipe that reads it and how it is bent."""
    home = tmp_path_factory.mktemp("mutants")
    (home / ".lorakit").mkdir()
    shutil.copytree(tiny_sd, home / "m")
    ways: dict[str, Way] = {
        f"m/{name}": (DRAW, bent, "") for name in _JSON_OF_MODELS if (home / "m" / name).is_file()
    }
    ways |= {
        f"m/{p.relative_to(home / 'm')}": (DRAW, header_bent, "")
        for p in (home / "m").rglob("*.safetensors")
    }
    (home / "m" / "studio.json").write_text(
        json.dumps(
            {
                "vocabulary": ["a", "fox"],
                "default_num_inference_steps": 4,
                "default_guidance_scale": 2.0,
            }
        )
    )
    ways["m/studio.json"] = (DRAW, bent, "")
    for file in sorted((home / "m" / "tokenizer").glob("*")):
        ways[f"m/tokenizer/{file.name}"] = (DRAW, bent if file.suffix == ".json" else flipped, "")
    shapes = weights_header(next((home / "m" / "unet").glob("*.safetensors"))).shapes
    layer, shape = next((n, s) for n, s in shapes.items() if n.endswith("attn1.to_q.weight"))
    flat = "lora_unet_" + layer.removesuffix(".weight").replace(".", "_")
    names = {
        f"{flat}.lora_down.weight": [2, shape[1]],
        f"{flat}.lora_up.weight": [shape[0], 2],
        f"{flat}.alpha": [],
    }
    (home / "a.safetensors").write_bytes(safetensors(names, {"ss_network_dim": "2"}))
    ways["a.safetensors"] = (DRAW, header_bent, "")
    for number, kind in enumerate(("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")):
        folder = home / f"d{number}"
        folder.mkdir()
        ending = {"JPEG": "jpg"}.get(kind, kind.lower())
        (folder / f"a.{ending}").write_bytes(_picture(kind))
        (folder / "b.png").write_bytes(_picture("PNG"))
        for name in ("a", "b"):
            (folder / f"{name}.txt").write_text("a fox")
        ways[f"{folder.name}/a.{ending}"] = (
            IMAGES.replace("images: d", f"images: {folder.name}"),
            flipped,
            "",
        )
    (home / "d0" / "metadata.jsonl").write_text('{"file_name": "a.png", "text": "a fox"}\n')
    ways["d0/metadata.jsonl"] = (IMAGES.replace("images: d", "images: d0"), flipped, "")
    ways["d1/a.txt"] = (IMAGES.replace("images: d", "images: d1"), flipped, "")
    (home / "p").mkdir()
    (home / "p" / "train.parquet").write_bytes(_parquet(tmp_path_factory.mktemp("table")))
    ways["p/train.parquet"] = (IMAGES.replace("images: d", "images: p"), flipped, "")
    (home / "bert").mkdir()
    save_bert(home / "bert")
    reads = (
        (TEXTS % "t.csv")
        .replace("steps:", "models: {b: {from: bert}}\nsteps:")
        .replace("data: d", "model: b, data: d, max_length: 32")
    )
    for file in sorted((home / "bert").glob("*.json")):
        ways[f"bert/{file.name}"] = (reads, bent, "")
    ways["bert/model.safetensors"] = (reads, header_bent, "")
    for name, text in (("t.csv", ROWS), ("t.jsonl", LINES)):
        (home / name).write_text(text)
        ways[name] = (TEXTS % name, flipped, "")
    return home, ways


def test_without_a_mutation_all_of_it_is_planned(
    project: tuple[Path, dict[str, Way]], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, ways = project
    monkeypatch.chdir(home)
    for recipe in dict.fromkeys(recipe for recipe, _, _ in ways.values()):
        Path("r.yaml").write_text(recipe)
        said = lorakit("plan", "r.yaml")
        assert said.code == 0, said.text


def _attempts() -> list[object]:
    count = -(-MUTANTS // _BATCH)
    return [n if n < 3 else pytest.param(n, marks=pytest.mark.slow) for n in range(count)]


@pytest.mark.skipif(sys.platform == "win32", reason="no getrusage")
@pytest.mark.parametrize("attempt", _attempts())
def test_a_mutated_file_is_planned_with_or_told_of(
    project: tuple[Path, dict[str, Way]], attempt: int, tmp_path: Path
) -> None:
    home, ways = project
    chance = random.Random(attempt)
    todo = []
    for number in range(_BATCH):
        name = sorted(ways)[(attempt * _BATCH + number) % len(ways)]
        recipe, bend, _ = ways[name]
        mutant = tmp_path / str(number)
        mutant.write_bytes(bend((home / name).read_bytes(), chance))
        todo.append((name, recipe, str(mutant)))
    (tmp_path / "list.json").write_text(json.dumps(todo))
    done = subprocess.run(
        [sys.executable, "-m", "tests.attack.plan_mutants", str(home), str(tmp_path / "list.json")],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=_HANGS,
        check=False,
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    for number, (said, (name, *_)) in enumerate(zip(told, todo, strict=False)):
        assert "a fault inside" not in said["text"], (name, attempt, number, said["text"])
        assert "Traceback" not in said["text"]
        assert said["code"] in (0, 3), (name, said["text"])
        assert said["spent"] < _MOST, (name, said["spent"])
        assert said["peak"] < _MOST_MEMORY, (name, said["peak"])
    assert len(told) == len(todo), (todo[len(told)], done.stderr)
    assert done.returncode == 0, done.stderr
