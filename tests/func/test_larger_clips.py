"""A clip of a video model that is made larger, in a real run: the frames of the film are what its stills became."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.runs import run
from tests.support.tiny_videos import save_svd

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
CLIP = {"kind": "clip", "video_model": "svd", "num_frames": 3, "num_inference_steps": 1}
LARGER = {"by": 2, "with": "img2img", "strength": 0.5, "num_inference_steps": 2}
BOARD = {
    "storyboard": 1,
    "look": {"num_inference_steps": 2},
    "motion": CLIP,
    "scenes": [{"name": "castle", "sentences": ["A fox finds a key"]}],
    "video": {"fps": 6, "hold": 1},
}


def test_a_clip_is_made_larger_picture_by_picture_and_not_again_for_a_caption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".lorakit").mkdir()
    save_svd(tmp_path / "svd")
    steps = {"film": {"kind": "storyboard", "model": "studio", "storyboard": "board.yaml"}}
    models = {"studio": {"from": "lorakit:studio"}, "svd": {"from": "svd"}}
    recipe = {"recipe": 1, "models": models, "steps": steps}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))

    def write(**more: object) -> None:
        (tmp_path / "board.yaml").write_text(yaml.safe_dump({**BOARD, **more}, sort_keys=False))

    write()
    first = run(tmp_path, "recipe.yaml")
    assert first.code == 0, first.errors
    write(upscale=LARGER)
    ran = run(tmp_path, "recipe.yaml")
    assert ran.code == 0, ran.errors
    still = "film/castle/1"
    pictures = [f"{still}/pictures", *(f"{still}/pictures_{n}" for n in (1, 2, 3))]
    film = ["film/film", "film/film_pictures"]
    assert sorted(ran.made()) == sorted(
        [*pictures, f"{still}/upscaled", f"{still}/motion_upscaled", *film]
    )
    asked = ["-show_entries", "stream=width,height", "-of", "csv=p=0"]
    told = subprocess.run(
        ["ffprobe", "-v", "error", *asked, str(ran.folder / "film" / "film.mp4")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == "256,256"
    write(upscale=LARGER, video={"fps": 6, "hold": 1, "captions": True})
    assert sorted(run(tmp_path, "recipe.yaml").made()) == film
