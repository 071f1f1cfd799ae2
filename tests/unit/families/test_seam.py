"""What tells families apart stands in their files: nothing else asks which one it has."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import lorakit
from lorakit.families import BY_CLASS, FAMILIES

PACKAGE = Path(lorakit.__file__).parent
OUTSIDE = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.relative_to(PACKAGE).parts[0] not in ("families", "_data")
]
# a pipeline's class, as diffusers calls them
CLASS = re.compile(r"[A-Z]\w*Pipeline")


def literals(path: Path) -> list[str]:
    """Names and texts of a module, but for its docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    prose = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            found.append(node.value)
        elif isinstance(node, ast.Name):
            found.append(node.id)
        elif isinstance(node, ast.ImportFrom):
            found += [name.name for name in node.names]
    return found


def test_no_other_file_compares_a_family() -> None:
    asked = re.compile(r"\bfamily(\.name)?\s*(==|!=|in|not in)\s*[\"'({\[]")
    told = {
        f"{path.relative_to(PACKAGE)}:{number}"
        for path in OUTSIDE
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        # of models that read texts facts/text_layers.py knows the families
        if asked.search(line) and "text_layers" not in path.name
    }
    assert told == set()


@pytest.mark.slow
def test_no_other_file_names_a_pipeline() -> None:
    named = {
        (str(path.relative_to(PACKAGE)), word)
        for path in OUTSIDE
        for word in literals(path)
        if any(found in BY_CLASS for found in CLASS.findall(word))
    }
    assert named == set()


def test_classes_are_of_one_family_and_exist() -> None:
    import diffusers
    import transformers

    assert sum(len(family.classes) for family in FAMILIES.values()) == len(BY_CLASS)
    for family in FAMILIES.values():
        for kind in family.classes:
            assert hasattr(diffusers, kind), kind
        for part in family.parts:
            library = transformers if part.library == "transformers" else diffusers
            assert hasattr(library, part.classes[0]), part


@pytest.mark.parametrize("steps", [1, 4, 28])
@pytest.mark.parametrize("strength", [0.05, 0.3, 0.6, 0.999, 1.0])
def test_steps_are_those_that_the_pipeline_takes(steps: int, strength: float) -> None:
    import diffusers

    class Scheduler:
        order = 1
        timesteps = tuple(range(steps))

    class Pipeline:
        scheduler = Scheduler()

    for family in FAMILIES.values():
        if "image" not in family.pipelines or not hasattr(
            getattr(diffusers, family.pipelines["image"]), "get_timesteps"
        ):
            continue
        kind = getattr(diffusers, family.pipelines["image"])
        left, _ = kind.get_timesteps(Pipeline(), steps, strength, "cpu")
        assert len(left) == family.steps_left(steps, strength), family.name
