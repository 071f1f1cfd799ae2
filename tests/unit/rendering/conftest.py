"""Tiny pipelines and pictures, and films decoded back by the ffmpeg that made them."""

import re
import subprocess
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from lorakit.models.loading import load_pipeline


class Decoded:
    """A film as ffmpeg reads it: RGB frames, and what it says of the stream."""

    def __init__(self, path: Path) -> None:
        ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
        told = subprocess.run(
            [ffmpeg, "-hide_banner", "-i", path], capture_output=True, text=True, check=False
        )
        self.said = told.stderr
        self.width, self.height = map(int, re.search(r", (\d+)x(\d+)", self.said).groups())
        command = [ffmpeg, "-loglevel", "error", "-i", path, "-fps_mode", "passthrough"]
        raw = subprocess.run(
            [*command, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=True
        ).stdout
        self.frames = np.frombuffer(raw, np.uint8).reshape(-1, self.height, self.width, 3)

    def colour(self, frame: int) -> tuple[int, ...]:
        """The colour in the middle of a frame."""
        return tuple(int(v) for v in self.frames[frame][self.height // 2, self.width // 2])


@pytest.fixture(scope="module")
def sd(tiny_sd: Path) -> Any:
    return load_pipeline(tiny_sd, "sd", "fp32", "cpu")


@pytest.fixture(scope="module")
def sdxl(tiny_sdxl: Path) -> Any:
    return load_pipeline(tiny_sdxl, "sdxl", "fp32", "cpu")


@pytest.fixture
def picture(tmp_path):
    def make(name: str, colour, size=(64, 48), mode="RGB") -> Path:
        path = tmp_path / f"{name}.png"
        Image.new(mode, size, colour).save(path)
        return path

    return make


@pytest.fixture
def decode():
    return Decoded
