"""What the documentation says is so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent


def test_the_table_of_families_is_made_from_their_files() -> None:
    done = subprocess.run([sys.executable, "docs/make_models.py", "--check"], cwd=ROOT, check=False)
    assert done.returncode == 0, "run python docs/make_models.py"


def test_the_reference_is_made_from_the_schemas() -> None:
    done = subprocess.run(
        [sys.executable, "docs/make_reference.py", "--check"], cwd=ROOT, check=False
    )
    assert done.returncode == 0, "run python docs/make_reference.py"


def blocks() -> list[str]:
    text = (ROOT / "README.md").read_text("utf-8")
    return re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)


def test_readme_blocks_are_counted() -> None:
    assert len(blocks()) == 3


@pytest.mark.parametrize("number", range(3))
def test_readme_blocks_are_valid(number: int, tmp_path: Path) -> None:
    from lorakit.language import document_kind, load

    (tmp_path / "recipes").mkdir()
    (tmp_path / "storyboards").mkdir()
    (tmp_path / ".lorakit").mkdir()
    board = next(b for b in blocks() if "storyboard: 1" in b)
    (tmp_path / "storyboards" / "bunny-magic-hat.yaml").write_text(board)
    path = tmp_path / "recipes" / "block.yaml"
    path.write_text(blocks()[number])
    assert document_kind(path) in ("recipe", "storyboard")
    assert load(path).warnings == ()


@pytest.mark.parametrize(("page", "count"), [("storyboards.md", 15), ("training.md", 4)])
def test_the_documents_of_a_page_are_valid(tmp_path: Path, page: str, count: int) -> None:
    from lorakit.language import load

    text = (ROOT / "docs" / page).read_text("utf-8")
    found = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert len(found) == count
    for number, block in enumerate(found):
        path = tmp_path / f"block_{number}.yaml"
        path.write_text(block)
        assert load(path).warnings == (), block


def test_every_command_is_in_the_readme() -> None:
    from lorakit.cli import command

    text = (ROOT / "README.md").read_text("utf-8")
    for name in command.list_commands(None):  # type: ignore[arg-type]
        assert f"`lorakit {name}" in text


def test_the_page_of_commands_is_of_commands_that_are_there() -> None:
    from lorakit.cli import command

    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    names = re.findall(r"^## `lorakit ([a-z]+)`$", page, re.MULTILINE)
    assert {"status", "runs", "resolve", "models", "gc", "doctor", "schema"} <= {*names}
    assert {*names} <= {*command.list_commands(None)}  # type: ignore[arg-type]


def test_every_dependency_earns_its_line() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    design = (ROOT / "docs" / "design.md").read_text("utf-8")
    constraints = (ROOT / "constraints.txt").read_text("utf-8").lower()
    for requirement in project["dependencies"]:
        name = re.split(r"[<>=\[]", requirement)[0]
        assert re.search(rf"^\|.*\b{name}\b.*\|", design, re.MULTILINE), name
        assert f"\n{name}==" in constraints, name


@pytest.mark.parametrize(
    "path",
    sorted(ROOT.glob("recipes/*.yaml")) + sorted(ROOT.glob("storyboards/*.yaml")),
    ids=lambda p: p.name,
)
def test_shipped_documents_open_with_their_command_and_schema(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    command = lines[0].removeprefix("# lorakit run ")
    assert (ROOT / command).is_file(), lines[0]
    schema = lines[1].removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / schema).resolve().is_file()
    assert isinstance(yaml.safe_load(path.read_text("utf-8")), dict)


def test_shipped_documents_are_counted() -> None:
    assert len(list(ROOT.glob("recipes/*.yaml"))) == 10
    assert len(list(ROOT.glob("storyboards/*.yaml"))) == 5


def test_the_readme_s_two_commands_are_the_gate_s() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    blocks = re.findall(r"```bash\n(.*?)```", readme, re.DOTALL)
    assert blocks[1:3] == [
        "python3 scripts/bootstrap.py lorakit run recipes/quickstart.yaml\n",
        "python3 scripts/bootstrap.py pytest\n",
    ]
    assert "python -m venv" not in readme  # none is needed beforehand


def test_the_version_stands_once() -> None:
    import tomllib
    from importlib.metadata import version

    import lorakit

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert "version" in project["dynamic"]
    assert version("lorakit") == lorakit.__version__


def test_a_program_does_what_the_page_on_python_says(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The block stops before it draws: what `.run()` does is the functional tests' business."""
    import lorakit

    (home / "recipes").mkdir()
    (home / "recipes" / "quickstart.yaml").write_text(
        "recipe: 1\nmodels: {tiny: {from: ../tiny}}\n"
        "steps: {a: {kind: generate, model: tiny, prompts: [a fox]}}\n"
    )
    page = (ROOT / "docs" / "python.md").read_text("utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    planning, run, _ = block.partition("finished = ")
    assert run
    exec(planning, {})
    assert "actions" in capsys.readouterr().out
    for name in set(lorakit.__all__) - {"__version__"}:
        assert re.search(rf"^\| `(lorakit\.)?{name}\b", page, re.MULTILINE), name


def test_every_path_in_the_table_of_where_things_live_is_there() -> None:
    """From the project's folder, from lorakit/, or beside the path that stands before it."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    rows = [line.split("|")[2] for line in text.splitlines() if line.startswith("| ")]
    seen = 0
    for row in rows:
        beside: list[Path] = []
        for name in re.findall(r"`([^` ]+)`", row):
            if "/" not in name and not name.endswith((".py", ".toml", ".html", ".css", ".js")):
                continue
            found = [
                place
                for base in (ROOT, ROOT / "lorakit", *beside)
                for place in base.glob(name.rstrip("/"))
            ]
            assert found, f"CONTRIBUTING.md names {name}, which is not there: {row}"
            beside.append(found[0] if found[0].is_dir() else found[0].parent)
            seen += 1
    assert seen > 100
