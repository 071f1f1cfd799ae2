"""Pictures of other tools as recipes that hold."""

from __future__ import annotations

import json
import struct
import zlib
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from lorakit.doors import infotext
from lorakit.doors.embedded import read
from lorakit.doors.generations import plain
from lorakit.session import load
from tests.support.doors import exported, frames_of, program, story
from tests.support.foreign import API, INFOTEXT, PAGE, api, png, with_comment

V15 = "hub:stable-diffusion-v1-5/stable-diffusion-v1-5"


def imported(folder: Path, source: Path, *words: str) -> tuple[dict[str, Any], list[str]]:
    """The recipe that comes of it, which holds, and what could not be carried."""
    ran = program(folder, "import", "comfyui", source.name, "--json", *words)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    for file in told["written"]:
        load(folder / file).check()
        head = (folder / file).read_text("utf-8")
        if file == told["written"][0]:
            assert all(f"# - {note}\n" in head for note in told["not_carried"])
    recipe: dict[str, Any] = yaml.safe_load((folder / told["written"][0]).read_text("utf-8"))
    return recipe, told["not_carried"]


@pytest.mark.slow
@pytest.mark.parametrize("form", ["picture", "json", "posted", "both"])
def test_comfyuis_own_example(tmp_path: Path, form: str) -> None:
    if form == "picture":
        file = png(tmp_path / "ComfyUI_00001_.png", prompt=API)
    elif form == "both":
        file = png(tmp_path / "ComfyUI_00001_.png", workflow=PAGE, prompt=API)
    else:
        file = tmp_path / "workflow_api.json"
        file.write_text(json.dumps(API if form == "json" else {"prompt": API, "client_id": "x"}))
    recipe, notes = imported(tmp_path, file)
    assert notes == []
    assert recipe["models"] == {"model": {"from": V15}}
    assert recipe["steps"] == {
        "pictures": {
            "kind": "generate",
            "num_inference_steps": 20,
            "guidance_scale": 8.0,
            "scheduler": "euler_discrete",
            "width": 512,
            "height": 512,
            "prompts": [
                {
                    "text": "masterpiece best quality girl",
                    "negative_prompt": "bad hands",
                    "seed": 8566257,
                }
            ],
        }
    }


@pytest.mark.slow
def test_the_page_s_default_graph(tmp_path: Path) -> None:
    recipe, notes = imported(tmp_path, png(tmp_path / "a.png", workflow=PAGE))
    assert notes == []
    step = recipe["steps"]["pictures"]
    assert step["prompts"] == [
        {
            "text": "beautiful scenery nature glass bottle landscape, purple galaxy bottle",
            "negative_prompt": "text, watermark",
            "seed": 156680208700286,
        }
    ]
    assert (step["scheduler"], step["use_karras_sigmas"]) == ("dpm_solver_multistep", True)
    assert (step["width"], step["height"]) == (512, 768)


@pytest.mark.slow
def test_links_go_through_reroutes_and_bypassed_nodes(tmp_path: Path) -> None:
    """The words' CLIP comes by a Reroute; a LoRA on the way to the sampler is bypassed (mode 4)."""
    page = deepcopy(PAGE)
    nodes = {node["id"]: node for node in page["nodes"]}
    nodes[6]["inputs"][0]["link"] = 21
    nodes[3]["inputs"][0]["link"] = 23
    page["nodes"] += [
        {
            "id": 10,
            "type": "CLIPSetLastLayer",
            "mode": 0,
            "inputs": [{"name": "clip", "type": "CLIP", "link": 3}],
            "outputs": [{"name": "CLIP", "type": "CLIP", "links": [20]}],
            "widgets_values": [-2],
        },
        {
            "id": 11,
            "type": "Reroute",
            "mode": 0,
            "inputs": [{"name": "", "type": "*", "link": 20}],
            "outputs": [{"name": "CLIP", "type": "CLIP", "links": [21]}],
        },
        {
            "id": 12,
            "type": "LoraLoader",
            "mode": 4,
            "inputs": [
                {"name": "model", "type": "MODEL", "link": 1},
                {"name": "clip", "type": "CLIP", "link": 3},
            ],
            "outputs": [
                {"name": "MODEL", "type": "MODEL", "links": [23]},
                {"name": "CLIP", "type": "CLIP", "links": []},
            ],
            "widgets_values": ["style.safetensors", 1, 1],
        },
    ]
    page["links"] += [
        [20, 10, 0, 11, 0, "CLIP"],
        [21, 11, 0, 6, 0, "CLIP"],
        [23, 12, 0, 3, 0, "MODEL"],
    ]
    file = tmp_path / "page.json"
    file.write_text(json.dumps(page))
    recipe, notes = imported(tmp_path, file)
    assert notes == []
    assert recipe["models"] == {"model": {"from": V15}}
    step = recipe["steps"]["pictures"]
    assert step["clip_skip"] == 1
    assert "adapters" not in step
    assert step["prompts"][0]["text"].startswith("beautiful scenery")


