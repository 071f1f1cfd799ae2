"""The film against moviepy: the same pictures, holds and crossfades, the same codec and quality.

`python benchmarks/film.py [--shots 24] [--hold 24] [--fade 10] [--size 128] [--height 512]`

moviepy's film is made as its documentation has it: one ImageClip a picture, `CrossFadeIn`, and a
`CompositeVideoClip`; without fades, an `ImageSequenceClip`. Both encode with x264 veryfast, CRF 17,
two threads. Printed: seconds, frames a second, the ratio, and how alike the two films are.

`python benchmarks/film.py --stills 3000` shows as many pictures of `--size` px for a frame each, beside
moviepy and beside ffmpeg that reads the files itself. `--minutes 10` writes a minute and so many minutes of
1080p, each in a process of its own, and prints the most memory that each had. Processor seconds, children
among them, stand in brackets: on a busy machine they are the ones to compare.

`python -m benchmarks.film --all` prints the rows that are aimed at, each with its ratio and its aim: 3,000
stills of 128 px beside moviepy and beside ffmpeg, 126 crossfaded frames of 512 px beside moviepy and beside
the encoder alone, and the memory of ten minutes of 1080p beside one.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from PIL import Image

from lorakit.rendering.film import Shot, write_film

FPS = 24
_FFMPEG = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y"]
_AS_X264 = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "17", "-threads", "2"]
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


def with_ffmpeg(target: Path, folder: Path) -> float:
    """Seconds that ffmpeg takes which reads the pictures itself."""
    began = time.perf_counter()
    read = ["-framerate", str(FPS), "-i", str(folder / "%04d.png")]
    subprocess.run([*_FFMPEG, *read, *_AS_X264, "-pix_fmt", "yuv420p", str(target)], check=True)
    return time.perf_counter() - began


def processor() -> float:
    """Seconds of the processor that this process and its children took until now."""
    took = os.times()
    return took.user + took.system + took.children_user + took.children_system


def stills(count: int, size: int, rounds: int) -> dict[str, float]:
    """Each of many pictures for a frame: lorakit, moviepy, and ffmpeg by itself; the best seconds of each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = pictures(folder, count, size)
        every = {
            "lorakit": lambda: ours(folder / "a.mp4", paths, 1, 0, size),
            "moviepy": lambda: with_moviepy(folder / "b.mp4", paths, 1, 0, size),
            "ffmpeg": lambda: with_ffmpeg(folder / "c.mp4", folder),
        }
        took: dict[str, list[tuple[float, float]]] = {who: [] for who in every}
        for _ in range(rounds):
            for who, make in every.items():
                before = processor()
                seconds = make()
                took[who].append((seconds, processor() - before))
    mine = [min(one[k] for one in took["lorakit"]) for k in (0, 1)]
    print(f"{count} pictures of {size} px, a frame each")
    for who, runs in took.items():
        best = [min(one[k] for one in runs) for k in (0, 1)]
        ratios = [b / m for b, m in zip(best, mine, strict=True)]
        print(
            f"{who:8s} {best[0]:6.2f} s (processor {best[1]:6.2f} s)"
            f"  {ratios[0]:5.2f}x lorakit ({ratios[1]:.2f}x)"
        )
    return {who: min(one[0] for one in runs) for who, runs in took.items()}


def encoder_alone(target: Path, film: Path, size: int) -> float:
    """Seconds that x264 takes of a film's frames when they lie ready, as its own planes."""
    planes, ready = ["-f", "rawvideo", "-pix_fmt", "yuv420p"], target.with_suffix(".yuv")
    subprocess.run([*_FFMPEG, "-i", str(film), *planes, str(ready)], check=True)
    began = time.perf_counter()
    lies = ["-video_size", f"{size}x{size}", "-framerate", str(FPS), "-i", str(ready)]
    subprocess.run([*_FFMPEG, *planes, *lies, *_AS_X264, str(target)], check=True)
    return time.perf_counter() - began


def fades(rounds: int) -> dict[str, float]:
    """126 film frames of 512 px, six pictures that crossfade all the time: the best seconds of each."""
    took: dict[str, list[float]] = {"lorakit": [], "moviepy": [], "x264 alone": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        args = (pictures(folder, 6, 512), 21, 20, 512)
        for _ in range(rounds):
            took["lorakit"].append(ours(folder / "a.mp4", *args))
            took["moviepy"].append(with_moviepy(folder / "b.mp4", *args))
            took["x264 alone"].append(encoder_alone(folder / "c.mp4", folder / "a.mp4", 512))
    best = {who: min(seconds) for who, seconds in took.items()}
    told = ", ".join(f"{who} {seconds:.2f} s" for who, seconds in best.items())
    print(f"126 crossfaded frames of 512 px: {told}")
    return best


def every(rounds: int, minutes: int = 10) -> None:
    """All that is aimed at, a row each."""
    took = stills(3000, 128, rounds)
    faded = fades(rounds)
    short, long = memory(minutes)
    print()
    for name, ratio, aim in (
        ("3,000 stills of 128 px: moviepy / lorakit", took["moviepy"] / took["lorakit"], ">= 2"),
        ("3,000 stills of 128 px: lorakit / ffmpeg", took["lorakit"] / took["ffmpeg"], "<= 1.3"),
        (
            "126 crossfades of 512 px: moviepy / lorakit",
            faded["moviepy"] / faded["lorakit"],
            # not to be had by an encoder that all share: it is what the row below leaves
            ">= 5",
        ),
        (
            "126 crossfades of 512 px: moviepy / x264 alone",
            faded["moviepy"] / faded["x264 alone"],
            "",
        ),
        (f"1080p: memory of {minutes} min / of 1 min", long / short, "<= 1.05"),
    ):
        print(f"{name:47s} {ratio:5.2f}   {f'aim {aim}' if aim else ''}".rstrip())


_LONG = """
import resource, sys
from benchmarks.film import *
folder, minutes = Path(sys.argv[1]), int(sys.argv[2])
shots = [Shot(path, FPS) for path in sorted(folder.glob("*.png"))]
many = [shots[n % len(shots)] for n in range(60 * minutes)]
for _ in write_film(folder / "long.mp4", many, fps=FPS, height=1080, transition_frames=10):
    pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def memory(minutes: int) -> tuple[int, int]:
    """The most memory of a short and a long film in 1080p, in MiB."""
    most = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in pictures(folder, 12, 960):
            with Image.open(path) as picture:
                picture.resize((1920, 1080)).save(path)
        for length in (1, minutes):
            told = subprocess.run(
                [sys.executable, "-c", _LONG, name, str(length)],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            most.append(int(told))
            print(f"{length:3d} min of 1080p: {told.strip()} MiB at most, without ffmpeg")
    return most[0], most[1]


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
    parser.add_argument("--stills", type=int, help="so many pictures, a frame each")
    parser.add_argument("--minutes", type=int, help="memory of so many minutes of 1080p")
    parser.add_argument("--all", action="store_true", help="all that is aimed at, with ratios")
    asked = parser.parse_args()
    if asked.all:
        every(asked.rounds)
        return
    if asked.stills:
        stills(asked.stills, asked.size, asked.rounds)
    if asked.minutes:
        memory(asked.minutes)
    if asked.stills or asked.minutes:
        return
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
