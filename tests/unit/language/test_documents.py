"""The schemas and the documents say the same, key by key."""

from __future__ import annotations

import ast
import dataclasses
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from lorakit.language import load
from lorakit.language.recipe import adapters, documents, trainings
from lorakit.language.story import (
    cards,
    character_adapters,
    controls,
    durations,
    edits,
    gates,
    motions,
    sound,
    upscales,
)
from lorakit.language.story import documents as boards
from lorakit.language.story.film_formats import Formats
from lorakit.language.story.rates import Rate
from lorakit.language.yaml import schemas
from lorakit.language.yaml.decode import decode

BOARD = "storyboard.schema.json#/definitions/"
RECIPE = "recipe.schema.json#/definitions/"
# a document's class -> its schema, and where a key and a field differ in name
PAIRS: tuple[tuple[type, str, dict[str, str]], ...] = (
    (boards.ImageSettings, BOARD + "look", {}),
    (edits.Edit, BOARD + "sentence/properties/edit", {}),
    (
        character_adapters.CharacterAdapter,
        BOARD + "character/properties/adapter",
        {"from": "source"},
    ),
    (controls.Control, BOARD + "control", {"from": "source"}),
    (motions.Motion, BOARD + "motion", {"from": "start", "to": "end"}),
    (upscales.Upscale, BOARD + "upscale", {"with": "method"}),
    (boards.Chain, BOARD + "chain", {"from": "start"}),
    (boards.Character, BOARD + "character", {"reference": "references"}),
    (boards.Sentence, BOARD + "sentence", {}),
    (boards.Scene, BOARD + "scene", {}),
    (boards.Transition, BOARD + "film/properties/transition", {}),
    (boards.Captions, BOARD + "film/properties/captions", {}),
    (gates.Gate, BOARD + "gate", {}),
    (gates.GateJudge, BOARD + "gate/properties/judge", {}),
    (boards.Video, BOARD + "video", {}),
    (cards.FilmCard, BOARD + "card", {}),
    (sound.Audio, BOARD + "film/properties/audio", {}),
    (sound.Narration, BOARD + "film/properties/narration", {}),
    (boards.Storyboard, "storyboard.schema.json#", {}),
    (documents.ModelSource, RECIPE + "model", {"from": "source"}),
    (adapters.AdapterSource, RECIPE + "adapter", {"from": "path"}),
    (documents.Prompt, RECIPE + "prompt", {}),
    (documents.GenerateStep, RECIPE + "generate", {}),
    (documents.StoryboardStep, RECIPE + "storyboard", {"storyboard": "board"}),
    (documents.VideoStep, RECIPE + "video", {}),
    (documents.TrainTextStep, RECIPE + "train-text", {}),
    (documents.TrainImageStep, RECIPE + "train-image", {}),
    (documents.Samples, RECIPE + "train-image/properties/samples", {}),
    (documents.CompareStep, RECIPE + "compare", {}),
    (documents.SweepStep, RECIPE + "sweep", {}),
    (documents.Best, RECIPE + "sweep/properties/best", {}),
    (trainings.DataSource, RECIPE + "dataset", {}),
    (trainings.Columns, RECIPE + "dataset/properties/columns", {}),
    (trainings.LoraSettings, RECIPE + "lora", {"from": "start"}),
    (trainings.TrainSettings, RECIPE + "train", {}),
    (trainings.Resources, RECIPE + "resources", {}),
    (documents.Recipe, "recipe.schema.json#", {}),
)
# keys that become something else: (schema, key) -> why no field has its name
ELSEWHERE = {
    ("sentence", "negative_prompt"): "look",
    ("sentence", "num_inference_steps"): "look",
    ("sentence", "guidance_scale"): "look",
    ("scene", "look"): "each sentence's look",
    ("scene", "text"): "sentences",
    ("train-text", "resources"): "train",
    ("train-image", "resources"): "train",
    ("#", "storyboard"): "the version",
    ("#", "recipe"): "the version",
    ("#", "chain"): "each scene's chain",
    ("#", "takes"): "each sentence's takes",
    ("scene", "takes"): "each sentence's takes",
    ("#", "gate"): "each scene's gate",
    ("#", "control"): "each sentence's control",
    ("scene", "control"): "each sentence's control",
    ("scene", "transition"): "its first sentence's transition",
    ("#", "motion"): "each sentence's motion",
    ("scene", "motion"): "each sentence's motion",
    ("#", "upscale"): "each sentence's upscale",
    ("scene", "upscale"): "each sentence's upscale",
    ("#", "extends"): "merged",
    ("#", "profiles"): "merged",
    **{
        ("generate", key): "look"
        for key in ("style", "negative_prompt", "num_inference_steps", "guidance_scale")
    },
    **{
        ("samples", key): "look"
        for key in ("negative_prompt", "num_inference_steps", "guidance_scale")
    },
    **{
        ("generate", key): "look"
        for key in ("scheduler", "use_karras_sigmas", "width", "height", "aspect", "clip_skip")
    },
    **{
        ("video", key): "video"
        for key in (
            *("fps", "format", "hold", "height", "transition", "captions", "audio", "needs"),
            *(
                "codec",
                "encoder",
                "quality",
                "loop",
                "narration",
                "fit",
                "title",
                "end",
                "font",
                "beats",
                "scenes",
            ),
        )
    },
}
ELSEWHERE |= {("sweep", key): "members" for key in ("of", "over", "random", "seed", "seeds")}
FREE = {"notes", "kind"}


