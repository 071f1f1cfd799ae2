"""Repositories as git itself writes them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lorakit.git.repository import Repository

_SETTINGS = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_ALLOW_PROTOCOL": "file",
}
_open: list[Repository] = []


def git(folder: Path, *words: str) -> str:
    """What a git command prints; skips the test where there is no git."""
    if shutil.which("git") is None:
        pytest.skip("no git here")
    done = subprocess.run(
        ["git", *words],
        cwd=folder,
        env={**os.environ, **_SETTINGS},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def init(folder: Path) -> None:
    """An empty repository on the branch main."""
    git(folder, "init", "-q", "-b", "main")


def commit(folder: Path, message: str = "a change") -> str:
    """Commit everything that is not ignored; the commit's hash."""
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")


def around(folder: Path) -> Repository:
    """The repository that a folder is in, as lorakit reads it, until `close_all`."""
    return closed_later(Repository.around(folder))


def closed_later(repository: Repository) -> Repository:
    """A repository that `close_all` lets go of."""
    _open.append(repository)
    return repository


def close_all() -> None:
    """Let go of every repository that a test opened."""
    while _open:
        _open.pop().close()
