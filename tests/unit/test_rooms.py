"""Who may enter which room: imports run downward only, and planning never meets torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

import lorakit

PACKAGE = Path(lorakit.__file__).parent
# from the top of the house to its cellar; a room may import from those after it, and from itself
ROOMS = [
    "cli",
    "watch",
    "upkeep",
    "remake",
    "session",
    "cluster",
    "pages",
    "ui",
    "preview",
    "doors",
    "execute",
    "diff",
    "kinds",
    "training",
    "rendering",
    "models",
    "cpu",
    "plan",
    "remote",
    "facts",
    "families",
    "store",
    "git",
    "language",
    "diagnostics",
    "patterns",
    "files",
    "terminal",
    "children",
    "records",
    "resources",
]
# rooms within a room, in the same order; what stands in the room itself is above them
INNER_ROOMS = {
    "facts": [
        "adapters",
        "texts",
        "pictures",
        "sounds",
        "data",
        "models",
        "networks",
        "hub",
        "machine",
        "fonts",
        "files",
    ],
    "language": ["recipe", "story", "yaml"],
}
MOST_LINES = 300
TORCH_ROOMS = {"rendering", "models", "training", "cpu"}
HEAVY = {"torch", "diffusers", "transformers", "peft", "accelerate", "safetensors"}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if room not in ("__init__", "__main__", "_data"):
            yield room, path


def imports(path: Path) -> Iterator[tuple[str, int, bool]]:
    """Imported module, line, and whether the import runs when the module is imported."""
    tree = ast.parse(path.read_text("utf-8"))
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name, node.lineno, id(node) not in inside
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno, id(node) not in inside
            if node.module == "lorakit":
                for name in node.names:
                    yield f"lorakit.{name.name}", node.lineno, id(node) not in inside


@pytest.mark.parametrize(
    ("room", "path"), list(modules()), ids=lambda v: v if isinstance(v, str) else v.stem
)
def test_imports_run_downward_only(room: str, path: Path) -> None:
    assert room in ROOMS, f"{path} stands in no known room"
    for module, line, _ in imports(path):
        if module.startswith("lorakit."):
            other = module.split(".")[1]
            if other in ROOMS:
                where = f"{path}:{line} imports {module}"
                assert ROOMS.index(other) >= ROOMS.index(room), where


@pytest.mark.parametrize(
    ("room", "path"), list(modules()), ids=lambda v: v if isinstance(v, str) else v.stem
)
def test_imports_run_downward_only_between_the_rooms_of_a_room(room: str, path: Path) -> None:
    inner = INNER_ROOMS.get(room)
    if inner is None or path.parent == PACKAGE / room:
        return
    own = path.relative_to(PACKAGE / room).parts[0]
    assert own in inner, f"{path} stands in no known room"
    for module, line, _ in imports(path):
        if module.startswith(f"lorakit.{room}"):
            other = (module.split(".")[2:] or [""])[0]
            where = f"{path}:{line} imports {module}"
            assert other in inner, where
            assert inner.index(other) >= inner.index(own), where


@pytest.mark.parametrize(
    ("room", "path"), list(modules()), ids=lambda v: v if isinstance(v, str) else v.stem
)
def test_torch_lives_in_its_rooms_only(room: str, path: Path) -> None:
    if room in TORCH_ROOMS:
        return
    for module, line, _ in imports(path):
        allowed = path.name == "worker.py" and module == "torch"
        assert allowed or module.split(".")[0] not in HEAVY, f"{path}:{line} imports {module}"


def files() -> dict[str, set[str]]:
    """Each file of the package by its module's name, with those it imports anywhere, annotations too."""
    paths = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        paths[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    found = {}
    for name, path in paths.items():
        meant: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                meant.update(one.name for one in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                for one in node.names:
                    file = f"{node.module}.{one.name}"
                    meant.add(file if file in paths else node.module)
        found[name] = (meant & paths.keys()) - {name}
    return found


def circles(graph: dict[str, set[str]]) -> set[frozenset[str]]:
    """Files that reach each other by their imports."""
    reach = {name: set(others) for name, others in graph.items()}
    todo = list(graph)
    while todo:
        name = todo.pop()
        wider = reach[name].union(*(reach[other] for other in reach[name]))
        if wider != reach[name]:
            reach[name] = wider
            todo += [other for other in graph if name in graph[other]]
            todo.append(name)
    return {
        frozenset(other for other in reach[name] if name in reach[other])
        for name in graph
        if name in reach[name]
    }


def test_no_file_imports_one_that_imports_it() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == {frozenset("abc")}
    assert not circles(files())


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["validate", "."],
        ["plan", "board.yaml"],
        ["run", "--help"],
        ["status", "board.yaml"],
        ["resolve", "board.yaml"],
        ["runs"],
        ["gc"],
        ["doctor"],
        ["models"],
        ["data", "photos"],
        ["data", "texts.csv"],
        ["schema", "recipe"],
    ],
)
def test_commands_that_draw_nothing_never_import_torch(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "board.yaml").write_text(
        "storyboard: 1\nscenes:\n  - text: The fox finds a key. It is a very long walk home.\n"
    )
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (64, 48), "navy").save(tmp_path / "photos" / "a fox.png")
    (tmp_path / "photos" / "a fox.txt").write_text("a fox")
    (tmp_path / "texts.csv").write_text("text,label\ngood,a\nbad,b\nfine,a\nsad,b\n")
    program = (
        "import sys\nfrom lorakit.cli import main\n"
        f"sys.argv = ['lorakit', *{words!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    code = end.code\n"
        f"heavy = sorted(set(sys.modules) & {HEAVY - {'safetensors'}!r})\n"
        "print('heavy:', heavy, code, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "heavy: [] 0" in done.stderr, done.stderr + done.stdout


def test_no_file_is_longer_than_is_read_at_once() -> None:
    lines = {
        path.relative_to(PACKAGE).as_posix(): len(path.read_text("utf-8").splitlines())
        for path in PACKAGE.rglob("*.py")
    }
    assert {name: many for name, many in lines.items() if many > MOST_LINES} == {}
