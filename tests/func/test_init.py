"""`lorakit init`: projects that run, ready for git, editors and pull requests."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from lorakit import __version__
from tests.support.runs import lorakit

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("template", "recipe"),
    [("film", "quickstart"), ("text", "bootcamp-text"), ("style", "bootcamp-image")],
)
def test_each_template_is_valid_and_planned(tmp_path: Path, template: str, recipe: str) -> None:
    made = lorakit(tmp_path, "init", "--template", template)
    assert made.returncode == 0, made.stderr
    assert made.stdout.splitlines()[-1] == f"next: lorakit run recipes/{recipe}.yaml"
    checked = lorakit(tmp_path, "validate")
    assert checked.returncode == 0
    assert "0 errors, 0 warnings" in checked.stdout
    assert lorakit(tmp_path, "plan", f"recipes/{recipe}.yaml").returncode == 0


def test_modelines_and_editor_settings_resolve(tmp_path: Path) -> None:
    lorakit(tmp_path, "init")
    documents = [*tmp_path.glob("recipes/*.yaml"), *tmp_path.glob("storyboards/*.yaml")]
    assert len(documents) == 4
    for document in documents:
        named = re.search(
            r"^# yaml-language-server: \$schema=(\S+)$", document.read_text("utf-8"), re.MULTILINE
        )
        assert named is not None
        assert (document.parent / named[1]).is_file()
    settings = json.loads((tmp_path / ".vscode" / "settings.json").read_text("utf-8"))
    for schema, pattern in settings["yaml.schemas"].items():
        assert (tmp_path / schema).is_file()
        assert list(tmp_path.glob(pattern))


def test_what_is_made_is_ignored_by_git_and_what_was_there_is_kept(tmp_path: Path) -> None:
    lorakit(tmp_path, "init", "new")
    assert (tmp_path / "new" / ".gitignore").read_text("utf-8").split("\n")[1:3] == [
        "outputs/",
        ".lorakit/",
    ]
    old = tmp_path / "old"
    old.mkdir()
    (old / ".gitignore").write_text("/outputs\n", "utf-8")
    again = lorakit(tmp_path, "init", "old")
    assert (old / ".gitignore").read_text("utf-8") == "/outputs\n"
    assert f"{Path('old', '.gitignore')} should also hold: .lorakit/\n" in again.stdout


def test_the_pull_request_s_commands_are_commands_of_this_version(tmp_path: Path) -> None:
    lorakit(tmp_path, "init")
    workflow = yaml.safe_load((tmp_path / ".github/workflows/storyboards.yml").read_text("utf-8"))
    steps = workflow["jobs"]["diff"]["steps"]
    commands = [step["run"] for step in steps if "run" in step]
    assert f'"lorakit=={__version__}"' in commands[0]
    for command in commands:
        # an expression within a command would be pasted into the shell as it is: branch names are others'
        assert "${{" not in command
    for words in (c.split() for c in commands if c.startswith("lorakit ")):
        said = lorakit(tmp_path, words[1], "--help")
        assert said.returncode == 0, said.stderr
        options = [word for word in words if word.startswith("--")]
        assert all(option in said.stdout for option in options)


def test_pre_commit_s_hook_checks_documents(tmp_path: Path) -> None:
    lorakit(tmp_path, "init")
    hooks = {
        hook["id"]: hook
        for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    }
    config = yaml.safe_load((tmp_path / ".pre-commit-config.yaml").read_text("utf-8"))
    (repo,) = config["repos"]
    assert repo["rev"] == f"v{__version__}"
    hook = hooks[repo["hooks"][0]["id"]]
    files = [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.y*ml")]
    checked = [file for file in files if re.search(hook["files"], file)]
    assert sorted(Path(file).parts[0] for file in checked) == ["recipes", *["storyboards"] * 3]
    words = hook["entry"].split()
    assert lorakit(tmp_path, *words[1:], *checked).returncode == 0
    board = tmp_path / "storyboards" / "fox-and-key.yaml"
    board.write_text(board.read_text("utf-8").replace("strength: 0.7", "strenth: 0.7"), "utf-8")
    assert lorakit(tmp_path, *words[1:], *checked).returncode == 3


def test_a_script_is_told_what_was_written_and_what_was_there(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("outputs/\n")
    told = json.loads(lorakit(tmp_path, "init", "--template", "style", "--json").stdout)
    assert "recipes/bootcamp-image.yaml" in told["written"]
    assert all((tmp_path / file).is_file() for file in told["written"])
    assert (told["kept"], told["ignore"]) == ([".gitignore"], [".lorakit/"])
    assert told["run"] == "recipes/bootcamp-image.yaml"
    again = json.loads(lorakit(tmp_path, "init", "--template", "style", "--json").stdout)
    assert again["written"] == []
    assert sorted(again["kept"]) == sorted([*told["written"], ".gitignore"])