@pytest.mark.parametrize("form", ["png", "jpg", "webp", "little.jpg", "txt"])
def test_an_infotext_of_a1111s(tmp_path: Path, form: str) -> None:
    file = tmp_path / f"00012-3921841077.{form}"
    if form == "png":
        png(file, parameters=INFOTEXT)
    elif form == "txt":
        file.write_text(INFOTEXT)
    else:
        with_comment(file, INFOTEXT, order="le" if form.startswith("little") else "be")
    recipe, notes = imported(tmp_path, file, "--name", "fox")
    step = recipe["steps"]["pictures"]
    assert step["prompts"] == [
        {
            "text": "portrait of a red fox, sunset, blurry, 4k (film)",
            "negative_prompt": "worst quality, text, watermark",
            "seed": 3921841077,
        }
    ]
    assert (step["num_inference_steps"], step["guidance_scale"]) == (28, 6.5)
    assert (step["scheduler"], step["use_karras_sigmas"]) == ("dpm_solver_multistep", True)
    assert step["clip_skip"] == 1
    assert recipe["models"] == {"model": {"from": V15}}
    assert "weights of words in brackets: words weigh alike here" in notes
    assert "ENSD: 31337" in notes
    (lora,) = (note for note in notes if note.startswith("adapter inkSketch_v1: it is not here"))
    assert "{inksketch_v1: 0.8}" in lora


def test_what_lorakit_writes_into_its_pictures_comes_back(tmp_path: Path) -> None:
    from lorakit.rendering.png import a1111_text

    board = story(tmp_path)
    for task in frames_of(board):
        made = infotext.read(a1111_text(task))
        assert made.prompt == task.prompt.rstrip(".,")
        assert (made.steps, made.guidance_scale, made.seed) == (20, 5.0, task.seed)
        assert (made.width, made.height) == (task.width, task.height)


@pytest.mark.slow
def test_a_chain_goes_to_comfyui_and_comes_back_as_a_storyboard(tmp_path: Path) -> None:
    board = story(tmp_path)
    exported("workflow", board, "--out", tmp_path / "there.json")
    recipe, notes = imported(tmp_path, tmp_path / "there.json")
    assert recipe["steps"] == {"film": {"kind": "storyboard", "storyboard": "there-board.yaml"}}
    back = yaml.safe_load((tmp_path / "there-board.yaml").read_text("utf-8"))
    first, second = back["scenes"]
    assert (first["chain"], second["chain"]) == (
        {"from": "anchor"},
        {"from": "previous", "anchor_weight": 0.2},
    )
    # the plan draws the same frames, but for their noise and the seed that is told
    there, here = frames_of(board), frames_of(tmp_path / "there-board.yaml")
    beside = {"noise": 0, "seed": 0, "scheduler": "", "prompt": ""}
    assert [replace(task, **beside) for task in here] == [replace(t, **beside) for t in there]
    assert {task.scheduler for task in here} == {"ddim"}
    sentences = [s for scene in back["scenes"] for s in scene["sentences"]]
    for sentence, task in zip(sentences, frames_of(board), strict=True):
        assert sentence["prompt"] == task.prompt.rstrip(".,")
        assert sentence["seed"] == task.noise
        assert sentence.get("strength", 1.0) == task.strength
        assert sentence["num_inference_steps"] == task.num_inference_steps
    # said once, though all pictures come through that node
    assert notes[1:] == [
        "ModelSamplingDiscrete: what a model predicts is read from its own files here"
    ]
    assert notes[0].startswith("model studio")