def properties(reference: str) -> dict[str, Any]:
    found, file = schemas.resolve(reference, "")
    return {
        key: {**(schemas.resolve(sub["$ref"], file)[0] if "$ref" in sub else {}), **sub}
        for key, sub in schemas.subschema(found, file).keys.items()
        if sub is not False
    }


@pytest.mark.parametrize(
    ("kind", "reference", "renamed"), PAIRS, ids=lambda one: getattr(one, "__name__", "")
)
def test_each_key_has_its_field(kind: type, reference: str, renamed: dict[str, str]) -> None:
    fields = {one.name: one for one in dataclasses.fields(kind)}
    last = reference.rsplit("/", 1)[-1] if "/" in reference else "#"
    for key in properties(reference):
        if key in FREE and renamed.get(key) is None and key not in fields:
            continue
        if renamed.get(key, key) not in fields:
            assert (last, key) in ELSEWHERE, f"{kind.__name__} has no field for {key}"


# what is decoded by itself, without what only its owner knows
ALONE = (
    boards.ImageSettings, boards.Chain, boards.Transition, boards.Video, trainings.Columns, trainings.DataSource,
    trainings.LoraSettings, trainings.TrainSettings, trainings.Resources, documents.Samples,
    documents.GenerateStep, documents.TrainTextStep, documents.TrainImageStep,
)  # fmt: skip
# a class of its own, or nothing in a class, stands for these
OTHERWISE = {
    "columns",
    "lora",
    "train",
    "resources",
    "samples",
    "transition",
    "captions",
    "narration",
    "adapters",
}


@pytest.mark.parametrize("kind", ALONE, ids=lambda one: one.__name__)
def test_what_is_left_out_has_the_schema_s_default(kind: type) -> None:
    """Defaults stand once, in the schemas: a document's class shows them, and no builder knows another."""
    reference, renamed = next((ref, names) for one, ref, names in PAIRS if one is kind)
    made = decode(kind, None)
    for key, sub in properties(reference).items():
        name = renamed.get(key, key)
        if "default" not in sub or key in OTHERWISE or not hasattr(made, name):
            continue
        value, expected = getattr(made, name), sub["default"]
        if isinstance(value, durations.Duration):
            expected = durations.parse(expected)
        if isinstance(value, Formats):
            expected = [expected]
        if isinstance(value, Rate):
            value = value.written
        value = list(value) if isinstance(value, tuple) else value
        assert value == expected, f"{kind.__name__}.{name}"
        assert type(value) is type(expected), f"{kind.__name__}.{name}"


