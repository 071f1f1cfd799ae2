"""Films as others make them: written by imageio-ffmpeg, in the formats that cameras and editors use."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import numpy as np


def write_film(
    path: Path,
    colours: Sequence[int],
    *,
    fps: str = "24",
    codec: str = "libx264",
    size: tuple[int, int] = (64, 48),
) -> list[bytes]:
    """A film of a frame for each number, a square that stands elsewhere by it; the frames' RGB.

    `fps` is a number or a ratio, as ffmpeg takes it.
    """
    width, height = size
    written = []
    path.parent.mkdir(parents=True, exist_ok=True)
    exact = ["-qscale:v", "1"] if codec == "mpeg4" else []
    pipe = imageio_ffmpeg.write_frames(
        str(path),
        size,
        fps=Fraction(fps),
        codec=codec,
        pix_fmt_out="bgr0" if codec == "ffv1" else "yuv420p",
        macro_block_size=1,
        output_params=exact,
    )
    pipe.send(None)
    for colour in colours:
        frame = np.full((height, width, 3), 230, np.uint8)
        frame[8:40, colour % 24 : colour % 24 + 30] = (20, 40, colour % 256)
        pipe.send(frame.tobytes())
        written.append(frame.tobytes())
    pipe.close()
    return written
