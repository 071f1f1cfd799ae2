"""Clips are kept without loss, and read one frame at a time."""

import hashlib
import subprocess
import tracemalloc

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from lorakit.rendering.clip_files import ClipReader, ClipWriter
from lorakit.rendering.ffmpeg_writer import FilmError


def noise(count, size, seed=0):
    chance = np.random.default_rng(seed)
    return [chance.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8) for _ in range(count)]


def write(target, frames):
    height, width, _ = frames[0].shape
    with ClipWriter(target, width, height) as writer:
        for frame in frames:
            writer.write(Image.fromarray(frame))
        writer.finish()
    return target


@pytest.mark.parametrize("size", [(64, 48), (37, 21), (8, 8)])
def test_every_pixel_of_noise_comes_back(tmp_path, size):
    frames = noise(5, size)
    reader = ClipReader(write(tmp_path / "clip.mkv", frames), *size)
    for number, frame in enumerate(frames):
        assert (reader.frame(number) == frame).all(), number
    assert (reader.frame(4) == frames[4]).all(), "asked again"
    assert (reader.frame(1) == frames[1]).all(), "and back"
    reader.close()
    reader.close()


def test_another_reader_says_the_same(tmp_path, decode):
    frames = noise(4, (32, 16))
    path = write(tmp_path / "clip.mkv", frames)
    made = decode(path)
    assert "Video: ffv1" in made.said
    assert (made.frames == np.stack(frames)).all()
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    told = subprocess.run(
        [ffmpeg, "-v", "error", "-err_detect", "crccheck", "-i", path, "-f", "null", "-"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stderr == "", "each slice has its checksum"


def test_the_same_frames_give_the_same_bytes(tmp_path):
    frames = noise(6, (50, 30))
    made = {
        hashlib.sha256(write(tmp_path / name, frames).read_bytes()).hexdigest()
        for name in ("a.mkv", "b.mkv")
    }
    assert len(made) == 1


def test_a_clip_that_breaks_off_is_told(tmp_path):
    path = write(tmp_path / "clip.mkv", noise(3, (32, 32)))
    reader = ClipReader(path, 32, 32)
    with pytest.raises(FilmError, match=r"clip\.mkv breaks off at frame 3"):
        reader.frame(3)
    reader.close()
    (tmp_path / "text").write_text("no clip")
    reader = ClipReader(tmp_path / "text", 32, 32)
    with pytest.raises(FilmError, match="breaks off at frame 0"):
        reader.frame(0)
    reader.close()


def test_a_frame_of_another_size_is_told_and_leaves_no_file(tmp_path):
    with (
        pytest.raises(FilmError, match=r"a frame of \(16, 16\) in a clip of \(32, 32\)"),
        ClipWriter(tmp_path / "clip.mkv", 32, 32) as writer,
    ):
        writer.write(Image.new("RGB", (16, 16)))
    assert not (tmp_path / "clip.mkv").exists()


def test_one_frame_is_held_however_many_there_are(tmp_path):
    size = (320, 240)
    path = write(tmp_path / "clip.mkv", noise(2, size) * 20)
    reader = ClipReader(path, *size)
    reader.frame(0)
    tracemalloc.start()
    for number in range(40):
        reader.frame(number)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    reader.close()
    assert peak < 3.5 * size[0] * size[1] * 3
