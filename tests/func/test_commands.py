"""The commands as a user types them: exit codes, messages, files."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from tests.support.boards import board_text, sentences, write_project
from tests.support.runs import lorakit, lorakit_alone, run

SCENES = [("one", sentences(1, 2)), ("two", sentences(2, 2))]


@pytest.mark.slow
def test_init_validate_and_plan(tmp_path: Path) -> None:
    made = lorakit_alone(tmp_path, "init", "film")
    assert made.returncode == 0, made.stderr
    assert "lorakit run recipes/quickstart.yaml" in made.stdout
    home = tmp_path / "film"
    checked = lorakit_alone(home, "validate")
    assert checked.returncode == 0, checked.stderr
    documents = len([*home.glob("recipes/*.yaml"), *home.glob("storyboards/*.yaml")])
    assert documents >= 4
    assert checked.stdout.splitlines()[-1].startswith(f"{documents} files: 0 errors")
    again = lorakit(home, "init")
    assert "written" not in again.stdout
    planned = lorakit(home, "plan", "recipes/quickstart.yaml")
    assert planned.returncode == 0, planned.stderr
    assert planned.stdout.splitlines()[-1].endswith("0 held")
    assert lorakit(home, "plan", "recipes/quickstart.yaml", "--detailed-exitcode").returncode == 10
    data = json.loads(lorakit(home, "plan", "recipes/quickstart.yaml", "--json").stdout)
    assert len(data["actions"]) > 10
    assert not (home / "outputs").exists()


def test_errors_have_places_and_codes(home: Path) -> None:
    (home / "board.yaml").write_text(
        "storyboard: 1\nlook: {cfg: 7}\nscenes:\n  - sentence: [a fox]\n"
    )
    wrong = lorakit(home, "validate", "board.yaml")
    assert wrong.returncode == 3
    assert "board.yaml:2:8: error[" in wrong.stderr
    assert "guidance_scale" in wrong.stderr
    as_json = json.loads(lorakit(home, "validate", "board.yaml", "--json").stdout)
    assert {d["line"] for d in as_json} == {2, 4}
    github = lorakit(home, "validate", "board.yaml", "--format", "github").stdout
    assert github.startswith("::error file=board.yaml,line=2,")
    assert lorakit(home, "run", "board.yaml").returncode == 3
    assert not (home / "outputs").exists()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["plna"], 2, "Did you mean 'plan'?"),
        (["run", "nothing.yaml"], 3, "nothing.yaml"),
        (["run", "--only", "flim"], 2, "there is no step 'flim'; there are: film"),
        (
            ["run", "--only", "film/twoo"],
            2,
            "there is no such scene or frame; did you mean film/two?",
        ),
        (["plan", "--force", "film/two/9"], 2, "did you mean film/two/"),
        (["plan", "--set", "steps.film.storybord=x"], 3, "storybord"),
        (["plan", "--profile", "gpu"], 3, "gpu"),
    ],
)
def test_wrong_words(home: Path, words: list[str], code: int, says: str) -> None:
    write_project(home, board_text(SCENES))
    done = lorakit(home, *words)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_run_leaves_a_complete_folder(home: Path) -> None:
    more = (
        "  posters: {kind: generate, prompts: [a fox, an owl], images_per_prompt: 2}\n"
        "  joined: {kind: video, of: [film, posters], fps: 4, hold: 0.5}\n"
    )
    write_project(home, board_text(SCENES), recipe=more)
    done = run(home)
    assert done.code == 0, done.errors
    names = {p.relative_to(done.folder).as_posix() for p in done.folder.rglob("*") if p.is_file()}
    assert names == {
        "events.jsonl",
        "record.json",
        "report.html",
        "manifest.json",
        "run.log",
        *(f"film/film.{end}" for end in ("mp4", "srt", "vtt")),
        "film/contact_sheet.png",
        "posters/contact_sheet.png",
        *(f"joined/film.{end}" for end in ("mp4", "srt", "vtt")),
        *(f"film/frames_scene_{s}/frame_00{n}.png" for s in (1, 2) for n in (1, 2)),
        *(f"posters/image_00{n}.png" for n in (1, 2, 3, 4)),
    }
    assert (done.folder.parent / "latest.txt").read_text() == "001\n"
    lines = (done.folder / "events.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["type"] == "run-finished"
    # 4 frames of 2 film frames, 4 posters of 2
    from imageio_ffmpeg import count_frames_and_secs

    assert count_frames_and_secs(str(done.folder / "joined/film.mp4"))[0] == 16

    picture = Image.open(done.folder / "film/frames_scene_1/frame_002.png")
    assert picture.size == (64, 64)
    assert picture.text["prompt"] == sentences(1, 2)[1]
    assert picture.text["seed"] == "3"
    assert "Denoising strength: 0.5" in picture.text["parameters"]
    key = picture.text["lorakit-key"]
    assert {a["id"] for a in done.manifest["actions"] if a["key"] == key} == {"film/one/2"}
    assert "test" not in json.loads(picture.text["lorakit"]).values()  # neither run nor recipe

    # the four posters of two seeds: equal prompts and noise would be equal pictures
    assert len(set(done.pictures().values())) == 8


def test_only_and_force(home: Path) -> None:
    write_project(home, board_text(SCENES))
    only = run(home, "--only", "film/two")
    assert only.code == 0, only.errors
    assert only.made() == ["film/two/1", "film/two/2"]
    assert not (only.folder.parent / "latest.txt").exists()  # not complete
    forced = run(home, "--force", "film/two/2")
    assert set(forced.made("frame")) == {"film/one/1", "film/one/2", "film/two/2"}
    assert (
        forced.pictures()["film/frames_scene_2/frame_001.png"]
        == only.pictures()["film/frames_scene_2/frame_001.png"]
    )


def test_set_and_draft(home: Path) -> None:
    write_project(home, board_text(SCENES, steps=20, video=""))
    draft = run(home, "--draft", "--set", "seed=9")
    assert draft.code == 0, draft.errors
    picture = Image.open(draft.folder / "film/frames_scene_1/frame_001.png")
    assert json.loads(picture.text["lorakit"])["num_inference_steps"] == 8
    assert picture.text["seed"] == "9"


def test_a_failure_is_told_and_the_rest_goes_on_if_asked(home: Path) -> None:
    """A model with a tensor of another size cannot be loaded; the other model's step can be made."""
    import shutil

    import torch
    from safetensors.torch import load_file, save_file

    write_project(home, board_text(SCENES, video=""))
    shutil.copytree(home / "tiny", home / "broken")
    weights = home / "broken" / "vae" / "diffusion_pytorch_model.safetensors"
    save_file({**load_file(weights), "decoder.conv_in.bias": torch.ones(3)}, weights)
    (home / "recipe.yaml").write_text(
        "recipe: 1\nmodels: {tiny: {from: tiny}, broken: {from: broken}}\nsteps:\n"
        "  posters: {kind: generate, model: broken, prompts: [a fox]}\n"
        "  film: {kind: storyboard, model: tiny, storyboard: board.yaml}\n"
    )
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-100])  # and one that is cut short is told before anything is made
    planned = lorakit(home, "plan")
    assert planned.returncode == 3
    assert "recipe.yaml:2:45: error[model]: " in planned.stderr
    assert "is damaged: it is cut short, 100 of" in planned.stderr
    weights.write_bytes(whole)
    done = run(home, "--keep-going")
    assert done.code == 1
    ended = {e["action"]: e for e in done.events if e["type"] == "action-finished"}
    assert ended["posters/1"]["outcome"] == "failed"
    assert (
        "broken" in ended["posters/1"]["detail"]
        or "cannot be loaded" in ended["posters/1"]["detail"]
    )
    assert ended["posters/contact-sheet"]["outcome"] == "skipped"
    assert ended["film/one/1"]["outcome"] == "made"
    assert ended["film/contact-sheet"]["outcome"] == "made"


@pytest.mark.slow
def test_off_a_terminal_a_line_for_each_change(home: Path) -> None:
    write_project(home, board_text(SCENES))
    done = lorakit_alone(home, "run")
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert "film.mp4" in done.stdout
    assert "change line" in done.stdout
    assert done.stderr == ""


@pytest.mark.slow
def test_python_can_do_the_same(home: Path) -> None:
    write_project(home, board_text(SCENES, video=""))
    program = (
        "import lorakit\nsession = lorakit.load('recipe.yaml')\nprint(len(session.plan().to_make))\n"
        "print(session.run().ending)\nprint(len(session.plan().to_make))"
    )
    import sys

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=home, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["5", "done", "0"], done.stderr
