"""What an image training has encoded stays; samples cost what they are, and never a training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

import lorakit as lorakit_package
from lorakit.execute.events import ActionFinished, Event
from tests.support.image_training import paint
from tests.support.runs import lorakit, run

STYLE = (
    "kind: train-image, data: foxes, lora: {rank: 2, target_modules: [attn2.to_k]}, "
    "train: {max_train_steps: 4, batch_size: 2, precision: fp32}"
)


def write(home: Path, *, prompt: str = "a fox on mars", every: str = "", more: str = "") -> None:
    (home / "recipe.yaml").write_text(
        "recipe: 1\nseed: 5\nmodels: {tiny: {from: tiny, dtype: fp32}}\n"
        'datasets: {foxes: {images: foxes, caption: "{caption}, soft", test_size: 1}}\nsteps:\n'
        f"  style: {{{STYLE}, samples: {{prompts: [{prompt}], num_inference_steps: 2{every}}}}}\n{more}"
    )


@pytest.fixture
def foxes(home: Path) -> Path:
    return paint(home / "foxes", [(64, 64), (96, 48), (64, 64)])


def planned(home: Path) -> tuple[dict[str, str], dict[str, str]]:
    """State and key of each action."""
    plan = json.loads(lorakit(home, "plan", "--json").stdout)["actions"]
    return {a["id"]: a["state"] for a in plan}, {a["id"]: a["key"] for a in plan}


def to_make(home: Path) -> set[str]:
    """What a run would make of encodings and trainings."""
    states, _ = planned(home)
    kinds = ("latents", "captions", "training")
    return {
        id_
        for id_, state in states.items()
        if state != "cached" and id_.partition("/")[2].startswith(kinds)
    }


@pytest.mark.slow
def test_what_is_encoded_or_trained_is_not_again_for_a_prompt_a_caption_or_a_picture(
    home: Path, foxes: Path
) -> None:
    write(home, every=", every: 2")
    done = run(home)
    assert done.code == 0, done.errors
    assert sorted(p.name for p in (done.folder / "style" / "samples").iterdir()) == [
        "step_000002_01.png",
        "step_000004_01.png",
    ]
    figures = json.loads((done.folder / "style" / "metrics.json").read_text())
    assert (figures["train_samples"], figures["test_samples"]) == (2, 1)
    log = (done.folder / "style" / "metrics.jsonl").read_text().splitlines()
    last = json.loads(log[-1])["held_out_loss"]
    assert last == pytest.approx(figures["held_out_loss"], abs=1e-5)

    # another sample prompt trains nothing; samples are drawn as generate draws (complaint 12)
    worn = "  worn: {kind: generate, prompts: [a fox], num_inference_steps: 2, adapters: {style: 1.0}}\n"
    write(home, prompt="a fox", every=", every: 2", more=worn)
    assert to_make(home) == set()
    states, keys = planned(home)
    assert {i for i, state in states.items() if state == "changed"} == {
        "style/samples-2.1",
        "style/samples-4.1",
    }
    assert keys["worn/1"] == keys["style/samples-4.1"]

    # a caption makes its embeds, a picture its latents (complaint 7), and either the training
    (foxes / "0.txt").write_text("an owl\n")
    changed = to_make(home)
    assert {one.rpartition("-")[0] or one for one in changed} == {
        "style/captions",
        "style/training",
    }
    assert len(changed) == 2
    (foxes / "0.txt").write_text("a fox at 0\n")
    Image.new("RGB", (64, 64), "black").save(foxes / "0.png")
    changed = to_make(home)
    assert {one.rpartition("-")[0] or one for one in changed} == {"style/latents", "style/training"}
    assert len(changed) == 2


@pytest.mark.slow
def test_complaint_10_a_failed_sample_is_a_warning(home: Path, foxes: Path) -> None:
    write(home)
    done = run(home, "--only", "style/training")
    assert done.code == 0, done.errors
    # the model is damaged once the second run is planned: what draws is not loaded
    weights = home / "tiny" / "vae" / "diffusion_pytorch_model.safetensors"
    events: list[Event] = []

    def listen(event: Event) -> None:
        if not events:
            weights.write_bytes(b"\xff" * 64)
        events.append(event)

    finished = lorakit_package.load("recipe.yaml").run(listener=listen)
    outcomes = {e.action: e.outcome for e in events if isinstance(e, ActionFinished)}
    assert outcomes["style/samples-4.1"] == "failed"
    assert outcomes["style/contact-sheet"] == "skipped"
    assert finished.ending == "done"
    assert (Path(finished.folder) / "style" / "pytorch_lora_weights.safetensors").is_file()


def test_two_trainings_share_what_is_encoded(home: Path, foxes: Path) -> None:
    write(home, more=f"  other: {{{STYLE.replace('rank: 2', 'rank: 3')}}}\n")
    plan = json.loads(lorakit(home, "plan", "--json").stdout)
    keys = {a["id"]: a["key"] for a in plan["actions"] if a["kind"] in ("latents", "embeds")}
    assert len(keys) == 12
    assert len(set(keys.values())) == 6
