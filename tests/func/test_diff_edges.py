"""`lorakit diff` where something is missing, broken, elsewhere or hostile; and files that recipes name."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.func.test_diff import became, diff, said
from tests.support.image_training import paint
from tests.support.repositories import commit, git, init
from tests.support.runs import environment, lorakit, lorakit_alone

BOARD = """\
storyboard: 1
scenes:
  - name: meadow
    sentences:
      - a fox runs home
      - a fox sleeps
"""
RECIPE = "recipe: 1\nsteps: {film: {kind: storyboard, storyboard: board.yaml}}\n"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A recipe and its board, of the model that ships, committed; nothing is drawn."""
    home = (tmp_path / "repo").resolve()
    home.mkdir()
    (home / "board.yaml").write_text(BOARD)
    (home / "recipe.yaml").write_text(RECIPE)
    (home / ".gitignore").write_text(".lorakit/\noutputs/\n")
    init(home)
    commit(home)
    return home


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def state(home: Path) -> dict[str, tuple[bytes, int]]:
    """All files of a repository, git's own among them."""
    return {
        p.relative_to(home).as_posix(): (p.read_bytes(), p.stat().st_mtime_ns)
        for p in home.rglob("*")
        if p.is_file() and ".lorakit" not in p.parts
    }


def test_nothing_is_touched(repo: Path) -> None:
    edit(repo / "board.yaml", "sleeps", "dreams")
    before = state(repo)
    (document,) = diff(repo)["documents"]
    assert document["to_make"] == 3
    # one frame of two, nothing of it in a store
    assert 0 < document["change_seconds"] < document["seconds"]
    assert "; the change alone " in said(repo)[1]
    assert said(repo, "HEAD", "--format", "markdown")[0] == 0
    assert state(repo) == before
    assert git(repo, "worktree", "list").count("\n") == 0


@pytest.mark.parametrize(
    ("words", "side", "code"), [((), "HEAD", 0), (("HEAD..HEAD~1",), "HEAD", 0)]
)
def test_a_document_that_does_not_parse_on_the_older_side(
    repo: Path, words: tuple[str, ...], side: str, code: int
) -> None:
    edit(repo / "board.yaml", "  - name: meadow", "  - name: meadow\n    sentnces: []")
    commit(repo)
    edit(repo / "board.yaml", "\n    sentnces: []", "")
    found, output, _ = said(repo, *words)
    assert found == code
    assert f"{side}:board.yaml:4:5: error[unknown-key]: " in output
    assert "    4 |     sentnces: []" in output
    assert "2 frames, 1 contact sheet; 3 to make" in output
    data = json.loads(said(repo, "--json", *words)[1])
    (problem,) = data["documents"][0]["before"]["problems"]
    assert (problem["file"], problem["line"]) == (f"{side}:board.yaml", 4)
    assert data["documents"][0]["to_make"] == 3


def test_a_merge_that_is_not_resolved_is_told_where(repo: Path) -> None:
    git(repo, "checkout", "-q", "-b", "other")
    edit(repo / "board.yaml", "runs", "walks")
    commit(repo)
    git(repo, "checkout", "-q", "main")
    edit(repo / "board.yaml", "runs", "jumps")
    commit(repo)
    done = subprocess.run(
        ["git", "merge", "-q", "other"], cwd=repo, capture_output=True, check=False
    )
    assert done.returncode == 1
    code, output, _ = said(repo)
    assert code == 3
    assert "the working tree cannot be planned:" in output
    assert "board.yaml:5:" in output
    assert "HEAD: 2 frames, 1 contact sheet; 3 to make" in output


def test_places_and_paths_from_a_folder_within(repo: Path) -> None:
    (repo / "deep/er").mkdir(parents=True)
    edit(repo / "board.yaml", "sleeps", "dreams")
    here = diff(repo)
    assert diff(repo / "deep/er", "../../recipe.yaml")["documents"][0]["path"] == "recipe.yaml"
    there = diff(repo / "deep/er")
    assert [d["actions"][1]["key"] for d in here["documents"]] == [
        d["actions"][1]["key"] for d in there["documents"]
    ]
    assert said(repo / "deep/er", "../..")[1].count("recipe.yaml") == 1
    absolute = diff(repo / "deep/er", "HEAD", str(repo / "recipe.yaml"))
    assert len(absolute["documents"]) == 1


