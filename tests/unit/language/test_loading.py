from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import lorakit.language
from lorakit import resources
from lorakit.diagnostics import InvalidDocument
from lorakit.language import document_kind, load
from lorakit.language.recipe.documents import GenerateStep, StoryboardStep, VideoStep
from lorakit.language.yaml import validation

BOARD = "storyboard: 1\nscenes: [{setting: in a forest, sentences: [A fox]}]\n"


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_the_public_face() -> None:
    assert set(lorakit.language.__all__) == {
        "FolderReader",
        "Loaded",
        "Reader",
        "document_kind",
        "load",
        "load_with_trees",
        "merged",
    }


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("recipe: 1\nsteps: {}\n", "recipe"),
        ("# a comment\n---\nstoryboard: 1\n", "storyboard"),
        ('"storyboard": 1\n', "storyboard"),
        ("{recipe: 1, steps: {}}\n", "recipe"),
        ("extends: base.yaml\nsteps: {}\n", "recipe"),
        ("characters: {}\nscenes: []\n", "storyboard"),
        ("\ufeffrecipe: 1\n", "recipe"),
        ("recipe: 1\r\nsteps: {}\r\n", "recipe"),
        ("recipe: 1\nsteps: [\n", "recipe"),
        ("on: push\njobs: {}\nsteps: []\n", None),
        ("extends: eslint\n", None),
        ("a:\n  recipe: 1\n", None),
        ("# recipe: 1\n", None),
        ("", None),
    ],
)
def test_a_glance_tells_what_a_file_is(tmp_path: Path, text: str, kind: str | None) -> None:
    assert document_kind(write(tmp_path / "x.yaml", text)) == kind


def test_a_glance_at_nothing_or_a_folder(tmp_path: Path) -> None:
    assert document_kind(tmp_path / "nothing.yaml") is None
    assert document_kind(tmp_path) is None


def test_a_storyboard_alone_is_a_recipe_of_one_step(tmp_path: Path) -> None:
    project = load(write(tmp_path / "my story.yaml", BOARD))
    assert project.recipe.name == "my story"
    assert list(project.recipe.steps) == ["film"]
    film = project.recipe.steps["film"]
    assert isinstance(film, StoryboardStep)
    assert film.model == "studio"
    assert project.recipe.models["studio"].source == "lorakit:studio"
    assert film.board.title == "my story"


