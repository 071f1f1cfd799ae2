"""Names: a class's name means one thing in the whole house, and no file is named twice by another word."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import lorakit

PACKAGE = Path(lorakit.__file__).parent


def test_no_class_name_means_two_things() -> None:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in PACKAGE.rglob("*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(str(path.relative_to(PACKAGE)))
    assert not {name: where for name, where in found.items() if len(where) > 1}


def test_no_two_files_of_tests_are_called_alike() -> None:
    """Pytest cannot collect them together, and one file alone passes."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in Path(__file__).parents[1].rglob("test_*.py"):
        if not (path.parent / "__init__.py").exists():
            found[path.name].append(str(path))
    assert not {name: where for name, where in found.items() if len(where) > 1}
