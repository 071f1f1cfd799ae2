"""Draw the ten pictures in ``data/hologram``: scenes of the studio's world, as projected light.

    python studio/make_hologram.py --art CACHE --out data/hologram
    python studio/make_hologram.py --art CACHE --pool JUDGES --count 12000

Each scene is painted as usual, and once more without its figures: where the two differ is what
shines, the rest is only hinted at on a dark ground.  Lightness becomes a ramp from night blue to
cyan, outlines are drawn over, scan lines and bloom laid on.  256x256 PNG with a caption of the same
name beside it; scan lines are 8 pixels apart, 4 where the studio trains at 128.

With ``--pool`` the first scenes of a pool are drawn so instead, into ``POOL/styled.npy`` (N, 128,
128, 3) uint8: a judge that shall name what styled pictures show has to have seen some.
"""

from __future__ import annotations

import argparse
import functools
import random
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from compose import fetch_art, open_art
from judge_data import read_scenes
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from painting import SIZE, Art, paint, paint_setting
from PIL import Image, ImageFilter
from scenes import (
    ALIEN,
    BUNNY,
    LIGHT,
    MAGIC_HAT,
    MEDITATING,
    ROBOT,
    SAGE,
    SCHOOL,
    TREE,
    Actor,
    Scene,
)

Floats = NDArray[np.float32]

LARGE = 2 * SIZE
LINE = 8  # rows from one scan line to the next
SUFFIX = "hologram style"
# Lightness -> colour, evenly spaced from black to white.
RAMP = np.array(
    [(3, 8, 22), (4, 44, 78), (8, 112, 148), (34, 190, 214), (130, 238, 246), (232, 255, 255)],
    np.float32,
)

PICTURES: dict[str, tuple[Scene, str]] = {
    "01_robot_teaching": (
        Scene("teaches", 25, "in a village", (Actor(ROBOT),), SCHOOL, 2),
        "a robot teaching students in a village school",
    ),
    "02_gurukul": (
        Scene("teaches", 25, "in a village", (Actor(SAGE),), TREE, 2),
        "a traditional gurukul, a sage teaching students under a tree in a village",
    ),
    "03_students_under_a_tree": (
        Scene("under", 25, "in a green meadow", (), TREE, 3),
        "students learning under a tree in a green meadow",
    ),
    "04_child_meditating": (
        Scene("alone", 21, "in a garden", (Actor(MEDITATING),)),
        "a child meditating in a garden",
    ),
    "05_lamp_in_a_dark_classroom": (
        Scene("prop", 27, "in a dark classroom", (), LIGHT),
        "a glowing lamp shines in a dark classroom",
    ),
    "06_bunny_and_key": (
        Scene("finds", 21, "in a green meadow", (Actor(BUNNY, MAGIC_HAT),), "1f511"),
        "a white bunny with a magic hat finds a golden key in a green meadow",
    ),
    "07_fox_with_crown": (
        Scene("looks at", 23, "on mars", (Actor("1f98a", "1f451"),), "1f52e"),
        "a fox with a golden crown looks at a crystal ball on mars",
    ),
    "08_alien_meets_panda": (
        Scene("meets", 22, "on the moon", (Actor(ALIEN), Actor("1f43c"))),
        "an alien meets a panda on the moon",
    ),
    "09_owl_reading": (
        Scene("holds", 28, "in a forest", (Actor("1f989", "1f393"),), "1f4d6"),
        "an owl with a graduation cap reads an open book in a forest",
    ),
    "10_lion_in_a_rocket": (
        Scene("rides", 27, "in space", (Actor("1f981"),), "1f680"),
        "a lion rides a rocket in space",
    ),
}


def lightness(image: Image.Image) -> Floats:
    """(256, 256), 0..1, smoothly enlarged."""
    grey = image.convert("L").resize((LARGE, LARGE), Image.Resampling.BICUBIC)
    return np.asarray(grey, np.float32) / 255


def blurred(values: Floats, radius: float) -> Floats:
    """(256, 256), 0..1, seen through a Gaussian."""
    image = Image.fromarray((values.clip(0, 1) * 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(radius)), np.float32) / 255


def figures(picture: Image.Image, backdrop: Image.Image) -> Floats:
    """(256, 256), 1 where something was set before the backdrop, with soft borders."""
    both = (np.asarray(image, np.float32) for image in (picture, backdrop))
    apart = np.abs(next(both) - next(both)).max(2)
    mask = Image.fromarray(((apart > 10) * 255).astype(np.uint8))
    mask = mask.filter(ImageFilter.MaxFilter(3)).filter(ImageFilter.MinFilter(3))
    mask = mask.resize((LARGE, LARGE), Image.Resampling.BICUBIC)
    return np.asarray(mask.filter(ImageFilter.GaussianBlur(1.2)), np.float32) / 255


