from __future__ import annotations

from pathlib import Path

import pytest

from lorakit.diagnostics import Diagnostic, InvalidDocument
from lorakit.language import load


def adapter(path: Path, written: str, **roots: Path) -> Path:
    path.write_text(
        f"recipe: 1\nadapters: {{ink: {{from: '{written}'}}}}\n"
        "steps: {a: {kind: generate, prompts: [x]}}\n"
    )
    return load(path, roots=roots).recipe.adapters["ink"].path


def refused(path: Path, written: str, **roots: Path) -> Diagnostic:
    with pytest.raises(InvalidDocument) as caught:
        adapter(path, written, **roots)
    (found,) = caught.value.errors
    return found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project/.git").mkdir(parents=True)
    (tmp_path / "project/recipes").mkdir()
    (tmp_path / "project/ink.safetensors").touch()
    (tmp_path / "outside.safetensors").touch()
    return tmp_path / "project"


def test_paths_count_from_their_document_and_may_climb_inside_the_project(project: Path) -> None:
    assert (
        adapter(project / "recipes/r.yaml", "../ink.safetensors")
        == (project / "ink.safetensors").resolve()
    )
    absolute = (project / "ink.safetensors").as_posix()
    assert adapter(project / "recipes/r.yaml", absolute) == (project / "ink.safetensors").resolve()


@pytest.mark.parametrize(
    "written", ["../../outside.safetensors", "../recipes/../../outside.safetensors"]
)
def test_a_path_that_leaves_the_project_is_told_the_way_out(project: Path, written: str) -> None:
    found = refused(project / "recipes/r.yaml", written)
    assert found.code == "outside-root"
    assert f"{project.parent.as_posix()}}}" in found.hints[0]
    assert "outside.safetensors" in found.hints[0]


def test_a_link_out_of_the_project_leaves_it(project: Path) -> None:
    try:
        (project / "link.safetensors").symlink_to(project.parent / "outside.safetensors")
    except OSError:
        pytest.skip("no symbolic links here")
    assert refused(project / "recipes/r.yaml", "../link.safetensors").code == "outside-root"


def test_a_named_root_leads_out(project: Path) -> None:
    found = adapter(project / "recipes/r.yaml", "art:outside.safetensors", art=project.parent)
    assert found == (project.parent / "outside.safetensors").resolve()


def test_a_named_root_is_not_left(project: Path) -> None:
    found = refused(
        project / "recipes/r.yaml", "art:../outside.safetensors", art=project / "recipes"
    )
    assert found.code == "outside-root"


def test_an_unknown_root_names_the_line_to_add(project: Path) -> None:
    found = refused(project / "recipes/r.yaml", "sd:x.safetensors")
    assert found.code == "unknown-root"
    assert "roots: {sd: /path/to/a/folder}" in found.hints[-1]


@pytest.mark.parametrize(
    "written", ["~nobody-at-all/x.safetensors", "c:/x.safetensors", "x" * 5000, "a\u0000b"]
)
def test_odd_paths_are_refused_in_words(project: Path, written: str) -> None:
    with pytest.raises(InvalidDocument):
        adapter(project / "recipes/r.yaml", written)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("boards/buny.yaml", "boards/bunny.yaml"),
        ("boards/Bunny.yml", "boards/bunny.yaml"),
        ("bunny.yaml", "../storyboards/bunny.yaml"),
        ("../storyboards/bunnny.yaml", "../storyboards/bunny.yaml"),
    ],
)
def test_a_missing_storyboard_gets_its_neighbour(project: Path, written: str, meant: str) -> None:
    for folder in ("recipes/boards", "storyboards"):
        (project / folder).mkdir(parents=True)
        for name in ("bunny.yaml", "owl.yaml", ".bunny.yaml"):
            (project / folder / name).write_text("storyboard: 1\nscenes: [{sentences: [a fox]}]\n")
    path = project / "recipes/bunnies.yaml"  # the recipe itself is not meant

    def hint(storyboard: str) -> str:
        path.write_text(
            f"recipe: 1\nsteps: {{film: {{kind: storyboard, storyboard: '{storyboard}'}}}}\n"
        )
        with pytest.raises(InvalidDocument) as caught:
            load(path)
        (found,) = caught.value.errors
        assert found.code == "missing-file"
        return found.hints[0]

    assert hint(written) == f"did you mean {meant}?"
    assert hint("boards/mars.yaml") == "paths count from the folder of the document they stand in"
    assert hint("..") == "name the file that is meant"


def test_a_missing_adapter_gets_its_neighbour_too(project: Path) -> None:
    found = refused(project / "recipes/r.yaml", "../inc.safetensors")
    assert found.hints == ("did you mean ../ink.safetensors?",)
