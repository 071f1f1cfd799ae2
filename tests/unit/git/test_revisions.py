"""Revisions as git names them, in repositories as git writes them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lorakit.git.errors import GitError
from lorakit.git.repository import ranged
from tests.support.repositories import around, commit, git, init


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    home = tmp_path / "repo"
    home.mkdir()
    init(home)
    for number in range(3):
        (home / "a.yaml").write_text(f"storyboard: {number}\n")
        commit(home, f"number {number}")
    return home


@pytest.mark.parametrize(
    "name",
    ["HEAD", "@", "main", "HEAD~1", "HEAD^", "HEAD~", "HEAD~2", "main^^", "HEAD^0", "v1", "v2", "side/deep",
     "refs/heads/main", "HEAD^1~1", "HEAD~1^1", "v2^{}", "v2~1", "@{1}", "HEAD@{1}"],
)  # fmt: skip
def test_names_mean_what_they_mean_to_git(repo: Path, name: str) -> None:
    git(repo, "tag", "v1", "HEAD~1")
    git(repo, "tag", "-a", "-m", "words", "v2", "HEAD")
    git(repo, "branch", "side/deep", "HEAD~2")
    if name == "@{1}":
        name = "main@{1}"
    expected = git(repo, "rev-parse", f"{name}^{{commit}}")
    found = around(repo).revision(name)
    assert found.sha == expected
    assert found.name == name
    assert found.tree == git(repo, "rev-parse", f"{expected}^{{tree}}")


def test_a_hash_may_be_short(repo: Path) -> None:
    sha = git(repo, "rev-parse", "HEAD~1")
    for length in (40, 12, 7):
        assert around(repo).revision(sha[:length]).sha == sha


def test_packed_objects_and_refs_are_read_too(repo: Path) -> None:
    expected = git(repo, "rev-parse", "HEAD~2")
    git(repo, "gc", "-q")
    assert around(repo).revision("main~2").sha == expected


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("mian", "there is no revision mian\n= did you mean main?"),
        ("HEAD~3", "there is no revision HEAD~3: "),
        ("HEAD^2", "has 1 parents"),
        ("0123456789", "there is no revision 0123456789"),
        ("", None),
        ("--upload-pack=touch x", "there is no revision --upload-pack=touch x"),
        ("../../etc/passwd", "there is no revision ../../etc/passwd"),
        ("HEAD:a.yaml", "there is no revision HEAD:a.yaml"),
        ("\u202emain", "there is no revision \u202emain"),
        ("x" * 5000, "there is no revision xxx"),
        ("HEAD~99999999999999999999", "there is no revision HEAD~9999"),
        ("a\0b", "there is no revision a\0b"),
        ("HEAD@{999}", "there is no revision HEAD@{999}"),
        ("HEAD^{tree}", "there is no revision HEAD^{tree}"),
        ("\udce9", "there is no revision \udce9"),
    ],
)
def test_what_is_no_revision_is_told_in_words(repo: Path, name: str, says: str | None) -> None:
    found = around(repo)
    if says is None:
        assert found.revision(name) == found.revision(name)  # as HEAD: an end left out of a range
        return
    with pytest.raises(GitError) as caught:
        found.revision(name)
    assert says in str(caught.value)
    assert not found.is_revision(name)


def test_a_commit_with_two_parents(repo: Path) -> None:
    git(repo, "checkout", "-q", "-b", "side", "HEAD~1")
    (repo / "b.yaml").write_text("b")
    side = commit(repo)
    git(repo, "checkout", "-q", "main")
    base = git(repo, "merge-base", "main", "side")
    git(repo, "merge", "-q", "--no-edit", "side")
    found = around(repo)
    assert found.revision("HEAD^2").sha == side
    assert found.merge_base(found.revision("main^1"), found.revision("side")).sha == base


def test_histories_with_nothing_in_common_have_no_base(repo: Path) -> None:
    git(repo, "checkout", "-q", "--orphan", "island")
    commit(repo)
    found = around(repo)
    with pytest.raises(GitError, match="island and main have no commit in common"):
        found.merge_base(found.revision("island"), found.revision("main"))


def test_a_shallow_clone_says_that_it_is_one(repo: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth", "2", repo.as_uri(), "shallow")
    found = around(tmp_path / "shallow")
    assert found.shallow
    assert found.revision("HEAD~1").sha == git(repo, "rev-parse", "HEAD~1")
    with pytest.raises(GitError) as caught:
        found.revision("HEAD~2")
    assert str(caught.value) == (
        "HEAD~2 is not in this clone, which is shallow\n= git fetch --unshallow brings the rest"
    )
    with pytest.raises(GitError, match="is not in this clone, which is shallow"):
        found.revision(git(repo, "rev-parse", "HEAD~2"))


def test_worktrees_and_folders_within_find_their_repository(repo: Path, tmp_path: Path) -> None:
    git(repo, "worktree", "add", "-q", "-b", "other", str(tmp_path / "tree"), "HEAD~1")
    (tmp_path / "tree/deep/er").mkdir(parents=True)
    found = around(tmp_path / "tree/deep/er")
    assert found.root == (tmp_path / "tree").resolve()
    assert found.revision("HEAD").sha == git(repo, "rev-parse", "HEAD~1")
    assert found.revision("main").sha == git(repo, "rev-parse", "HEAD")


def test_no_repository_an_empty_one_and_a_broken_one(tmp_path: Path, repo: Path) -> None:
    with pytest.raises(GitError, match="is in no git repository"):
        around(tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    init(empty)
    found = around(empty)
    assert found.revision("HEAD").tree == ""
    assert list(found.tree(found.revision("HEAD")).files()) == []
    with pytest.raises(GitError, match="there is no revision main"):
        found.revision("main")
    (repo / ".git/HEAD").write_bytes(b"\xff\xfe garbage")
    with pytest.raises(GitError):
        around(repo).revision("HEAD")
    shutil.rmtree(repo / ".git/objects")
    with pytest.raises(GitError):
        around(repo).revision("main")
    (repo / ".git").rename(repo / ".gone")
    (repo / ".git").write_text("gitdir: nowhere\n")
    with pytest.raises(GitError):
        around(repo).revision("main")


def test_a_bare_repository_has_no_working_tree(repo: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", repo.as_uri(), "bare")
    found = around(tmp_path / "bare")
    assert found.root is None
    assert found.revision("main").sha == git(repo, "rev-parse", "HEAD")


@pytest.mark.parametrize(
    ("words", "means"),
    [
        ("main", ("main", None, False)),
        ("a..b", ("a", "b", False)),
        ("a...b", ("a", "b", True)),
        ("a..", ("a", "HEAD", False)),
        ("..b", ("HEAD", "b", False)),
        ("v1.0..v1.1", ("v1.0", "v1.1", False)),
    ],
)
def test_ranges(words: str, means: tuple[str, str | None, bool]) -> None:
    assert ranged(words) == means