def test_what_is_called_as_a_revision_and_a_file(repo: Path) -> None:
    git(repo, "branch", "recipe.yaml")
    edit(repo / "board.yaml", "sleeps", "dreams")
    code, _, errors = said(repo, "recipe.yaml")
    assert code == 2
    assert "recipe.yaml is a revision and a file" in errors
    assert len(diff(repo, "recipe.yaml", "--")["documents"]) == 1
    assert len(diff(repo, "--", "recipe.yaml")["documents"]) == 1
    assert said(repo, "HEAD", "main")[0] == 1  # main is no document
    assert "two revisions are written HEAD..main" in said(repo, "HEAD", "main", "--")[2]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["nosuch"], 1, "error: there is no revision nosuch\n  = there are: main"),
        (["mian..HEAD"], 1, "there is no revision mian\n  = did you mean main?"),
        (["HEAD~7"], 1, "there is no revision HEAD~7: "),
        (
            ["--", "borad.yaml"],
            1,
            "no borad.yaml in HEAD or the working tree\n  = did you mean board.yaml?",
        ),
        (["/etc/hostname.yaml"], 1, "is outside the repository"),
        (["--", "../x.yaml"], 1, "is outside the repository"),
        (["--", ".gitignore"], 1, ".gitignore is neither a recipe nor a storyboard"),
        (["HEAD\u202ex"], 1, "there is no revision HEAD\\u202ex"),
        (["--images", "--json"], 2, "--images is for people"),
    ],
)
def test_what_cannot_be_compared_is_told(
    repo: Path, words: list[str], code: int, says: str
) -> None:
    done = lorakit_alone(repo, "diff", *words)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_without_git_and_without_a_repository(repo: Path, tmp_path: Path) -> None:
    """No git program is needed; no repository is told."""
    edit(repo / "board.yaml", "sleeps", "dreams")
    nowhere = {**environment(), "PATH": ""}
    words = [sys.executable, "-m", "lorakit", "diff"]
    done = subprocess.run(words, cwd=repo, env=nowhere, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "a fox [-sleeps-]{+dreams+}" in done.stdout
    plain = tmp_path / "plain"
    plain.mkdir()
    code, _, errors = said(plain)
    assert code == 1
    assert "is in no git repository" in errors
    assert "git init" in errors
    # a document of a repository, from outside it
    assert len(diff(plain, "--", str(repo / "recipe.yaml"))["documents"]) == 1


def test_before_the_first_commit_everything_is_new(tmp_path: Path) -> None:
    home = tmp_path / "new"
    home.mkdir()
    init(home)
    assert diff(home)["documents"] == []
    (home / "board.yaml").write_text(BOARD)
    (document,) = diff(home)["documents"]
    assert document["before"]["there"] is False
    assert became(document, "new") == ["film/meadow/1", "film/meadow/2"]
    commit(home)
    (home / "board.yaml").unlink()
    (document,) = diff(home)["documents"]
    assert document["after"]["there"] is False
    assert became(document, "gone") == ["film/meadow/1", "film/meadow/2"]
    assert document["to_make"] == 0


def test_a_bare_repository_compares_revisions(repo: Path, tmp_path: Path) -> None:
    edit(repo / "board.yaml", "sleeps", "dreams")
    commit(repo)
    git(tmp_path, "clone", "-q", "--bare", repo.as_uri(), "bare")
    code, _, errors = said(tmp_path / "bare")
    assert code == 1
    assert "no working tree" in errors
    (document,) = diff(tmp_path / "bare", "HEAD~1..HEAD")["documents"]
    assert became(document, "drawn again") == ["film/meadow/2"]


def test_a_shallow_clone_compares_what_it_has(repo: Path, tmp_path: Path) -> None:
    for word in ("dreams", "snores"):
        edit(repo / "board.yaml", "sleeps" if word == "dreams" else "dreams", word)
        commit(repo)
    git(tmp_path, "clone", "-q", "--depth", "2", repo.as_uri(), "shallow")
    assert len(diff(tmp_path / "shallow", "HEAD~1..HEAD")["documents"]) == 1
    code, _, errors = said(tmp_path / "shallow", "HEAD~2..HEAD")
    assert code == 1
    assert "HEAD~2 is not in this clone, which is shallow\n  = git fetch --unshallow" in errors


def test_a_storyboard_in_a_submodule(repo: Path, tmp_path: Path) -> None:
    other = tmp_path / "stories"
    other.mkdir()
    init(other)
    (other / "board.yaml").write_text(BOARD)
    commit(other)
    git(repo, "-c", "protocol.file.allow=always", "submodule", "add", "-q", other.as_uri(), "art")
    edit(repo / "recipe.yaml", "board.yaml", "art/board.yaml")
    commit(repo)
    edit(repo / "art/board.yaml", "sleeps", "dreams")
    (document,) = diff(repo, "--", "recipe.yaml")["documents"]
    assert became(document, "drawn again") == ["film/meadow/2"]
    (repo / "art").rename(repo / "gone")
    (repo / "art").mkdir()
    data = json.loads(said(repo, "--json", "--", "recipe.yaml")[1])
    (problem, *_) = data["documents"][0]["before"]["problems"]
    assert "art/board.yaml" in problem["message"]


def test_hostile_names_are_shown_and_not_obeyed(repo: Path) -> None:
    evil = "\u202eeman\u001b[31m.yaml"
    (repo / evil).write_text(BOARD.replace("meadow", "<script>alert(1)</script>"))
    git(repo, "checkout", "-q", "-b", "a\u202eb`touch`$(x)")
    commit(repo)
    code, output, errors = said(repo, "main..a\u202eb`touch`$(x)")
    assert code == 0, errors
    for text in (output, said(repo, "main..HEAD", "--format", "markdown")[1]):
        assert "\u202e" not in text
        assert "\x1b" not in text
    assert "<script>" not in said(repo, "main..HEAD", "--format", "markdown")[1]


def test_a_repository_starts_no_program(repo: Path, tmp_path: Path) -> None:
    """Filters, hooks, pagers and differs that its settings name are git's to run, and not ours."""
    run = f"touch {tmp_path}/ran"
    (repo / ".gitattributes").write_text("*.yaml filter=evil diff=evil\n")
    edit(repo / "board.yaml", "sleeps", "dreams")
    commit(repo)
    for name in ("filter.evil.smudge", "filter.evil.clean", "filter.evil.process", "core.pager",
                 "diff.evil.textconv", "diff.external", "core.fsmonitor", "core.sshCommand"):  # fmt: skip
        git(repo, "config", name, run)
    for hook in ("post-checkout", "post-index-change", "fsmonitor-watchman"):
        (repo / ".git/hooks" / hook).write_text(f"#!/bin/sh\n{run}\n")
        (repo / ".git/hooks" / hook).chmod(0o755)
    edit(repo / "board.yaml", "dreams", "snores")
    assert len(diff(repo)["documents"]) == 1
    assert len(diff(repo, "HEAD~1..HEAD")["documents"]) == 1
    assert not (tmp_path / "ran").exists()


def test_two_recipes_count_what_they_share_once(repo: Path) -> None:
    (repo / "again.yaml").write_text(RECIPE)
    commit(repo)
    edit(repo / "board.yaml", "sleeps", "dreams")
    found = diff(repo)
    assert [d["path"] for d in found["documents"]] == ["again.yaml", "recipe.yaml"]
    assert [d["to_make"] for d in found["documents"]] == [3, 3]
    assert found["to_make"] == 3
    assert "2 documents: 3 to make" in said(repo)[1]


# -- files that recipes name ---------------------------------------------------------------------


@pytest.fixture
def trained(repo: Path) -> Path:
    """A recipe that trains on three pictures in git."""
    paint(repo / "foxes", [(64, 64)] * 3)
    (repo / "style.yaml").write_text(
        "recipe: 1\ndatasets: {foxes: {images: foxes}}\nsteps:\n"
        "  style: {kind: train-image, data: foxes, train: {max_train_steps: 2}}\n"
    )
    commit(repo)
    return repo


def keys(document: dict[str, Any]) -> dict[str, str]:
    return {a["id"]: a["key"] for a in document["actions"] if a["became"] != "gone"}


def test_a_caption_in_a_data_set(trained: Path) -> None:
    (trained / "foxes/1.txt").write_text("a fox in the snow\n")
    (document,) = diff(trained)["documents"]
    assert document["path"] == "style.yaml"
    assert document["files"] == ["foxes/1.txt"]
    again = [a["id"] for a in document["actions"] if a["became"] == "drawn again"]
    assert "style/training" in again
    kept = [a["id"] for a in document["actions"] if a["became"] == "stays"]
    assert len([one for one in kept if "picture" in one or "encode" in one or "/" in one]) >= 3
    # a picture that is not committed is no picture of the revision
    (trained / "foxes/9.png").write_bytes((trained / "foxes/1.png").read_bytes())
    (trained / "foxes/9.txt").write_text("a ninth fox")
    (document,) = diff(trained)["documents"]
    assert document["files"] == ["foxes/1.txt", "foxes/9.png", "foxes/9.txt"]


def test_keys_of_a_revision_are_those_of_its_checkout(trained: Path, tmp_path: Path) -> None:
    (trained / "foxes/1.txt").write_text("a fox in the snow\n")
    (trained / "foxes/0.png").write_bytes((trained / "foxes/2.png").read_bytes())
    commit(trained)
    (trained / "foxes/1.txt").write_text("another fox\n")  # what stands there now is neither
    git(tmp_path, "clone", "-q", trained.as_uri(), "clone")
    plan = json.loads(lorakit(tmp_path / "clone", "plan", "style.yaml", "--json").stdout)
    expected = {a["id"]: a["key"] for a in plan["actions"]}
    assert sum(key is not None for key in expected.values()) > 2
    (document,) = diff(trained, "HEAD~1..HEAD")["documents"]
    assert keys(document) == expected
    # and the same the other way round
    git(tmp_path / "clone", "checkout", "-q", "HEAD~1")
    plan = json.loads(lorakit(tmp_path / "clone", "plan", "style.yaml", "--json").stdout)
    (document,) = diff(trained, "HEAD..HEAD~1")["documents"]
    assert keys(document) == {a["id"]: a["key"] for a in plan["actions"]}


@pytest.mark.filterwarnings("ignore")
def test_an_adapter_s_file(home: Path) -> None:
    """One in git, one that git ignores: the first as it was in each revision, the second as it is."""
    from safetensors.torch import load_file, save_file

    from tests.func.test_adapters import make_adapter

    made = make_adapter(home / "tiny", home / "made")
    for name in ("ink", "local"):
        (home / f"{name}.safetensors").write_bytes(made.read_bytes())
    (home / ".gitignore").write_text("tiny/\nmade/\noutputs/\n.lorakit/\nlocal.safetensors\n")
    (home / "recipe.yaml").write_text(
        "recipe: 1\nmodels: {tiny: {from: tiny, dtype: fp32}}\n"
        "adapters: {ink: {from: ink.safetensors}, local: {from: local.safetensors}}\nsteps:\n"
        "  bare: {kind: generate, model: tiny, prompts: [a fox]}\n"
        "  worn: {kind: generate, model: tiny, prompts: [a fox], adapters: {ink: 0.8, local: 0.5}}\n"
    )
    init(home)
    commit(home)
    weights = load_file(home / "ink.safetensors")
    save_file({name: 2 * w for name, w in weights.items()}, home / "ink.safetensors")
    found = diff(home)
    (document,) = found["documents"]
    assert document["files"] == ["ink.safetensors"]
    assert became(document, "drawn again") == ["worn/1"]
    assert became(document, "stays") == ["bare/1"]
    reasons = {a["id"]: a["reason"] for a in document["actions"]}
    assert reasons["worn/1"].startswith("the adapters (recipe.yaml:")
    assert "local.safetensors is not in git: it is taken as it is now" in found["notes"]
    assert "tiny is not in git: it is taken as it is now" in found["notes"]


@pytest.mark.slow
def test_pictures_before_and_after(repo: Path, tmp_path: Path) -> None:
    """Out of the store, as far as they are there; the sheet is a picture beside it."""
    from PIL import Image

    code, output, _ = said(repo, "--images")
    assert code == 0
    drawn = lorakit(repo, "run", "recipe.yaml", "--draft", "--plain")
    assert drawn.returncode == 0, drawn.stderr
    edit(repo / "board.yaml", "sleeps", "dreams")
    code, output, _ = said(repo, "--images")
    assert code == 0
    assert (
        "no picture of a changed frame is in the store" in output
    )  # a draft is not what is compared
    drawn = lorakit(repo, "run", "recipe.yaml", "--plain")
    assert drawn.returncode == 0, drawn.stderr
    output = said(repo, "--images")[1]
    sheet = Path(output.splitlines()[-1].partition("images  ")[2])
    assert sheet == repo / ".lorakit/diff/recipe.png"
    with Image.open(sheet) as picture:
        assert picture.width > 400
    assert [p.name for p in sheet.parent.iterdir()] == ["recipe.png"]
