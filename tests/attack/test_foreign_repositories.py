"""Repositories whose own files keep their reader waiting, or are damaged: `lorakit diff` says so, and ends."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest

from tests.attack.commands import lorakit
from tests.attack.test_ends import told
from tests.support.repositories import commit, git, init

pytest.importorskip("dulwich")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="names of pipes, alarms")
BOARD = "storyboard: 1\nscenes:\n  - text: The fox finds a key.\n"
_PATIENCE = 120  # s on a machine that others use


class _Hung(BaseException):
    pass


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A repository with a changed storyboard; the current folder. What waits for ever fails."""

    def hung(_: int, __: FrameType | None) -> None:
        raise _Hung

    init(tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b.yaml").write_text(BOARD)
    (tmp_path / ".gitignore").write_text("outputs/\n.lorakit/\n")
    commit(tmp_path)
    (tmp_path / "b.yaml").write_text(BOARD.replace("key", "door"))
    before = signal.signal(signal.SIGALRM, hung)
    signal.alarm(_PATIENCE)
    yield tmp_path
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def _endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _junk(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00\x80{[\x1b[31m" * 50)


ODD: dict[str, Callable[[Path], None]] = {
    "pipe": os.mkfifo,
    "endless": _endless,
    "folder": Path.mkdir,
    "junk": _junk,
    "empty": Path.touch,
}
_OBJECTS = {"commit": "HEAD", "tree": "HEAD^{tree}", "blob": "HEAD:b.yaml"}


def _place(repo: Path, what: str) -> Path:
    if what in _OBJECTS:
        sha = git(repo, "rev-parse", _OBJECTS[what])
        return repo / ".git" / "objects" / sha[:2] / sha[2:]
    return repo / what


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize(
    "what",
    [*_OBJECTS, ".git/HEAD", ".git/config", ".git/index", ".git/packed-refs", ".git/refs/heads/main",
     ".git/info/exclude", ".git/shallow", ".git/objects/info/alternates", ".gitignore", ".git"],
)  # fmt: skip
def test_an_odd_file_of_a_repository_is_told_or_passed_over(
    repo: Path, what: str, odd: Callable[[Path], None]
) -> None:
    path = _place(repo, what)
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    odd(path)
    for words in (["diff"], ["diff", "HEAD~0..HEAD"]):
        said = lorakit(*words)
        told(said.text)
        assert "\x1b" not in said.text
        assert said.code in (0, 1), said.text
        if what in _OBJECTS and odd is not _junk:
            assert "cannot be read" in said.text or said.code == 0, said.text


@pytest.mark.parametrize("odd", [os.mkfifo, _endless], ids=["pipe", "endless"])
@pytest.mark.parametrize("key", ["core.excludesFile", "include.path", "core.attributesFile"])
def test_settings_that_name_a_pipe_keep_nobody_waiting(
    repo: Path, key: str, odd: Callable[[Path], None]
) -> None:
    odd(repo / ".git" / "odd")
    section, _, name = key.partition(".")
    with (repo / ".git" / "config").open("a") as file:
        file.write(f"[{section}]\n\t{name} = {repo / '.git' / 'odd'}\n")
    said = lorakit("diff")
    told(said.text)
    assert said.code in (0, 1), said.text


def test_no_file_at_all_is_an_excludes_file(repo: Path) -> None:
    git(repo, "config", "core.excludesFile", os.devnull)
    said = lorakit("diff")
    assert said.code == 0, said.text
    assert "door" in said.text