@pytest.mark.slow
def test_loras_and_checkpoints_are_found_beside_it_or_told(tmp_path: Path) -> None:
    graph = api(model=["10", 0])
    graph["10"] = {
        "class_type": "LoraLoader",
        "inputs": {
            "model": ["4", 0],
            "clip": ["4", 1],
            "lora_name": "styles\\ink sketch.safetensors",
            "strength_model": 0.7,
            "strength_clip": 0.5,
        },
    }
    graph["4"]["inputs"]["ckpt_name"] = "dreamshaper_8.safetensors"
    file = png(tmp_path / "a.png", prompt=graph)
    recipe, notes = imported(tmp_path, file)
    assert "models" not in recipe
    assert any(n.startswith("model dreamshaper_8.safetensors: it is not here") for n in notes)
    assert any("ink_sketch: {from: that file}" in n for n in notes)
    assert "strength_clip 0.5 of styles\\ink sketch.safetensors: it is 0.7 here" in notes
    # a file that is there and no adapter: the recipe holds without it
    (tmp_path / "loras").mkdir()
    (tmp_path / "loras" / "ink sketch.safetensors").write_bytes(b"torn")
    recipe, notes = imported(tmp_path, file, "--force")
    assert "adapters" not in recipe
    assert any("it cannot be worn" in n for n in notes)


@pytest.mark.slow
def test_what_cannot_be_carried_is_told(tmp_path: Path) -> None:
    long = ", ".join(f"detail {n}" for n in range(60))
    graph = api(sampler_name="dpmpp_sde", scheduler="beta", denoise=0.5, seed=["20", 0])
    graph["20"] = {"class_type": "Seed (rgthree)", "inputs": {"seed": 42}}
    graph["6"]["inputs"]["text"] = long
    graph["5"]["inputs"] |= {"width": 516, "height": 516}
    recipe, notes = imported(tmp_path, png(tmp_path / "a.png", prompt=graph))
    step = recipe["steps"]["pictures"]
    assert step["prompts"][0]["seed"] == 42
    assert (step["width"], step["height"]) == (512, 512)
    assert step["prompts"][0]["text"].startswith("detail 0, detail 1, ")
    assert any(n.startswith("the end of the prompt, over 77 tokens: ") for n in notes)
    assert "sampler dpmpp_sde: there is none here; the model's own draws" in notes
    assert "denoise: 0.5: what it begins from is not in the workflow" in notes


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a (red:1.2) fox", "a red fox"),
        ("((a)) [b] (c:-1) [d:e:0.5] [f|g]", "a b c d f"),
        (r"a \(b\) (c \(d\):1.1)", "a (b) c (d)"),
        ("a BREAK b AND c", "a, b, c"),
        ("a <lora:x:1> <hypernet:y:1> embedding:bad-v2 b", "a b"),
        ("a\r\n\tb\x00\x1b[31mc", "a b[31mc"),
        ("(" * 5000, "(" * 5000),
        ("(" * 100 + "a" + ")" * 100, "(" * 36 + "a" + ")" * 36),
    ],
)
def test_prompts_become_words(text: str, words: str) -> None:
    assert plain(text)[0] == words