def outlines(values: Floats) -> Floats:
    """(256, 256), 0..1: how steep lightness is."""
    down, across = np.gradient(blurred(values, 1.0))
    steep: Floats = np.hypot(down, across)
    return (steep * 9).clip(0, 1)


def coloured(values: Floats) -> Floats:
    """(256, 256) in 0..1 -> (256, 256, 3) in 0..255, along the ramp."""
    places = np.linspace(0, 1, len(RAMP))
    channels = [np.interp(values, places, RAMP[:, channel]) for channel in range(3)]
    return np.stack(channels, 2).astype(np.float32)


def hologram(scene: Scene, art: Art, rng: np.random.Generator) -> Image.Image:
    """A scene as projected light: RGB, 256x256."""
    # everything glows here, and warm light would count as a figure
    picture = paint(scene, art, glow=False)
    backdrop = paint_setting(scene.setting, art, random.Random(scene.layout))
    mask, light = figures(picture, backdrop), lightness(picture)
    inside = light[mask > 0.5]
    low, high = np.quantile(inside, (0.02, 0.98))
    shown = ((light - low) / max(high - low, 0.1)).clip(0, 1)
    detail = shown - blurred(shown, 10)  # pale things keep their features
    rim = (blurred(mask, 3) * (1 - mask) * 2.4).clip(0, 1)
    value = mask * (0.20 + 0.34 * shown + 0.55 * detail + 0.34 * outlines(light))
    behind = 0.05 + 0.10 * light + 0.34 * outlines(lightness(backdrop))
    value = value + (1 - mask) * (behind + 0.55 * rim)
    value = value + 0.34 * blurred(value, 9) * (0.35 + 0.65 * blurred(mask, 14))
    rows = np.arange(LARGE, dtype=np.float32)[:, None]
    lines = 0.80 + 0.20 * np.cos(rows * (2 * np.pi / LINE))
    flicker = 1 + 0.05 * blurred(rng.random((LARGE, 1)).astype(np.float32), 1) - 0.025
    corner = np.hypot(rows - LARGE / 2, rows.T - LARGE / 2) / LARGE
    value = value * lines * flicker * (1.08 - 0.55 * corner**2)
    colours = coloured(value.clip(0, 1))
    colours += rng.normal(0, 1.5, (LARGE, LARGE, 1)).astype(np.float32)
    colours[:, :, 0] = np.roll(colours[:, :, 0], 2, 1)  # red lags behind, as in a bad projector
    return Image.fromarray(colours.clip(0, 255).astype(np.uint8))


def small_hologram(scene: Scene, art: Art, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A scene as projected light, (128, 128, 3): what the studio would draw."""
    picture = hologram(scene, art, rng).resize((SIZE, SIZE), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def _numbered(art: Path, task: tuple[int, Scene]) -> NDArray[np.uint8]:
    number, scene = task
    return small_hologram(scene, open_art(art), np.random.default_rng(number))


def style_pool(art: Path, pool: Path, count: int) -> None:
    """Write ``styled.npy`` beside a pool's pictures, row for row."""
    scenes = list(enumerate(read_scenes(pool)[:count]))
    shape = (len(scenes), SIZE, SIZE, 3)
    rows = open_memmap(pool / "styled.tmp.npy", mode="w+", dtype=np.uint8, shape=shape)
    with get_context("spawn").Pool(2) as processes:
        for row, picture in enumerate(
            processes.imap(functools.partial(_numbered, art), scenes, 50)
        ):
            rows[row] = picture
            if row % 1000 == 0:
                print(f"{row} of {len(scenes)}", flush=True)
    rows.flush()
    (pool / "styled.tmp.npy").rename(pool / "styled.npy")


def main() -> None:
    """Write the pictures and their captions."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--art", type=Path, required=True, help="folder to keep the npm package in")
    parser.add_argument("--out", type=Path, default=Path("data/hologram"))
    parser.add_argument("--pool", type=Path, help="style this pool's scenes instead")
    parser.add_argument("--count", type=int, default=12000, help="of so many of them")
    args = parser.parse_args()
    folder = fetch_art(args.art)
    if args.pool:
        style_pool(folder, args.pool, args.count)
        return
    args.out.mkdir(parents=True, exist_ok=True)
    for name, (scene, words) in PICTURES.items():
        image = hologram(scene, open_art(folder), np.random.default_rng(scene.layout))
        image.save(args.out / f"{name}.png", optimize=True)
        (args.out / f"{name}.txt").write_text(f"{words}, {SUFFIX}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
