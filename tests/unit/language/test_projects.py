"""Which folder is the project, and where outputs go: the rule of `lorakit/language/projects.py`, case by case."""

from __future__ import annotations

from pathlib import Path

import pytest

from lorakit.language import FolderReader, load
from lorakit.language.projects import folders_of, home_of_folder, marked_folder

BOARD = "storyboard: 1\nscenes: [{sentences: [a fox]}]\n"


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that nothing above marks as a project, and no home folder."""
    top = tmp_path.resolve() / "top"
    top.mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "nobody"))
    assert marked_folder(FolderReader(), top) is None
    return top


def folders(monkeypatch: pytest.MonkeyPatch, here: Path, document: Path | str) -> tuple[Path, Path]:
    here.mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(here)
    return tuple(folders_of(FolderReader(), Path(document)))


def marked(folder: Path, mark: str = ".lorakit") -> Path:
    (folder / mark).mkdir(parents=True)
    return folder


Patch = pytest.MonkeyPatch


@pytest.mark.parametrize("mark", [".lorakit", ".git"])
def test_the_nearest_marked_folder_above_the_document(
    top: Path, monkeypatch: Patch, mark: str
) -> None:
    film = marked(top / "film", mark)
    for here in (film, film / "recipes", film / "else"):
        assert folders(monkeypatch, here, film / "recipes/r.yaml") == (film, film)


def test_no_mark_the_working_directory_if_it_holds_the_document(
    top: Path, monkeypatch: Patch
) -> None:
    assert folders(monkeypatch, top, "recipes/r.yaml") == (top, top)
    assert folders(monkeypatch, top, top / "a/b/r.yaml") == (top, top)
    assert folders(monkeypatch, top, "r.yaml") == (top, top)


def test_no_mark_and_elsewhere_the_document_s_folder(top: Path, monkeypatch: Patch) -> None:
    other = top / "other/recipes"
    assert folders(monkeypatch, top / "here", other / "r.yaml") == (other, other)
    assert folders(monkeypatch, top / "here", "../other/recipes/r.yaml") == (other, other)


def test_a_nested_project_is_one_of_its_own_wherever_it_is_run_from(
    top: Path, monkeypatch: Patch
) -> None:
    outer = marked(top / "outer", ".git")
    inner = marked(outer / "films/bunny")
    for here in (outer, inner, outer / "films"):
        assert folders(monkeypatch, here, inner / "r.yaml") == (inner, inner)
    # a document of the outer one, from within the inner one: outputs are below the working directory's
    assert folders(monkeypatch, inner, outer / "r.yaml") == (outer, inner)


def test_git_s_mark_is_a_file_in_a_worktree_and_in_a_submodule(
    top: Path, monkeypatch: Patch
) -> None:
    outer = marked(top / "outer", ".git")
    for name, words in (
        ("tree", f"gitdir: {outer}/.git/worktrees/tree\n"),
        ("outer/sub", "gitdir: ../.git/modules/sub\n"),
    ):
        (top / name).mkdir()
        (top / name / ".git").write_text(words)
        assert folders(monkeypatch, top / name, "recipes/r.yaml") == (top / name, top / name)
    sub = outer / "sub"
    assert folders(monkeypatch, outer, sub / "r.yaml") == (sub, sub)


def test_a_file_called_as_our_folder_marks_nothing(top: Path, monkeypatch: Patch) -> None:
    (top / "film").mkdir()
    (top / "film/.lorakit").write_text("no folder")
    assert folders(monkeypatch, top, "film/r.yaml") == (top, top)


def test_a_document_elsewhere_is_drawn_into_the_working_directory_s_project(
    top: Path, monkeypatch: Patch
) -> None:
    shared, mine = marked(top / "shared", ".git"), marked(top / "mine")
    assert folders(monkeypatch, mine, shared / "r.yaml") == (shared, mine)
    assert folders(monkeypatch, mine / "deep", shared / "r.yaml") == (shared, mine)
    plain = top / "plain/r.yaml"
    assert folders(monkeypatch, mine, plain) == (plain.parent, mine)
    # from a folder that is no project: with the document
    assert folders(monkeypatch, top / "nowhere", shared / "r.yaml") == (shared, shared)


def test_a_linked_document_reads_where_it_is_and_writes_where_it_was_called(
    top: Path, monkeypatch: Patch
) -> None:
    (top / "shared").mkdir()
    (top / "shared/r.yaml").write_text(BOARD)
    (top / "mine").mkdir()
    try:
        (top / "mine/r.yaml").symlink_to(top / "shared/r.yaml")
    except OSError:
        pytest.skip("no symbolic links here")
    shared, mine = top / "shared", top / "mine"
    assert folders(monkeypatch, mine, "r.yaml") == (shared, mine)
    assert folders(monkeypatch, top, "mine/r.yaml") == (top, top)
    marked(mine)
    assert folders(monkeypatch, mine, "r.yaml") == (shared, mine)
    marked(shared)
    assert folders(monkeypatch, top, mine / "r.yaml") == (shared, shared)


def test_git_in_the_home_folder_keeps_settings_and_makes_no_project(
    top: Path, monkeypatch: Patch
) -> None:
    monkeypatch.setenv("HOME", str(top))
    monkeypatch.setenv("USERPROFILE", str(top))
    marked(top, ".git")
    film = top / "film"
    assert folders(monkeypatch, film, "recipes/r.yaml") == (film, film)
    assert home_of_folder(FolderReader()) == film
    marked(top)  # by our own folder it may be one
    assert folders(monkeypatch, film, "recipes/r.yaml") == (top, top)


def test_the_working_directory_s_own(top: Path, monkeypatch: Patch) -> None:
    (top / "a/b").mkdir(parents=True)
    monkeypatch.chdir(top / "a/b")
    assert home_of_folder(FolderReader()) == top / "a/b"
    marked(top / "a", ".git")
    assert home_of_folder(FolderReader()) == top / "a"
    assert home_of_folder(FolderReader(), top) == top


def test_paths_reach_all_of_a_plain_working_directory_and_nothing_else(
    top: Path, monkeypatch: Patch
) -> None:
    (top / "recipes").mkdir()
    (top / "storyboards").mkdir()
    (top / "storyboards/b.yaml").write_text(BOARD)
    recipe = top / "recipes/r.yaml"
    recipe.write_text(
        "recipe: 1\nsteps: {film: {kind: storyboard, storyboard: ../storyboards/b.yaml}}\n"
    )
    monkeypatch.chdir(top)
    project = load(Path("recipes/r.yaml"))
    assert (project.root, project.home) == (top, top)