HOSTILE: dict[str, Any] = {
    "deep": "[" * 100_000,
    "deep-object": '{"1":' * 50_000 + "1" + "}" * 50_000,
    "not-json": "{nothing",
    "a list": "[1, 2]",
    "numbers": {"1": 5, "2": {"class_type": 7}},
    "no inputs": {"1": {"class_type": "KSampler"}},
    "wrong types": {"3": {"class_type": "KSampler", "inputs": {"seed": [], "steps": {}, "cfg": "x", "model": ["3", 0], "positive": ["3", 0], "latent_image": ["3", 0]}}},
    "circle": {n: {"class_type": "KSampler", "inputs": {"latent_image": [m, 0], "model": [m, 0]}} for n, m in ("12", "23", "31")},
    "huge": api(seed=10**400, steps=10**9, cfg=1e308, denoise=-5),
    "infinite": api(cfg=float("inf"), denoise=float("nan")),
    "page": {"nodes": [1, None, {"type": [], "widgets_values": 3, "inputs": [5]}, {"id": {}, "type": "KSampler", "widgets_values": [1] * 99}], "links": [[[]], 5, [1]]},
    "self": {"3": {"class_type": "KSampler", "inputs": {"seed": ["4", 0]}}, "4": {"class_type": "Reroute", "inputs": {"a": ["4", 0]}}},
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("form", ["json", "png"])
def test_hostile_workflows_are_answered(tmp_path: Path, name: str, form: str) -> None:
    from lorakit.diagnostics import LorakitError
    from lorakit.doors.as_recipe import written

    given = HOSTILE[name]
    text = given if isinstance(given, str) else json.dumps(given)
    file = tmp_path / f"a.{form}"
    if form == "png":
        png(file, prompt=text)
    else:
        file.write_text(text)
    said = ""
    try:
        drawn = read(file)
    except LorakitError as error:
        said = str(error)
    if said:
        assert str(file) in said
        return
    made = written(drawn, "a", "a", tmp_path)
    for document, words in made.files.items():
        (tmp_path / document).write_text(words, "utf-8")
    load(tmp_path / "a.yaml").check()


@pytest.mark.slow
def test_names_of_others_stay_in_their_comments(tmp_path: Path) -> None:
    graph = api()
    graph["4"]["inputs"]["ckpt_name"] = "x\n\x85\u2028steps: {evil: {}}\x1b[2J.safetensors"
    graph["6"]["inputs"]["text"] = 'a "fox"\nsteps: {a: b} # {c}'
    recipe, _ = imported(tmp_path, png(tmp_path / "a.png", prompt=graph))
    assert list(recipe["steps"]) == ["pictures"]
    text = recipe["steps"]["pictures"]["prompts"][0]["text"]
    assert text == 'a "fox" steps: {a: b} # {c}'
    assert "\x1b" not in (tmp_path / "a.yaml").read_text("utf-8")


def bomb(path: Path) -> Path:
    """A PNG whose text of 200 KB would be 200 MB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    text = b"prompt\0\0" + zlib.compress(b"{" * (200 << 20))
    pixels = zlib.compress((b"\0" + b"\0" * 24) * 8)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"zTXt", text)
        + chunk(b"IDAT", pixels)
        + chunk(b"IEND", b"")
    )
    return path


@pytest.mark.slow
def test_files_that_say_nothing_or_too_much_are_answered(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "plain.png")
    Image.new("RGB", (8, 8)).save(tmp_path / "plain.jpg")
    png(tmp_path / "own.png", prompt="a fox", seed="7")
    bomb(tmp_path / "bomb.png")
    (tmp_path / "torn.png").write_bytes((tmp_path / "plain.png").read_bytes()[:40])
    (tmp_path / "notes.txt").write_text("buy milk")
    (tmp_path / "bytes.bin").write_bytes(b"\xff\xfe\x00\x01" * 10)
    said = {
        "plain.png": "plain.png does not say how it was drawn",
        "plain.jpg": "plain.jpg does not say how it was drawn",
        "own.png": "it has prompt, seed",
        "bomb.png": "bomb.png cannot be read: Decompressed data too large",
        "torn.png": "torn.png",
        "notes.txt": "notes.txt is no picture, no workflow (JSON), and no A1111 text",
        "bytes.bin": "bytes.bin cannot be read: it is none of PNG",
        "nothing.png": "nothing.png cannot be read: no such file or directory",
        ".": "cannot be read",
    }
    for name, words in said.items():
        ran = program(tmp_path, "import", "comfyui", name)
        assert ran.returncode == 1, (name, ran.stderr)
        assert words in ran.stderr, (name, ran.stderr)
        assert "a fault inside lorakit" not in ran.stderr


@pytest.mark.slow
def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    png(tmp_path / "a.png", prompt=API)
    assert program(tmp_path, "import", "comfyui", "a.png").returncode == 0
    ran = program(tmp_path, "import", "comfyui", "a.png")
    assert ran.returncode == 2
    assert "a.yaml is there already; --force overwrites it, --name gives another name" in ran.stderr
    ran = program(tmp_path, "import", "comfyui", "a.png", "--name", "b/../c", "-o", "new")
    assert ran.returncode == 0, ran.stderr
    assert [one.name for one in (tmp_path / "new").iterdir()] == ["b-..-c.yaml"]
