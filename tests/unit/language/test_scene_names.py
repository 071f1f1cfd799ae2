"""Scenes, characters and recipes are called what their authors call them, in any script."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from click.testing import CliRunner

import lorakit
from lorakit.cli.plan import command
from lorakit.diagnostics import InvalidDocument
from lorakit.language import load
from lorakit.language.recipe.documents import StoryboardStep
from lorakit.language.recipe.folders import folder_name
from lorakit.language.story.documents import Storyboard


def board(path: Path, text: str, *settings: str) -> Storyboard:
    path.write_text(f"storyboard: 1\n{text}", encoding="utf-8")
    step = load(path, settings=settings).recipe.steps["film"]
    assert isinstance(step, StoryboardStep)
    return step.board


def names(path: Path, *settings: str) -> list[str]:
    scenes = "".join(f"  - {{setting: '{one}', sentences: [A fox]}}\n" for one in settings)
    return [scene.name for scene in board(path, f"scenes:\n{scenes}").scenes]


@pytest.mark.parametrize(
    "name",
    [
        "night-school",
        "The Meadow",
        "夜校",
        "Ночь",
        "1",
        "act 1/night",
        "..",
        "a.b",
        "🌲",
        "CON",
        "नमस्ते",
    ],
)
def test_any_name_that_can_be_seen_is_a_scene_s(tmp_path: Path, name: str) -> None:
    found = board(
        tmp_path / "b.yaml",
        f"scenes:\n  - {{name: '{name}', sentences: [A fox]}}\n"
        f"  - {{name: other, start: 'scene:{name}', sentences: [An owl]}}\n",
        f'scenes."{name}".seed=4',
    )
    assert [scene.name for scene in found.scenes] == [name, "other"]
    assert found.scenes[0].seed == 4


def test_a_setting_of_any_script_names_its_scene_by_its_text(tmp_path: Path) -> None:
    """By its place, a scene put in before it would change its noise."""
    path = tmp_path / "b.yaml"
    here = ["в лесу", "在竹林里", "at the 寺", "🌲🌲", "straße", "во дворе"]
    before = names(path, *here)
    assert before == ["в_лесу", "在竹林里", "at_the_寺", "🌲🌲", "strasse", "во_дворе"]
    assert names(path, "на море", *here)[1:] == before
    assert names(path, "at the 寺", "at the 城") == ["at_the_寺", "at_the_城"]


def test_settings_in_latin_letters_keep_their_names(tmp_path: Path) -> None:
    """Their noise comes from them."""
    found = names(tmp_path / "b.yaml", "In a green meadow", "at the Café, by night", "3 o''clock")
    assert found == ["in_a_green_meadow", "at_the_cafe_by_night", "scene_3_o_clock"]


def test_long_settings_are_told_apart_by_short_names(tmp_path: Path) -> None:
    first, second = names(tmp_path / "b.yaml", "竹" * 300, "竹" * 301)
    assert first != second
    assert len(first) < 100
    assert len(second) < 100


def test_a_name_is_one_however_its_accents_are_written(tmp_path: Path) -> None:
    path = tmp_path / "b.yaml"
    apart = unicodedata.normalize("NFD", "café")
    found = board(
        path,
        f"scenes:\n  - {{name: '{apart}', sentences: [A fox]}}\n"
        "  - {name: b, start: 'scene:café', sentences: [An owl]}\n",
    )
    assert found.scenes[0].name == "café"
    with pytest.raises(InvalidDocument, match="duplicate-scene"):
        board(
            path,
            f"scenes:\n  - {{name: '{apart}', sentences: [x]}}\n  - {{name: café, sentences: [y]}}\n",
        )


def test_characters_have_ids_of_any_script(tmp_path: Path) -> None:
    found = board(
        tmp_path / "b.yaml",
        "characters: {小红: {anchor: a girl in red}, аня: {anchor: a girl with a braid}}\n"
        "scenes:\n  - sentences: ['{小红} meets {аня}']\n",
    )
    (sentence,) = found.scenes[0].sentences
    assert "a girl in red" in sentence.prompt
    assert sentence.characters == ("小红", "аня")
    assert found.characters[0].name == "小红"


def test_no_two_files_share_an_output_folder(tmp_path: Path) -> None:
    """`小红.yaml` and `小明.yaml` once both wrote to outputs/recipe/."""
    stems = [
        "小红",
        "小明",
        "🦊",
        "🐻",
        "a!",
        "a?",
        "film",
        "CON",
        "con",
        "x" * 240,
        "x" * 241,
        "...",
        "-",
        "été",
        "my film",
        "my-film",
        "my  film",
        "my_film",
    ]
    found = []
    for stem in stems:
        path = tmp_path / f"{stem}.yaml" if len(stem) < 240 else tmp_path / "long.yaml"
        path.write_text("storyboard: 1\nscenes: [{sentences: [A fox]}]\n")
        found.append(load(path).recipe.name if len(stem) < 240 else folder_name(stem))
    assert len({name.casefold() for name in found}) == len(stems)
    assert found[0] == "小红"
    assert found[6] == "film"


@pytest.mark.parametrize(
    "name",
    [
        "con",
        "com¹",
        "NUL.txt",
        "a/b",
        "../a",
        "a\\b",
        "a:b",
        "é" * 500,
        "𒀀" * 500,
        ".",
        " ",
        "a.",
        "\u202ea",
        "\t",
    ],
)
def test_a_folder_s_name_is_one_on_every_system(name: str) -> None:
    folder = folder_name(name)
    assert folder
    assert not set(folder) & set('/\\:*?"<>|')
    assert folder.isprintable()
    assert len(folder.encode("utf-8")) + len(".json") <= 200
    assert folder[0] not in "-."
    assert folder[-1] not in " ."
    assert folder.split(".")[0].casefold() not in ("con", "nul", "aux", "prn")


def test_a_recipe_s_name_may_be_anything_that_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(
        "recipe: 1\nname: Моя сказка!\nsteps:\n  p: {kind: generate, prompts: [a fox]}\n"
    )
    assert load(path).recipe.name.startswith("Моя сказка-")


@pytest.mark.parametrize(
    "name", ["小红", "Моя сказка", "night-school", "Poster 2", "2nd", "été", "x", "con", "a_b"]
)
def test_steps_models_data_sets_and_adapters_have_any_name(tmp_path: Path, name: str) -> None:
    """`小红` was an error as the name of a step, with no way out."""
    path = tmp_path / "r.yaml"
    path.write_text(
        "recipe: 1\n"
        f'models: {{"{name}": {{from: "lorakit:studio"}}}}\n'
        f'datasets: {{"{name}": {{images: "lorakit:hologram"}}}}\n'
        "steps:\n"
        f'  "{name}": {{kind: train-image, model: "{name}", data: "{name}", train: {{max_train_steps: 1, save_every: 1}}}}\n'
        f'  p: {{kind: generate, model: "{name}", prompts: [a fox], adapters: {{"{name}": 1, "{name}.step_1": 1}}}}\n'
        f'profiles: {{"{name}": {{seed: 3}}}}\n',
        encoding="utf-8",
    )
    assert list(load(path, profile=name).recipe.steps) == [name, "p"]


def test_a_step_s_files_lie_in_a_folder_that_every_system_takes(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(
        "recipe: 1\nsteps:\n  aux: {kind: generate, prompts: [a fox]}\n  小红: {kind: generate, prompts: [a fox]}\n",
        encoding="utf-8",
    )
    actions = [planned.action for planned in lorakit.load(path).plan().actions]
    folders = {
        name.split("/")[0] for one in actions for names in one.files.values() for name in names
    }
    assert folders == {folder_name("aux"), "小红"}
    assert folder_name("aux").startswith("aux-")


def test_an_address_is_met_however_its_accents_are_written(tmp_path: Path) -> None:
    """`--only` found no step `José` where a file system, or a shell, had taken its letters apart."""
    composed, apart = "Jos\u00e9", "Jose\u0301"
    for written, asked in ((composed, apart), (apart, composed), (apart, apart)):
        path = tmp_path / "r.yaml"
        path.write_text(
            f"recipe: 1\nsteps:\n  {written}: {{kind: generate, prompts: [a fox]}}\n",
            encoding="utf-8",
        )
        assert load(path).recipe.spelled(f"{asked}/1") == f"{written}/1"
        found = CliRunner().invoke(command, [str(path), "--only", f"{asked}/1"])
        assert found.exit_code == 0, found.output
