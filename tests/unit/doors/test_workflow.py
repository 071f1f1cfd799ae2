"""Scenes as ComfyUI's workflows, held against its nodes as documented and against the plan's own frames."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from lorakit import resources
from lorakit.doors.samplers import COMFY, ours
from lorakit.doors.workflow import denoise
from lorakit.plan.actions import Action
from lorakit.plan.schedulers import SCHEDULERS
from lorakit.session import load
from tests.support.comfyui import SAMPLERS, complaints
from tests.support.comfyui import SCHEDULERS as THEIR_SCHEDULERS
from tests.support.doors import exported, program, story
from tests.support.single_file import save_single, small

Prompt = dict[str, Any]


def written(document: Path, *words: str) -> Prompt:
    prompt: Prompt = json.loads(exported("workflow", document, *words, "-o", "-"))
    assert complaints(prompt) == []
    return prompt


def frames(document: Path, step: str) -> dict[str, Action]:
    actions = load(document).expanded().step_plans[step].actions
    return {a.id: a for a in actions if a.kind == "frame"}


def samplers(prompt: Prompt) -> dict[str, Prompt]:
    return {
        node["_meta"]["title"]: node["inputs"]
        for node in prompt.values()
        if node["class_type"] == "KSampler"
    }


def test_each_frame_is_a_sampler_with_what_the_plan_says(tmp_path: Path) -> None:
    board = story(tmp_path)
    prompt = written(board)
    found = samplers(prompt)
    planned = frames(board, "film")
    assert set(found) == set(planned)
    for id_, given in found.items():
        task: Any = planned[id_].task
        assert given["seed"] == task.noise
        assert given["cfg"] == 5.0
        # KSampler takes the last `steps` of int(steps / denoise)
        assert given["steps"] == task.effective_steps
        assert int(given["steps"] / given["denoise"]) == task.num_inference_steps
        words = prompt[given["positive"][0]]["inputs"]["text"]
        assert words == task.prompt.replace("(", "\\(").replace(")", "\\)")
        starts = [one.action for one in planned[id_].inputs if one.role == "start"]
        node = prompt[given["latent_image"][0]]
        if not starts:
            assert node["class_type"] == "EmptyLatentImage"
            assert (node["inputs"]["width"], node["inputs"]["height"]) == (128, 128)
        elif node["class_type"] == "LatentBlend":
            assert node["inputs"]["blend_factor"] == task.anchor_weight == 0.2
            ends = [
                prompt[node["inputs"][n][0]]["_meta"]["title"] for n in ("samples1", "samples2")
            ]
            assert ends == ["film/@night/1", "film/@night/2"]
        else:
            assert node["_meta"]["title"] == starts[0]
    saved = [
        n["inputs"]["filename_prefix"] for n in prompt.values() if n["class_type"] == "SaveImage"
    ]
    assert saved == [a.files["picture"][0].removesuffix(".png") for a in planned.values()]


def test_the_steps_of_every_strength_arrive() -> None:
    board = resources.path("storyboards") / "bunny-magic-hat.yaml"
    task: Any = frames(board, "film")["film/meadow/2"].task
    for steps in range(1, 61):
        for percent in range(1, 101):
            taken = int(steps * (percent / 100))
            more = {"num_inference_steps": steps, "strength": percent / 100}
            if taken:
                share = denoise(replace(task, effective_steps=taken, **more))
                assert int(taken / share) == steps, (steps, percent)
                assert 0 < share <= 1


def test_a_scene_brings_what_it_begins_from(tmp_path: Path) -> None:
    (tmp_path / "board.yaml").write_text(
        "storyboard: 1\nscenes:\n  - {name: a, sentences: [A fox (red) waits, A fox runs]}\n"
        "  - {name: b, start: previous-scene, sentences: [An owl waits]}\n"
    )
    prompt = written(tmp_path / "board.yaml", "--scene", "b")
    assert set(samplers(prompt)) == {"film/a/1", "film/a/2", "film/b/1"}
    saved = [n for n in prompt.values() if n["class_type"] == "SaveImage"]
    assert [n["_meta"]["title"] for n in saved] == ["film/b/1"]
    assert any(n["inputs"].get("text") == "A fox \\(red\\) waits" for n in prompt.values())
    ran = program(tmp_path, "export", "workflow", "board.yaml", "--scene", "c")
    assert ran.returncode == 1
    assert "there is no scene c; there are: a, b" in ran.stderr


def recipe(folder: Path, more: str = "", *, model: str = "", steps: str = "") -> Path:
    path = folder / "recipe.yaml"
    path.write_text(
        f"recipe: 1\nname: test\n{model}{more}steps:\n"
        "  ink:\n    kind: generate\n    prompts: [a fox, an owl]\n    images_per_prompt: 2\n"
        f"    negative_prompt: blurry\n{steps}"
    )
    return path


def test_samplers_have_comfyuis_names(tmp_path: Path) -> None:
    assert set(COMFY) == set(SCHEDULERS)
    for name, row in SCHEDULERS.items():
        assert COMFY[name].sampler in SAMPLERS
        assert COMFY[name].scheduler in THEIR_SCHEDULERS
        assert ours(COMFY[name].sampler) == name
        more = f"    scheduler: {name}\n" + ("    use_karras_sigmas: true\n" if row.karras else "")
        prompt = written(recipe(tmp_path, steps=more), "--checkpoint", "a.safetensors")
        for given in samplers(prompt).values():
            assert given["sampler_name"] == COMFY[name].sampler
            assert given["scheduler"] == ("karras" if row.karras else COMFY[name].scheduler)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "kind", "more", "sampler", "lie"),
    [
        ("sd_xl_turbo_1.0", "sdxl", {}, "euler", "sgm_uniform"),
        ("dreamshaperXL_lightningDPMSDE", "sdxl", {}, "euler", "sgm_uniform"),
        ("realvisxlV40_v40LightningBakedvae", "sdxl", {}, "euler", "sgm_uniform"),
        ("sd_turbo", "sd-v2", {}, "euler", "sgm_uniform"),
        ("sd_xl_base_1.0", "sdxl", {}, "euler", "normal"),
        ("noobaiXL_vPred", "sdxl", {"v_pred": 1, "ztsnr": 1}, "euler", "sgm_uniform"),
        ("v2-1_768-ema-pruned", "sd-v2", {}, "ddim", "ddim_uniform"),
        ("v1-5-pruned", "sd-v1", {}, "ipndm", "normal"),
    ],
)
def test_a_model_in_one_file_brings_the_scheduler_that_it_is_known_to_have(
    tmp_path: Path, name: str, kind: str, more: dict[str, int], sampler: str, lie: str
) -> None:
    tensors = {key: torch.tensor([]) for key in more}
    save_single(tmp_path / f"{name}.safetensors", small(kind), kind, **tensors)
    prompt = written(recipe(tmp_path, model=f"models: {{big: {{from: {name}.safetensors}}}}\n"))
    said = [n["inputs"] for n in prompt.values() if n["class_type"] == "ModelSamplingDiscrete"]
    assert [(one["sampling"], one["zsnr"]) for one in said] == (
        [("v_prediction", bool(more))] if more or "768" in name else []
    )
    for given in samplers(prompt).values():
        assert (given["sampler_name"], given["scheduler"]) == (sampler, lie)
        assert given["cfg"] == (
            0.0 if re.search("(?i)turbo|lightning", name) else 5.0 if kind == "sdxl" else 7.5
        )
        assert (prompt[given["model"][0]]["inputs"] in said) == bool(said)
    # of the file that a user names instead nothing is known
    prompt = written(tmp_path / "recipe.yaml", "--checkpoint", "other.safetensors")
    assert all(n["class_type"] != "ModelSamplingDiscrete" for n in prompt.values())


def test_a_scheduler_of_a_model_that_has_no_name_here_is_told(home: Path) -> None:
    file = home / "tiny" / "scheduler" / "scheduler_config.json"
    config = json.loads(file.read_text("utf-8")) | {"_class_name": "DEISMultistepScheduler"}
    file.write_text(json.dumps(config), "utf-8")
    document = recipe(home, model='models: {big: {from: "tiny"}}\n')
    assert {given["sampler_name"] for given in samplers(written(document)).values()} == {"ipndm"}
    ran = program(home, "export", "workflow", "recipe.yaml", "--force")
    assert "own scheduler is a DEISMultistepScheduler, which has no name here" in ran.stderr


TRAINED = """\
  style:
    kind: train-image
    data: hologram
    train: {max_train_steps: 1}
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "loaders"),
    [
        ("tiny", ["CLIPLoader", "UNETLoader", "VAELoader"]),
        ("hub:CompVis/stable-diffusion-v1-4", ["CLIPLoader", "UNETLoader", "VAELoader"]),
        (
            "hub:stabilityai/stable-diffusion-xl-base-1.0",
            ["DualCLIPLoader", "UNETLoader", "VAELoader"],
        ),
    ],
)
def test_models_in_parts_are_loaded_part_by_part(
    home: Path, source: str, loaders: list[str]
) -> None:
    document = recipe(
        home, model=f'models: {{big: {{from: "{source}"}}}}\n', steps="    clip_skip: 1\n"
    )
    prompt = written(document)
    found = sorted(n["class_type"] for n in prompt.values() if "Loader" in n["class_type"])
    assert found == loaders
    skips = [n["inputs"] for n in prompt.values() if n["class_type"] == "CLIPSetLastLayer"]
    # SDXL draws with the last layer but one, and diffusers counts from there
    assert [one["stop_at_clip_layer"] for one in skips] == [-3 if "xl" in source else -2]
    ran = program(home, "export", "workflow", "recipe.yaml")
    assert "recipe.yaml:3:22: warning[not-carried]: " in ran.stderr
    assert f"{source.rpartition('/')[2]} is a folder of parts" in ran.stderr
    assert "copy the .safetensors files of unet, text_encoder" in ran.stderr


