"""The README's first command, with the model that ships, in a folder that `lorakit init` made."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.repositories import commit, init
from tests.support.runs import lorakit, run, run_alone


@pytest.mark.slow  # forty pictures of the studio's, at its own steps
def test_the_quickstart_draws_scenes_and_a_film(tmp_path: Path) -> None:
    assert lorakit(tmp_path, "init").returncode == 0
    planned = json.loads(lorakit(tmp_path, "plan", "recipes/quickstart.yaml", "--json").stdout)
    done = run_alone(tmp_path, "recipes/quickstart.yaml")
    assert done.code == 0, done.errors
    assert done.finished["made"] == len(planned["actions"])
    assert done.finished["film"].endswith("film/film.mp4")
    first = next(e for e in done.events if e.get("picture"))
    assert first["at"] < done.finished["seconds"]

    from imageio_ffmpeg import count_frames_and_secs

    frames, seconds = count_frames_and_secs(done.finished["film"])
    assert abs(frames / 24 - seconds) < 0.1
    assert frames == next(a for a in planned["actions"] if a["kind"] == "film")["units"]

    # pictures, not noise and not one colour: neighbours are alike, the whole is not
    for path in sorted(done.folder.glob("film/frames_scene_*/*.png")):
        pixels = np.asarray(Image.open(path).convert("L"), dtype=float)
        assert pixels.shape == (128, 128)
        assert pixels.std() > 15
        assert np.abs(np.diff(pixels, axis=1)).mean() < 0.5 * pixels.std()

    again = run(tmp_path, "recipes/quickstart.yaml")
    assert again.made() == []
    assert again.folder == done.folder
    copied = run(tmp_path, "recipes/quickstart.yaml", "--copy")
    assert copied.folder != done.folder
    assert copied.pictures() == done.pictures()
    what_the_page_on_git_shows_is_so(tmp_path)


def what_the_page_on_git_shows_is_so(home: Path) -> None:
    """The example of docs/git.md, but for how long this machine takes."""
    (home / ".gitignore").write_text("outputs/\n.lorakit/\n")
    init(home)
    commit(home)
    board = home / "storyboards/bunny-magic-hat.yaml"
    text = board.read_text("utf-8").replace("golden key", "silver key")
    board.write_text(text.replace("fps: 24", "fps: 12"), "utf-8")
    page = (Path(__file__).parents[2] / "docs/git.md").read_text("utf-8")
    (shown,) = re.findall(r"```\n\$ lorakit diff\n(.*?)```", page, re.DOTALL)
    # the page is of a terminal that draws lines
    drawn = {"|- ": "├─ ", "`- ": "└─ ", "|  ": "│  "}
    said = lorakit(home, "diff").stdout
    for plain, fine in drawn.items():
        said = said.replace(plain, fine)

    def timeless(words: str) -> str:
        return re.sub(r"about .*|under a second", "about", words)

    assert timeless(said) == timeless(shown)


@pytest.mark.slow
def test_a_storyboard_alone_is_runnable(tmp_path: Path) -> None:
    lorakit(tmp_path, "init")
    done = run(tmp_path, "storyboards/bunny-magic-hat.yaml", "--draft")
    assert done.code == 0, done.errors
    assert done.finished["film"]


@pytest.mark.slow
def test_the_readme_s_five_minutes_typed_into_a_plain_folder_run(tmp_path: Path) -> None:
    """Two files in two folders that nothing marks as a project, called from above both."""
    text = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    typed = re.findall(
        r"```yaml\n# ((?:recipes|storyboards)/[\w-]+\.yaml), shortened\n(.*?)```", text, re.DOTALL
    )
    five_minutes = [(name, words) for name, words in typed if "bootcamp" not in name]
    assert [name for name, _ in five_minutes] == [
        "storyboards/bunny-magic-hat.yaml",
        "recipes/quickstart.yaml",
    ]
    for name, words in five_minutes:
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(words)
    done = run(tmp_path, "recipes/quickstart.yaml")
    assert done.code == 0, done.errors
    assert done.folder == tmp_path.resolve() / "outputs/quickstart/001"
    assert (tmp_path / ".lorakit").is_dir()
    assert Path(done.finished["film"]).is_file()
    # the next command finds the same project from any folder in it
    assert (
        lorakit(tmp_path / "recipes", "plan", "quickstart.yaml", "--detailed-exitcode").returncode
        == 0
    )
