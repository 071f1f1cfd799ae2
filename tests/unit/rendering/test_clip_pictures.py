"""A clip taken apart and put together again: each of its frames, and nothing else, is what was made of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lorakit.plan.tasks.clip import ClipPicturesTask, JoinedClipTask
from lorakit.plan.tasks.upscale import EnlargeTask
from lorakit.rendering.clip_files import ClipReader, ClipWriter
from lorakit.rendering.clip_pictures import write_clip_pictures, write_joined_clip
from lorakit.rendering.ffmpeg_writer import FilmError
from lorakit.rendering.painted import write_enlarged

MANY, SIZE = 12, (32, 24)


@pytest.fixture
def frames() -> list[Image.Image]:
    noise = np.random.default_rng(0).integers(0, 255, (MANY, SIZE[1], SIZE[0], 3), dtype=np.uint8)
    return [Image.fromarray(one) for one in noise]


@pytest.fixture
def clip(tmp_path: Path, frames: list[Image.Image]) -> Path:
    with ClipWriter(tmp_path / "clip.mkv", *SIZE) as writer:
        for frame in frames:
            writer.write(frame)
        writer.finish()
    return tmp_path / "clip.mkv"


def test_each_frame_is_made_larger_and_stands_where_it_stood(
    tmp_path: Path, clip: Path, frames: list[Image.Image]
) -> None:
    task = ClipPicturesTask(MANY, *SIZE)
    told = list(write_clip_pictures(tmp_path / task.file, task, {"clip": str(clip)}))
    assert told == [(number, MANY) for number in range(1, MANY + 1)]
    made = {}
    for (name, file), frame in zip(task.outputs().items(), frames, strict=True):
        with Image.open(tmp_path / file) as picture:
            assert picture.tobytes() == frame.tobytes()
        (tmp_path / name).mkdir()
        larger = EnlargeTask(SIZE[0] * 2, SIZE[1] * 2)
        made[name] = write_enlarged(
            tmp_path / name, larger, {"picture": str(tmp_path / file)}
        )["picture"]  # fmt: skip
    joined = JoinedClipTask(MANY, SIZE[0] * 2, SIZE[1] * 2)
    assert list(write_joined_clip(tmp_path / "joined.mkv", joined, made))[-1] == (MANY, MANY)
    reader = ClipReader(tmp_path / "joined.mkv", joined.width, joined.height)
    for number, frame in enumerate(frames):
        wanted = frame.resize((joined.width, joined.height), Image.Resampling.LANCZOS)
        assert (reader.frame(number) == np.asarray(wanted)).all()
    reader.close()


def test_a_clip_that_is_shorter_than_it_says_is_an_error(tmp_path: Path, clip: Path) -> None:
    task = ClipPicturesTask(MANY + 1, *SIZE)
    with pytest.raises(FilmError):
        list(write_clip_pictures(tmp_path / task.file, task, {"clip": str(clip)}))