@pytest.mark.slow
def test_adapters_are_loaded_one_after_the_other(tmp_path: Path) -> None:
    document = recipe(
        tmp_path,
        'datasets: {hologram: {images: "lorakit:hologram"}}\n',
        steps="    adapters: {style: 0.8, style_two: 0.3}\n"
        + TRAINED
        + TRAINED.replace("style", "style_two").replace("steps: 1", "steps: 2"),
    )
    prompt = written(tmp_path / f"{document.name}:ink", "--checkpoint", "sd.safetensors")
    first, second = (n for n in prompt.values() if n["class_type"] == "LoraLoader")
    assert first["inputs"]["strength_model"] == first["inputs"]["strength_clip"] == 0.8
    assert second["inputs"]["lora_name"] == "style_two.safetensors"
    (loader,) = (n for n in prompt.values() if n["class_type"] == "CheckpointLoaderSimple")
    assert loader["inputs"] == {"ckpt_name": "sd.safetensors"}
    assert prompt[first["inputs"]["model"][0]] is loader
    assert prompt[second["inputs"]["clip"][0]] is first
    for given in samplers(prompt).values():
        assert prompt[given["model"][0]] is second
        assert prompt[prompt[given["negative"][0]]["inputs"]["clip"][0]] is second
    ran = program(
        tmp_path, "export", "workflow", "recipe.yaml:ink", "--checkpoint", "x.safetensors"
    )
    assert "adapter style is looked for as style.safetensors" in ran.stderr
    assert "lorakit export adapter outputs/test/NNN/style --out style.safetensors" in ran.stderr


