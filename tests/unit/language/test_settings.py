from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorakit.diagnostics import Diagnostic, InvalidDocument
from lorakit.language import load
from lorakit.language.recipe.documents import GenerateStep, StoryboardStep
from lorakit.language.recipe.project import Project

RECIPE = """\
recipe: 1
seed: 3
steps:
  posters:
    kind: generate
    prompts: [a, {text: b, seed: 1}]
"""
BOARD = """\
storyboard: 1
look: {num_inference_steps: 20}
scenes:
  - {name: meadow, sentences: [A fox]}
  - {name: forest, sentences: [A bear]}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE)
    return path


@pytest.fixture
def board(tmp_path: Path) -> Path:
    path = tmp_path / "board.yaml"
    path.write_text(BOARD)
    return path


def posters(project: Project) -> GenerateStep:
    found = project.recipe.steps["posters"]
    assert isinstance(found, GenerateStep)
    return found


def refused(path: Path, *settings: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(InvalidDocument) as caught:
        load(path, settings=settings)
    return caught.value.errors


def test_values_are_read_as_in_a_file(recipe: Path) -> None:
    settings = [
        "seed=9",
        "steps.posters.prompts=[c, d]",
        "steps.posters.guidance_scale=1e-1",
        "name=no",
    ]
    project = load(recipe, settings=settings)
    assert project.recipe.seed == 9
    assert project.recipe.name == "no"
    assert [prompt.text for prompt in posters(project).prompts] == ["c", "d"]
    assert posters(project).look.guidance_scale == 0.1


def test_an_item_is_its_number_or_its_name(recipe: Path, board: Path) -> None:
    assert posters(load(recipe, settings=["steps.posters.prompts.2.seed=8"])).prompts[1].seed == 8
    project = load(board, settings=["scenes.forest.seed=5", "scenes.1.seed=4"])
    film = project.recipe.steps["film"]
    assert isinstance(film, StoryboardStep)
    assert [scene.seed for scene in film.board.scenes] == [4, 5]


def test_null_deletes(recipe: Path) -> None:
    assert load(recipe, settings=["seed=null"]).recipe.seed == 0
    assert len(posters(load(recipe, settings=["steps.posters.prompts.1=null"])).prompts) == 1


def test_no_value_is_no_zero(recipe: Path) -> None:
    """`--set seed=$SEED` with an empty variable once drew with seed 0."""
    for setting in ("seed=", "seed=  ", "steps.posters.prompts.1="):
        (found,) = refused(recipe, setting)
        assert found.code == "bad-setting"


@pytest.mark.parametrize(
    "text",
    ["b # c", "a b  # c", "# c", "door #2", "#2", "1 # one", "it is #1 # really", "true #"],
)
def test_a_number_sign_is_no_comment(recipe: Path, text: str) -> None:
    project = load(recipe, settings=[f"steps.posters.style={text}"])
    assert posters(project).look.style == text


@pytest.mark.parametrize("text", ["[c, d] # e", "'c' # e", "{text: c} # e"])
def test_what_a_number_sign_would_hide_is_refused(recipe: Path, text: str) -> None:
    (found,) = refused(recipe, f"steps.posters.prompts={text}")
    assert found.code == "bad-setting"
    assert found.place is not None
    assert found.place.column == len("steps.posters.prompts=") + text.index("#") + 1


@pytest.mark.parametrize("path", ["a..seed", ".seed", "seed.", "steps.posters. .seed"])
def test_an_empty_key_is_refused(recipe: Path, path: str) -> None:
    (found,) = refused(recipe, f"{path}=3")
    assert found.code == "bad-setting"


def test_a_name_in_quotes_may_hold_dots_and_signs(board: Path) -> None:
    board.write_text(BOARD.replace("name: meadow", "name: meadow, notes: {'a.b=c': 1}"))
    assert load(board, settings=['scenes.meadow.notes."a.b=c"=2', "scenes.meadow.seed=4"])
    film = load(board, settings=['scenes."meadow".seed=4']).recipe.steps["film"]
    assert isinstance(film, StoryboardStep)
    assert film.board.scenes[0].seed == 4


def test_a_mapping_makes_what_is_not_there(recipe: Path) -> None:
    project = load(
        recipe,
        settings=["steps.more={kind: generate, prompts: [x]}", "models.sd={from: 'hub:a/b'}"],
    )
    assert list(project.recipe.steps) == ["posters", "more"]
    assert project.recipe.models["sd"].source == "hub:a/b"


def test_mappings_on_the_way_are_made(board: Path) -> None:
    film = load(board, settings=["video.transition.kind=crossfade"]).recipe.steps["film"]
    assert isinstance(film, StoryboardStep)
    assert film.board.video is not None
    assert film.board.video.transition.kind == "crossfade"


def test_later_settings_win(recipe: Path) -> None:
    assert load(recipe, settings=["seed=1", "seed=2"]).recipe.seed == 2


def test_a_setting_wins_over_a_profile(recipe: Path) -> None:
    recipe.write_text(RECIPE + "profiles: {p: {seed: 5}}\n")
    assert load(recipe, profile="p").recipe.seed == 5
    assert load(recipe, profile="p", settings=["seed=6"]).recipe.seed == 6


def test_what_is_wrong_is_shown_in_the_setting(recipe: Path) -> None:
    first, second = refused(recipe, "seed=many", "steps.poster.model=studio")
    assert str(first.place) == "--set:1:6"
    assert first.excerpt == "seed=many"
    assert str(second.place) == "--set:2:7"
    assert second.hints == ("did you mean posters?",)


def test_yaml_that_does_not_parse_is_shown_whole(recipe: Path) -> None:
    (found,) = refused(recipe, "seed=1", "steps.posters.prompts=[a")
    assert str(found.place) == "--set:2:23"
    assert found.excerpt == "steps.posters.prompts=[a"


def test_the_excerpt_of_a_setting_is_in_the_project(recipe: Path) -> None:
    project = load(recipe, settings=["steps.posters.prompts=[c]"])
    assert project.excerpt(posters(project).prompts[0].place) == "steps.posters.prompts=[c]"


@given(st.lists(st.text(max_size=20), max_size=3))
def test_any_setting_is_used_or_refused(
    tmp_path_factory: pytest.TempPathFactory, settings: list[str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(RECIPE)
    try:
        load(path, settings=settings)
    except InvalidDocument as error:
        assert error.errors  # noqa: PT017