@pytest.mark.parametrize(
    "file", [documents, adapters, trainings, boards, gates], ids=lambda one: one.__name__
)
def test_no_default_is_written_a_second_time(file: ModuleType) -> None:
    """What a schema gives a default is taken from there: a number or a word in a class would be another."""
    keys = {
        key
        for _, reference, _ in PAIRS
        for key, sub in properties(reference).items()
        if "default" in sub
    }
    tree = ast.parse(Path(file.__file__ or "").read_text("utf-8"))
    for cls in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        for line in (node for node in cls.body if isinstance(node, ast.AnnAssign)):
            if isinstance(line.value, ast.Constant) and line.value.value not in (None, "", ()):
                name = getattr(line.target, "id", "")
                assert name not in keys, f"{cls.name}.{name}"


def test_each_field_comes_from_a_key_or_is_derived() -> None:
    derived = {
        "id", "place", "number", "prompt", "caption", "characters", "look", "board", "video", "path", "show",
        "model", "adapters", "name", "steps", "sentences", "seed", "strength", "chain", "places",
        "resources", "strength_place", "color_place", "attention_place", "setting_place", "anchor_place", "dtype_place",
        "parts_place",
        "members", "anchor_weight", "decisions", "memory_place", "speed_place", "first",
        "attention_backend_place",
        "file", "source_place", "ip_adapter_place", "weight_name_place", "reference_scale_place",
        "by_words", "voice_place", "at_place", "over", "mask_place",
    }  # fmt: skip
    for kind, reference, renamed in PAIRS:
        keys = {renamed.get(key, key) for key in properties(reference)}
        for one in dataclasses.fields(kind):
            assert one.name in keys | derived, f"{kind.__name__}.{one.name}"


def default(reference: str) -> Any:
    return schemas.resolve(reference, "")[0]["default"]


def test_what_a_document_leaves_out_gets_the_schema_s_default(tmp_path: Path) -> None:
    (tmp_path / "board.yaml").write_text(
        "storyboard: 1\nscenes: [{sentences: [A fox]}]\nvideo: {}\n"
    )
    (tmp_path / "recipe.yaml").write_text(
        "recipe: 1\nmodels: {sd: {from: 'hub:a/b'}}\nsteps:\n"
        "  film: {kind: storyboard, storyboard: board.yaml}\n  more: {kind: generate, prompts: [x]}\n"
    )
    recipe = load(tmp_path / "recipe.yaml").recipe
    film, more = recipe.steps["film"], recipe.steps["more"]
    assert isinstance(film, documents.StoryboardStep)
    assert isinstance(more, documents.GenerateStep)
    assert recipe.seed == default("recipe.schema.json#/properties/seed")
    assert recipe.models["sd"].dtype == default(RECIPE + "model/properties/dtype")
    assert more.images_per_prompt == default(RECIPE + "generate/properties/images_per_prompt")
    assert more.adapters == ()
    board = film.board
    assert board.look == boards.ImageSettings()
    assert board.scenes[0].chain == boards.Chain()
    assert board.scenes[0].start == default(BOARD + "scene/properties/start")
    assert board.scenes[0].setting == default(BOARD + "scene/properties/setting")
    assert board.scenes[0].sentences[0].strength == default(BOARD + "chain/properties/strength")
    assert board.scenes[0].sentences[0].repeat is False
    assert board.video is not None
    assert dataclasses.replace(board.video, place=None) == boards.Video()
    assert board.video.hold.seconds == Fraction(3, 2)


def test_a_repeated_frame_is_known_by_the_one_it_holds(tmp_path: Path) -> None:
    """`--only film/meadow/3` of a repeated frame names the frame to write instead."""
    path = tmp_path / "board.yaml"
    path.write_text(
        "storyboard: 1\nscenes:\n  - name: meadow\n    sentences:\n      - A fox\n"
        "      - {text: It sleeps, repeat: true, notes: x}\n      - {text: It wakes, repeat: true}\n"
    )
    recipe = load(path).recipe
    assert recipe.held_frame("film/meadow/2") == "film/meadow/1"
    assert recipe.held_frame("film/meadow/3") == "film/meadow/1"
    for other in ("film/meadow/1", "film/meadow/4", "film/forest/2", "film", "other/meadow/2"):
        assert recipe.held_frame(other) is None
