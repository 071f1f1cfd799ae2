"""`lorakit schema`, as an author uses it who wants an editor to know the documents."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lorakit import resources
from tests.attack.commands import lorakit

RECIPE = "recipe: 1\nsteps: {a: {kind: generate, prompts: [a fox]}}\n"
BOARD = "storyboard: 1\nscenes: [{sentences: [A fox runs.]}]\n"


def shipped(name: str) -> str:
    return (resources.path("schemas") / f"{name}.schema.json").read_text("utf-8")


@pytest.mark.parametrize("name", ["recipe", "storyboard"])
def test_a_schema_is_printed_as_it_ships(name: str) -> None:
    said = lorakit("schema", name)
    assert said.code == 0
    assert json.loads(said.text) == json.loads(shipped(name))


def test_schemas_are_put_where_the_documents_lead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "boards").mkdir()
    (tmp_path / "plain.yaml").write_text(RECIPE)
    lines = {
        "boards/near.yaml": "../schemas/storyboard.schema.json",
        "boards/far.yaml": "https://example.org/storyboard.schema.json",
        "boards/out.yaml": "../../storyboard.schema.json",
        "boards/own.yaml": "own/storyboard.schema.json",
    }
    for name, leads in lines.items():
        (tmp_path / name).write_text(f"# mine\n# yaml-language-server: $schema={leads}\n{BOARD}")
    (tmp_path / "boards" / "own").mkdir()
    own = tmp_path / "boards" / "own" / "storyboard.schema.json"
    own.write_text('{"title": "of somebody else"}')
    old = tmp_path / "schemas" / "storyboard.schema.json"
    old.parent.mkdir()
    old.write_text(json.dumps({**json.loads(shipped("storyboard")), "title": "an older one"}))
    monkeypatch.chdir(tmp_path)

    said = lorakit("schema", "--install")
    assert said.code == 0
    assert "written  schemas/storyboard.schema.json\n" in said.text
    assert "foreign  boards/own/storyboard.schema.json: no schema of lorakit\n" in said.text
    assert "of somebody else" in own.read_text()
    assert old.read_text("utf-8") == shipped("storyboard")
    assert not (tmp_path.parent / "storyboard.schema.json").exists()
    assert "$schema=.lorakit/schemas/recipe.schema.json" in said.text
    assert "boards/out.yaml\n" in said.text  # it leads to nothing

    told = json.loads(lorakit("schema", "--install", "--json").text)
    assert set(told["files"].values()) == {"kept", "foreign"}
    by_name = {one["document"]: one for one in told["documents"]}
    assert by_name["boards/near.yaml"]["resolves"]
    assert by_name["boards/far.yaml"]["resolves"]
    assert not by_name["plain.yaml"]["resolves"]

    # what the command says to write is what resolves
    (tmp_path / "plain.yaml").write_text(f"{by_name['plain.yaml']['to_add']}\n{RECIPE}")
    again = json.loads(lorakit("schema", "--install", "--json").text)
    assert {o["document"] for o in again["documents"] if not o["resolves"]} == {"boards/out.yaml"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["schema"], "say which: recipe, storyboard; or --install for both"),
        (["schema", "recipes"], "not one of 'recipe', 'storyboard'"),
        (["schema", "recipe", "--install"], "leave the name out"),
    ],
)
def test_wrong_words_are_answered(words: list[str], says: str) -> None:
    said = lorakit(*words)
    assert said.code == 2
    assert says in said.text
