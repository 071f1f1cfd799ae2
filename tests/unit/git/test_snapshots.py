"""A revision's files, as libraries open them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from lorakit.git.reader import RevisionReader
from lorakit.git.repository import Repository
from lorakit.git.snapshot import Snapshot
from lorakit.git.working_tree import WorkingTree
from tests.support.repositories import around, closed_later, commit, git, init


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = (tmp_path / "repo").resolve()
    (home / "data/deep").mkdir(parents=True)
    init(home)
    (home / "a.yaml").write_text("storyboard: 1\n")
    (home / "data/one.png").write_bytes(b"one")
    (home / "data/deep/two.txt").write_bytes(b"two")
    commit(home)
    monkeypatch.chdir(home)
    return home


def snapshot(repo: Path, tmp_path: Path, name: str = "HEAD") -> Snapshot:
    repository = around(repo)
    folder = tmp_path / f"laid-{len(list(tmp_path.iterdir()))}"
    folder.mkdir()
    return Snapshot(repository, repository.revision(name), folder)


def pointer(data: bytes) -> str:
    """As git-LFS writes it: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md."""
    digest = hashlib.sha256(data).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(data)}\n"


def test_a_folder_is_laid_as_it_was(repo: Path, tmp_path: Path) -> None:
    (repo / "data/one.png").write_bytes(b"changed")
    (repo / "data/new.png").write_bytes(b"not committed")
    (repo / "data/deep/two.txt").unlink()
    found = snapshot(repo, tmp_path)
    found.lay("data")
    laid = {
        p.relative_to(found.folder).as_posix(): p.read_bytes()
        for p in found.folder.rglob("*")
        if p.is_file()
    }
    assert laid == {"data/one.png": b"one", "data/deep/two.txt": b"two"}
    assert not found.notes


def test_what_is_as_it_was_is_a_link_and_costs_no_copy(repo: Path, tmp_path: Path) -> None:
    git(repo, "update-index", "--refresh")
    os.utime(repo / ".git/index", (2e9, 2e9))  # long after the files: git need not look at them
    found = snapshot(repo, tmp_path)
    found.lay("data")
    assert (found.folder / "data/one.png").is_symlink()
    assert (found.folder / "data/one.png").read_bytes() == b"one"
    # as soon as it is touched, it is not trusted
    (repo / "data/one.png").write_bytes(b"two")
    again = snapshot(repo, tmp_path)
    again.lay("data")
    assert not (again.folder / "data/one.png").is_symlink()
    assert (again.folder / "data/one.png").read_bytes() == b"one"


def test_weights_that_git_knows_nothing_of_are_taken_as_they_are_and_said_to_be(
    repo: Path, tmp_path: Path
) -> None:
    (repo / ".gitignore").write_text("*.safetensors\n")
    (repo / "model").mkdir()
    (repo / "model/config.json").write_text("{}")
    commit(repo)
    (repo / "model/weights.safetensors").write_bytes(b"weights")
    (repo / "alone.safetensors").write_bytes(b"alone")
    (repo / "model/notes.txt").write_text("new, and not ignored")
    found = snapshot(repo, tmp_path)
    found.lay("model")
    found.lay("alone.safetensors")
    names = sorted(p.name for p in found.folder.rglob("*"))
    assert names == ["alone.safetensors", "config.json", "model", "weights.safetensors"]
    assert list(found.notes) == [
        "model/weights.safetensors is not in git: it is taken as it is now",
        "alone.safetensors is not in git: it is taken as it is now",
    ]
    # a document is never borrowed: it would be another revision's
    (repo / "new.yaml").write_text("storyboard: 1\n")
    assert not RevisionReader(found).exists(repo / "new.yaml")
    assert RevisionReader(found).exists(repo / "alone.safetensors")


def test_a_git_lfs_pointer_stands_for_its_file_where_that_is_here(
    repo: Path, tmp_path: Path
) -> None:
    here, there, nowhere = b"in the store of git-lfs", b"in the working tree", b"fetched by nobody"
    for name, data in (("here", here), ("there", there), ("nowhere", nowhere)):
        (repo / f"{name}.safetensors").write_text(pointer(data))
    commit(repo)
    digest = hashlib.sha256(here).hexdigest()
    kept = repo / ".git/lfs/objects" / digest[:2] / digest[2:4]
    kept.mkdir(parents=True)
    (kept / digest).write_bytes(here)
    (repo / "there.safetensors").write_bytes(there)
    found = snapshot(repo, tmp_path)
    changed = set(WorkingTree(repo, around(repo).repo).differences(found.tree))
    assert changed == set()  # what the pointer stands for is what was committed
    for name in ("here", "there", "nowhere"):
        found.lay(f"{name}.safetensors")
    assert (found.folder / "here.safetensors").read_bytes() == here
    assert (found.folder / "there.safetensors").read_bytes() == there
    assert (found.folder / "nowhere.safetensors").read_text() == pointer(nowhere)
    (note,) = found.notes
    assert note == (
        f"nowhere.safetensors is a git-LFS pointer in HEAD, and the {len(nowhere)} bytes that it "
        "stands for are not here: git lfs fetch"
    )


def test_links_are_followed_within_the_repository_and_not_out_of_it(
    repo: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    links = {
        "a-link.yaml": "a.yaml",
        "data/up.yaml": "../a.yaml",
        "folder": "data",
        "ring": "ring",
        "out.txt": "../../secret.txt",
        "absolute.txt": str(secret),
        "data/loop": "../data",
        "nowhere.yaml": "nothing.yaml",
    }
    for name, target in links.items():
        (repo / name).symlink_to(target)
    commit(repo)
    found = snapshot(repo, tmp_path)
    reader = RevisionReader(found)
    assert reader.read_bytes(repo / "a-link.yaml") == b"storyboard: 1\n"
    assert reader.resolve(repo / "data/up.yaml") == found.folder / "a.yaml"
    assert reader.names(repo / "folder") == reader.names(repo / "data")
    assert reader.is_file(repo / "folder/one.png")
    for name in ("ring", "out.txt", "nowhere.yaml"):
        assert not reader.exists(repo / name), name
        with pytest.raises(OSError, match="no such file in HEAD"):
            reader.read_bytes(repo / name)
    # out of the repository is the machine's own path: the language refuses it as outside the project
    assert reader.resolve(repo / "absolute.txt") == secret.resolve()
    found.lay("data")
    laid = [p for p in found.folder.rglob("*") if p.is_file() and p.read_bytes() == b"secret"]
    assert laid == []


def test_names_that_no_file_can_have_are_not_laid(repo: Path, tmp_path: Path) -> None:
    """Trees as an attacker writes them: git refuses to check these out, and so do we."""
    from dulwich.objects import Blob, Commit, ObjectID, Tree
    from dulwich.repo import Repo

    raw = Repo(str(repo))
    closed_later(Repository(raw))
    blob = Blob.from_string(b"evil")
    inner = Tree()
    for name in (b"..", b".git", b".GIT", b"good.txt", b"."):
        inner.add(name, 0o100644, blob.id)
    up = Tree()
    up.add(b"evil.txt", 0o100644, blob.id)
    inner.add(b"a\\b", 0o40000, up.id)
    top = Tree()
    top.add(b"data", 0o40000, inner.id)
    made = Commit()
    made.tree = top.id
    made.author = made.committer = b"a <a@example.org>"
    made.author_time = made.commit_time = 0
    made.author_timezone = made.commit_timezone = 0
    made.message = b"evil"
    for one in (blob, up, inner, top, made):
        raw.object_store.add_object(one)
    raw.refs[b"refs/heads/evil"] = ObjectID(made.id)
    found = snapshot(repo, tmp_path, "evil")
    found.lay("data")
    assert sorted(p.name for p in found.folder.rglob("*")) == ["data", "good.txt"]


def test_a_submodule_is_read_from_where_it_is_checked_out(repo: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    init(other)
    (other / "board.yaml").write_text("storyboard: 1\n")
    commit(other)
    git(repo, "-c", "protocol.file.allow=always", "submodule", "add", "-q", other.as_uri(), "art")
    commit(repo)
    (repo / "art/board.yaml").write_text("storyboard: 2\n")
    reader = RevisionReader(snapshot(repo, tmp_path))
    assert reader.read_bytes(repo / "art/board.yaml") == b"storyboard: 1\n"
    git(repo, "submodule", "deinit", "-q", "-f", "art")
    reader = RevisionReader(snapshot(repo, tmp_path))
    assert not reader.exists(repo / "art/board.yaml")
    with pytest.raises(OSError, match="submodule art, which is not here: git submodule update"):
        reader.read_bytes(repo / "art/board.yaml")


def test_a_file_is_called_as_git_calls_it(repo: Path, tmp_path: Path) -> None:
    reader = RevisionReader(snapshot(repo, tmp_path))
    assert reader.display(Path("a.yaml")) == "HEAD:a.yaml"
    assert reader.display(tmp_path / "x.yaml") == (tmp_path / "x.yaml").as_posix()
    os.chdir(repo / "data")
    deeper = RevisionReader(snapshot(repo, tmp_path))
    assert deeper.display(Path("../a.yaml")) == "HEAD:a.yaml"


def test_changes_of_a_working_tree_are_those_that_git_tells(repo: Path) -> None:
    (repo / ".gitignore").write_text("ignored/\n*.log\n!kept.log\n")
    commit(repo)
    (repo / "ignored").mkdir()
    (repo / "outputs").mkdir()
    for name in (
        "ignored/a.yaml",
        "x.log",
        "outputs/o.yaml",
        "kept.log",
        "new.yaml",
        "data/n\u00e9w.png",
    ):
        (repo / name).write_text(name)
    (repo / "data/one.png").write_bytes(b"eno")  # as many bytes
    (repo / "data/deep/two.txt").unlink()
    (repo / "a.yaml").touch()  # and nothing changed
    repository = around(repo)
    tree = repository.tree(repository.revision("HEAD"))
    told = git(repo, "-c", "core.quotePath=false", "status", "--porcelain", "-uall").splitlines()
    expected = {line.strip().partition(" ")[2] for line in told} - {"outputs/o.yaml"}
    assert set(WorkingTree(repo, repository.repo).differences(tree)) == expected
    assert len(expected) == 5


def test_changes_between_revisions_are_those_that_git_tells(repo: Path) -> None:
    (repo / "data/deep").rename(repo / "data/deeper")
    (repo / "a.yaml").write_text("storyboard: 2\n")
    (repo / "data/one.png").unlink()
    (repo / "data/one.png").mkdir()
    (repo / "data/one.png/now.txt").write_text("a folder")
    commit(repo)
    repository = around(repo)
    before, after = (repository.tree(repository.revision(n)) for n in ("HEAD~1", "HEAD"))
    told = git(repo, "diff", "--name-only", "--no-renames", "HEAD~1", "HEAD").splitlines()
    assert sorted(before.differences(after)) == sorted(told)