def test_errors_of_all_files_come_in_one_go(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", "storyboard: 1\nlook: {cfg: 3}\nscenes: [{sentences: ['{x}']}]\n")
    write(tmp_path / "b.yaml", "storyboard: 1\nscenes: [\n")
    recipe = write(
        tmp_path / "r.yaml",
        "recipe: 1\nseed: x\nsteps:\n  a: {kind: storyboard, storyboard: a.yaml, model: nobody}\n"
        "  b: {kind: storyboard, storyboard: b.yaml}\n  c: {kind: storyboard, storyboard: c.yaml}\n",
    )
    with pytest.raises(InvalidDocument) as caught:
        load(recipe)
    found = [(Path(one.place.file).name, one.code) for one in caught.value.errors if one.place]
    assert found == [
        ("a.yaml", "unknown-key"),
        ("a.yaml", "unknown-character"),
        ("b.yaml", "yaml-syntax"),
        ("r.yaml", "wrong-type"),
        ("r.yaml", "unknown-model"),
        ("r.yaml", "missing-file"),
    ]


def test_a_board_of_two_steps_is_read_once(tmp_path: Path) -> None:
    write(tmp_path / "b.yaml", BOARD)
    recipe = write(
        tmp_path / "r.yaml",
        "recipe: 1\nsteps:\n  a: {kind: storyboard, storyboard: b.yaml}\n"
        "  b: {kind: storyboard, storyboard: ./b.yaml}\n  c: {kind: video, of: [a, b]}\n",
    )
    project = load(recipe)
    one, two, three = project.recipe.steps.values()
    assert isinstance(one, StoryboardStep)
    assert isinstance(two, StoryboardStep)
    assert isinstance(three, VideoStep)
    assert one.board is two.board
    assert len(project.files) == 2


def test_messages_name_files_from_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "x.yaml", "storyboard: 2\nscenes: [{sentences: [A fox]}]\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidDocument, match=r"^x\.yaml:1:13: error"):
        load(Path("x.yaml"))
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    with pytest.raises(InvalidDocument) as caught:
        load(Path("../x.yaml"))
    assert str(caught.value).startswith(f"{tmp_path.as_posix()}/x.yaml:1:13")


@pytest.mark.parametrize(
    ("models", "step", "chosen"),
    [
        ("", "", "studio"),
        ("models: {sd: {from: 'hub:a/b'}}", "", "sd"),
        ("models: {sd: {from: 'hub:a/b'}, xl: {from: 'hub:c/d'}}", "", "studio"),
        ("models: {sd: {from: 'hub:a/b'}, xl: {from: 'hub:c/d'}}", "model: xl", "xl"),
        ("models: {sd: {from: 'hub:a/b'}}", "model: studio", "studio"),
        ("models: {studio: {from: 'hub:a/b'}}", "", "studio"),
    ],
)
def test_a_step_without_a_model_takes_the_only_one_or_the_studio(
    tmp_path: Path, models: str, step: str, chosen: str
) -> None:
    text = f"recipe: 1\n{models}\nsteps:\n  a:\n    kind: generate\n    prompts: [x]\n    {step}\n"
    recipe = load(write(tmp_path / "r.yaml", text)).recipe
    found = recipe.steps["a"]
    assert isinstance(found, GenerateStep)
    assert found.model == chosen
    assert chosen in recipe.models


def test_scenes_are_named_by_themselves_their_setting_or_their_number(tmp_path: Path) -> None:
    board = write(
        tmp_path / "b.yaml",
        """\
storyboard: 1
scenes:
  - {setting: In a green meadow!, sentences: [A]}
  - {name: own, setting: in a green meadow, sentences: [A]}
  - {setting: in a green meadow, sentences: [A]}
  - {sentences: [A]}
  - {setting: 草原, sentences: [A]}
  - {setting: au café, sentences: [A]}
  - {setting: 3 stars, sentences: [A]}
  - {name: au_cafe_2, sentences: [A]}
  - {setting: au café, sentences: [A]}
""",
    )
    film = load(board).recipe.steps["film"]
    assert isinstance(film, StoryboardStep)
    assert [scene.name for scene in film.board.scenes] == [
        "in_a_green_meadow", "own", "in_a_green_meadow_2", "scene_4", "草原", "au_cafe", "scene_3_stars",
        "au_cafe_2", "au_cafe_2_",
    ]  # fmt: skip


def test_a_sentence_inherits_from_scene_and_board(tmp_path: Path) -> None:
    board = write(
        tmp_path / "b.yaml",
        """\
storyboard: 1
seed: 1
look: {style: soft, width: 64, height: 64, guidance_scale: 5, negative_prompt: blurry}
chain: {strength: 0.5, from: previous, anchor_weight: 0.1}
scenes:
  - sentences: [A]
  - look: {aspect: 16:9, guidance_scale: 3}
    chain: {strength: 0.7}
    seed: 2
    sentences:
      - {text: B, strength: 0.9, guidance_scale: 1, negative_prompt: "", seed: 3, num_inference_steps: 7.0}
      - C
""",
    )
    film = load(board).recipe.steps["film"]
    assert isinstance(film, StoryboardStep)
    first, second = film.board.scenes
    a, (b, c) = first.sentences[0], second.sentences
    assert (a.look.width, a.look.aspect, a.strength, first.seed) == (64, None, 0.5, None)
    assert (c.look.width, c.look.height, c.look.aspect) == (None, None, (16, 9))
    assert (c.look.guidance_scale, c.look.negative_prompt, c.strength) == (3, "blurry", 0.7)
    assert (b.look.guidance_scale, b.look.negative_prompt, b.strength, b.seed) == (1, "", 0.9, 3)
    assert b.look.num_inference_steps == 7
    assert type(b.look.num_inference_steps) is int
    assert (second.chain.start, second.chain.anchor_weight, second.seed) == ("previous", 0.1, 2)
    assert a.prompt == "soft, A"


def test_warnings_do_not_hinder(tmp_path: Path) -> None:
    board = write(
        tmp_path / "b.yaml",
        "storyboard: 1\ncharacters: {bunny: {anchor: a bunny}}\nscenes: [{sentences: [The buny]}]\n",
    )
    project = load(board)
    assert [one.code for one in project.warnings] == ["unused-character", "near-miss"]
    assert project.warnings[1].place is not None
    assert project.excerpt(project.warnings[1].place) == "scenes: [{sentences: [The buny]}]"


@pytest.mark.parametrize("name", ["recipes", "storyboards"])
def test_what_ships_is_good_without_a_warning(name: str) -> None:
    found = sorted(resources.path(name).glob("*.yaml"))
    assert len(found) >= 3
    for path in found:
        assert not load(path).warnings
        first, second = path.read_text(encoding="utf-8").splitlines()[:2]
        assert first.startswith("# lorakit run ")
        assert second == f"# yaml-language-server: $schema=../schemas/{name[:-1]}.schema.json"


def test_shipped_documents_may_lead_to_each_other_wherever_they_are_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("recipes", "storyboards"):
        (tmp_path / name).mkdir()
        for path in resources.path(name).glob("*.yaml"):
            write(tmp_path / name / path.name, path.read_text(encoding="utf-8"))
    quickstart = tmp_path / "recipes/quickstart.yaml"
    with pytest.raises(InvalidDocument, match="outside-root"):
        load(quickstart)
    schemas = resources.path("schemas")
    monkeypatch.setattr(
        resources, "path", lambda name: schemas if name == "schemas" else tmp_path / name
    )
    assert list(load(quickstart).recipe.steps) == ["film", "posters"]


def test_reading_a_document_imports_nothing_heavy() -> None:
    quickstart = resources.path("recipes") / "quickstart.yaml"
    alien = resources.path("recipes") / "gurukul.yaml"
    code = (
        "import sys; from pathlib import Path; from lorakit.language import load; "
        f"load(Path({str(alien)!r})); "
        "heavy = {'torch', 'diffusers', 'transformers', 'numpy', 'sentencex', 'difflib', "
        "'platformdirs'} & set(sys.modules); assert not heavy, heavy; "
        f"load(Path({str(quickstart)!r})); assert 'sentencex' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=resources.path("recipes").parent)


def test_each_document_is_validated_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    ask = validation._validator
    monkeypatch.setattr(validation, "_validator", lambda *of: asked.append(of[0]) or ask(*of))
    (tmp_path / "board.yaml").write_text("storyboard: 1\nscenes:\n  - sentences: [a fox]\n")
    recipe = tmp_path / "recipe.yaml"
    steps = "".join(f"  film_{n}: {{kind: storyboard, storyboard: board.yaml}}\n" for n in range(3))
    recipe.write_text(f"recipe: 1\nsteps:\n{steps}")
    load(recipe)
    assert sorted(asked) == ["recipe.schema.json", "storyboard.schema.json"]