def test_what_is_not_carried_stands_in_the_file_and_is_said_with_its_place(tmp_path: Path) -> None:
    recipe(tmp_path, steps="    scheduler: pndm\n    clip_skip: 1\n")
    ran = program(tmp_path, "export", "workflow", "recipe.yaml", "--json")
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told["written"] == "test.json"
    said = {one["message"]: one["line"] for one in told["warnings"]}
    prompt = json.loads((tmp_path / "test.json").read_text("utf-8"))
    assert complaints(prompt) == []
    kept = [words for node in prompt.values() for words in node["_meta"].get("lorakit", ())]
    assert set(kept) == set(said)
    assert len(said) == len(told["warnings"])
    assert said["ComfyUI has no pndm: ipndm is the nearest"] == 6
    assert any(words.startswith("lorakit:studio is a small network") for words in kept)
    skips = [n["inputs"] for n in prompt.values() if n["class_type"] == "CLIPSetLastLayer"]
    assert [one["stop_at_clip_layer"] for one in skips] == [-2]
    assert len(samplers(prompt)) == 4
    drawn = {(given["seed"], given["positive"][0]) for given in samplers(prompt).values()}
    assert len(drawn) == 4
    # nothing but nodes: ComfyUI takes every key for one
    assert all("class_type" in node for node in prompt.values())


@pytest.mark.slow
def test_steps_that_do_not_draw_are_answered(tmp_path: Path) -> None:
    recipe(tmp_path, steps="  other: {kind: generate, prompts: [a fox]}\n")
    ran = program(tmp_path, "export", "workflow", "recipe.yaml")
    assert ran.returncode == 1
    assert "which step? recipe.yaml:STEP; those that draw: ink, other" in ran.stderr
    ran = program(tmp_path, "export", "workflow", "recipe.yaml:ink", "--scene", "a")
    assert "step ink has prompts and no scenes: leave out --scene" in ran.stderr
