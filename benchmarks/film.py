"""The film against moviepy: the same pictures, holds and crossfades, the same codec and quality.

`python benchmarks/film.py [--shots 24] [--hold 24] [--fade 10] [--size 128] [--height 512]`

moviepy's film is made as its documentation has it: one ImageClip a picture, `CrossFadeIn`, and a
`CompositeVideoClip`; without fades, an `ImageSequenceClip`. Both encode with x264 veryfast, CRF 17,
two threads. Printed: seconds, frames a second, the ratio, and how alike the two films are.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from PIL import Image

from lorakit.rendering.film import Shot, write_film

FPS = 24
_X264 = {"codec": "libx264", "preset": "veryfast", "threads": 2, "logger": None, "audio": False}


def pictures(folder: Path, count: int, size: int) -> list[Path]:
    """Soft coloured pictures, each different."""
    y, x = np.mgrid[0:size, 0:size] / size
    paths = []
    for number in range(count):
        waves = [np.sin(6 * x + number + c) * np.cos(5 * y - number * (c + 1)) for c in range(3)]
        array = np.stack(waves, axis=-1) * 100 + 128
        paths.append(folder / f"{number:04d}.png")
        Image.fromarray(array.astype(np.uint8)).save(paths[-1])
    return paths


def ours(target: Path, paths: list[Path], hold: int, fade: int, height: int) -> float:
    """Seconds that lorakit takes."""
    began = time.perf_counter()
    shots = [Shot(path, hold) for path in paths]
    for _ in write_film(target, shots, fps=FPS, height=height, transition_frames=fade):
        pass
    return time.perf_counter() - began


def with_moviepy(target: Path, paths: list[Path], hold: int, fade: int, height: int) -> float:
    """Seconds that moviepy takes."""
    from moviepy import CompositeVideoClip, ImageClip, ImageSequenceClip, vfx

    began = time.perf_counter()
    if fade:
        clips = []
        for number, path in enumerate(paths):
            first, last = number == 0, number == len(paths) - 1
            start = number * hold - (0 if first else fade // 2)
            end = (number + 1) * hold + (0 if last else fade // 2)
            clip = ImageClip(str(path), duration=(end - start) / FPS).with_start(start / FPS)
            clip = clip.resized(height=height)
            clips.append(clip if first else clip.with_effects([vfx.CrossFadeIn(fade / FPS)]))
        film = CompositeVideoClip(clips).with_duration(len(paths) * hold / FPS)
    else:
        names = [str(path) for path in paths]
        film = ImageSequenceClip(names, durations=[hold / FPS] * len(paths)).resized(height=height)
    film.write_videofile(str(target), fps=FPS, ffmpeg_params=["-crf", "17"], **_X264)
    film.close()
    return time.perf_counter() - began


def frames(path: Path, height: int) -> np.ndarray:
    """All frames of a film, grey."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", str(path)]
    raw = ["-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    data = subprocess.run([*command, *raw], capture_output=True, check=True).stdout
    return np.frombuffer(data, np.uint8).reshape(-1, height, height)


def main() -> None:
    """Time both, hard cuts and crossfades, best of three."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in (("shots", 24), ("hold", 24), ("fade", 10), ("size", 128), ("height", 512)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    total = asked.shots * asked.hold
    print(f"{total} frames of {asked.height} px from {asked.shots} pictures of {asked.size} px")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = pictures(folder, asked.shots, asked.size)
        for fade in (0, asked.fade):
            args = (paths, asked.hold, fade, asked.height)
            mine = min(ours(folder / "a.mp4", *args) for _ in range(asked.rounds))
            theirs = min(with_moviepy(folder / "b.mp4", *args) for _ in range(asked.rounds))
            a, b = (frames(folder / n, asked.height).astype(np.int16) for n in ("a.mp4", "b.mp4"))
            count = min(len(a), len(b))
            apart = np.abs(a[:count] - b[:count]).mean()
            print(
                f"{f'crossfades of {fade}' if fade else 'hard cuts':17s}"
                f"  lorakit {mine:6.2f} s ({total / mine:5.0f} frames/s)"
                f"  moviepy {theirs:6.2f} s ({total / theirs:5.0f} frames/s)"
                f"  ratio {theirs / mine:5.1f}x"
                f"  frames {len(a)}/{len(b)}, {apart:.2f} grey levels apart"
            )


if __name__ == "__main__":
    main()
