from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorakit.diagnostics import InvalidDocument
from lorakit.language import load
from lorakit.language.recipe import merge
from lorakit.language.recipe.documents import GenerateStep
from lorakit.language.recipe.project import Project
from lorakit.language.yaml.findings import Findings
from lorakit.language.yaml.nodes import Node, Source
from lorakit.language.yaml.source import compose

TREES = st.recursive(
    st.one_of(st.integers(), st.text(max_size=3), st.lists(st.integers(), max_size=2)),
    lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=8,
)
MAPPINGS = st.dictionaries(st.sampled_from("abcd"), TREES, max_size=4)


def node(value: Any) -> Node:
    source = Source(Path("x"), "x", "x")
    if isinstance(value, dict):
        made = Node({key: node(child) for key, child in value.items()}, source, 0, 1, 1, 1)
        made.keys = {key: Node(key, source, 0, 1, 1, 1) for key in value}
        return made
    return Node(value, source, 0, 1, 1, 1)


def plain(one: Node) -> Any:
    return (
        {key: plain(child) for key, child in one.value.items()}
        if isinstance(one.value, dict)
        else one.value
    )


def both(base: Any, over: Any) -> Any:
    return plain(merge.merged(node(base), node(over)))


def test_mappings_merge_lists_replace_null_deletes() -> None:
    base = {"a": {"x": 1, "y": 2}, "b": [1, 2], "c": 3}
    over = {"a": {"y": 5, "z": 6}, "b": [9], "c": None, "d": {"e": None, "f": 7}}
    assert both(base, over) == {"a": {"x": 1, "y": 5, "z": 6}, "b": [9], "d": {"f": 7}}


@given(MAPPINGS)
def test_nothing_laid_over_changes_nothing(tree: Any) -> None:
    assert both(tree, {}) == tree
    assert both({}, tree) == tree
    assert both(tree, tree) == tree


@given(MAPPINGS, MAPPINGS, MAPPINGS)
def test_the_order_of_laying_over_is_all_that_counts(one: Any, two: Any, three: Any) -> None:
    left = merge.merged(merge.merged(node(one), node(two)), node(three))
    assert plain(left) == both(one, both(two, three)) or _kinds_differ(one, two, three)


def _kinds_differ(*trees: Any) -> bool:
    """Whether a key is a mapping in one tree and a value in another, where laying over cannot be grouped."""
    shapes: dict[tuple[str, ...], set[bool]] = {}

    def walk(tree: Any, at: tuple[str, ...]) -> None:
        shapes.setdefault(at, set()).add(isinstance(tree, dict))
        if isinstance(tree, dict):
            for key, child in tree.items():
                walk(child, (*at, key))

    for tree in trees:
        walk(tree, ())
    return any(len(kinds) > 1 for kinds in shapes.values())


@given(MAPPINGS, MAPPINGS)
def test_neither_side_is_changed(base: Any, over: Any) -> None:
    below, above = node(base), node(over)
    merge.merged(below, above)
    assert (plain(below), plain(above)) == (base, over)


def test_nodes_keep_the_file_they_came_from() -> None:
    def tree(name: str, text: str) -> Node:
        return compose(Source(Path(name), name, text), Findings())

    found = merge.merged(tree("base", "a: {x: 1}\nb: 2\n"), tree("over", "a: {y: 3}\n"))
    assert isinstance(found.value, dict)
    assert found.value["b"].place.file == "base"
    inner = found.value["a"]
    assert inner.key_spot("x").source.name == "base"
    assert inner.key_spot("y").source.name == "over"


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "ink.safetensors").touch()
    (folder / "ground.yaml").write_text("recipe: 1\nadapters: {ink: {from: ink.safetensors}}\n")
    (folder / "base.yaml").write_text(
        "extends: ground.yaml\nseed: 1\nname: base\nsteps:\n"
        "  a: {kind: generate, prompts: [x, y], width: 64, height: 64, adapters: {ink: 1}}\n"
        "  b: {kind: generate, prompts: [z]}\n"
        "profiles: {big: {steps: {a: {width: 512, height: 512}}}}\n"
    )
    top = tmp_path / "top.yaml"
    top.write_text("extends: shared/base.yaml\nseed: 2\nsteps:\n  a: {prompts: [w]}\n  b: null\n")
    return top


def step(project: Project) -> GenerateStep:
    found = project.recipe.steps["a"]
    assert isinstance(found, GenerateStep)
    return found


def test_a_recipe_builds_on_others(chain: Path) -> None:
    project = load(chain)
    assert [path.name for path in project.files] == ["top.yaml", "base.yaml", "ground.yaml"]
    assert project.recipe.seed == 2
    assert project.recipe.name == "base"
    assert list(project.recipe.steps) == ["a"]
    assert [prompt.text for prompt in step(project).prompts] == ["w"]
    # a path counts from the file it stands in
    assert project.recipe.adapters["ink"].path == chain.parent.resolve() / "shared/ink.safetensors"


def test_a_profile_of_the_base_is_there(chain: Path) -> None:
    assert step(load(chain)).look.width == 64
    assert step(load(chain, profile="big")).look.width == 512


def test_an_error_points_into_the_file_of_its_value(chain: Path) -> None:
    base = chain.parent / "shared/base.yaml"
    base.write_text(base.read_text().replace("width: 64", "width: 1"))
    with pytest.raises(InvalidDocument) as caught:
        load(chain)
    (found,) = caught.value.errors
    assert found.place is not None
    assert found.place.file.endswith("shared/base.yaml")
    assert found.place.line == 5
