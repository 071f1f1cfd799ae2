"""Compose a pool of captioned pictures from the named npm package.

    python studio/compose.py --art CACHE --pool POOL --count 40000

Fetches ``@lobehub/fluent-emoji-3d`` into ``CACHE`` with npm unless it is there already, then writes
``POOL/pictures.npy`` (N, 128, 128, 3) uint8, ``POOL/marks.npy`` (N, 16, 16) uint8, which says where
characters and things stand, and ``POOL/scenes.jsonl``, one scene a line, from which sentences can be
drawn anew.  The same seed and count give the same pool.
"""

from __future__ import annotations

import argparse
import functools
import json
import random
import subprocess
import tarfile
import time
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from captions import caption
from common import UNET_HELD_OUT, label_sheet
from looks import LOOKS, LOOSE, Look
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from painting import SIZE, Art, set_stage
from PIL import Image
from scenes import Scene, draw_crowd, draw_scene

PACKAGE = "@lobehub/fluent-emoji-3d@1.1.0"
CHUNK = 250  # pictures a task
CELL = 8  # px: a place in the latents


def find_art(folder: Path) -> Path | None:
    """The folder of .webp files in ``folder``, or None."""
    for candidate in (folder / "package" / "assets", folder / "assets", folder):
        if (candidate / "1f98a.webp").exists():
            return candidate
    return None


def fetch_art(folder: Path) -> Path:
    """The art's folder; fetched by name with npm where it is absent."""
    found = find_art(folder)
    if found is None:
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "pack", PACKAGE], cwd=folder, check=True)
        archive = next(folder.glob("lobehub-fluent-emoji-3d-*.tgz"))
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
        found = find_art(folder)
    if found is None:
        raise FileNotFoundError(f"no art in {folder}")
    return found


def scene_number(seed: int, index: int, crowds: float = 0.0) -> Scene:
    """Scene ``index`` of pool ``seed``: the same whoever composes it, in whatever order.

    ``crowds`` is the part of them that show several at once; there are none among the first, which
    losses are measured on, so that these stay what they were.
    """
    chance = random.Random(f"{seed}/{index}")
    crowded = index >= UNET_HELD_OUT and random.Random(f"crowd/{seed}/{index}").random() < crowds
    return draw_crowd(chance) if crowded else draw_scene(chance)


@functools.cache
def open_art(folder: Path) -> Art:
    """The art in a folder, opened once in each process: its sprites are resized once."""
    return Art(folder)


def _compose(
    art: Path, looks: Sequence[Look], crowds: float, task: tuple[int, int, int]
) -> tuple[int, list[Scene], NDArray[np.uint8], NDArray[np.uint8]]:
    seed, start, stop = task
    scenes = [scene_number(seed, index, crowds) for index in range(start, stop)]
    # by turns, picture by picture
    drawn = [looks[index % len(looks)] for index in range(start, stop)]
    stages = [
        set_stage(scene, open_art(art), look=look)
        for scene, look in zip(scenes, drawn, strict=True)
    ]
    pictures = np.stack([np.asarray(stage.image) for stage in stages])
    return start, scenes, pictures, np.stack([np.asarray(s.marks.reduce(CELL)) for s in stages])


def compose(
    art: Path,
    pool: Path,
    count: int,
    seed: int,
    workers: int,
    looks: Sequence[Look],
    crowds: float = 0.0,
) -> None:
    """Write the pool; a pool that is already complete is left as it is."""
    if (pool / "scenes.jsonl").exists():
        print(f"{pool} is complete")
        return
    pool.mkdir(parents=True, exist_ok=True)
    shape = (count, SIZE, SIZE, 3)
    pictures = open_memmap(pool / "pictures.npy", mode="w+", dtype=np.uint8, shape=shape)
    places = (count, SIZE // CELL, SIZE // CELL)
    all_marks = open_memmap(pool / "marks.npy", mode="w+", dtype=np.uint8, shape=places)
    tasks = [(seed, start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]
    beside = pool / "scenes.tmp"
    started = time.monotonic()
    with (
        get_context("spawn").Pool(workers) as processes,
        beside.open("w", encoding="utf-8") as lines,
    ):
        for start, scenes, painted, marks in processes.imap(
            functools.partial(_compose, art, looks, crowds), tasks
        ):
            pictures[start : start + len(scenes)] = painted
            all_marks[start : start + len(scenes)] = marks
            lines.writelines(json.dumps(scene.to_json()) + "\n" for scene in scenes)
            if start % (CHUNK * 10) == 0:
                rate = (start + len(scenes)) / (time.monotonic() - started)
                print(f"{start + len(scenes)} of {count}, {rate:.0f} pictures/s", flush=True)
    pictures.flush()
    all_marks.flush()
    beside.rename(pool / "scenes.jsonl")  # written last: its presence says the pool is whole


def contact_sheet(pool: Path, path: Path, count: int = 30) -> None:
    """Draw the first pictures of a pool, each over one of its sentences."""
    pictures = np.load(pool / "pictures.npy", mmap_mode="r")[:count]
    lines = (pool / "scenes.jsonl").read_text(encoding="utf-8").splitlines()[:count]
    scenes = [Scene.from_json(json.loads(line)) for line in lines]
    texts = [caption(scene, random.Random(index)) for index, scene in enumerate(scenes)]
    label_sheet([Image.fromarray(np.array(row)) for row in pictures], texts, 6).save(path)


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--art", type=Path, required=True, help="folder to keep the npm package in")
    parser.add_argument("--pool", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("--count", type=int, default=40000, help="number of pictures")
    parser.add_argument("--seed", type=int, default=1, help="another seed gives other pictures")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--sheet", type=Path, help="also write the first 30 pictures as a PNG here")
    parser.add_argument(
        "--look",
        choices=tuple(LOOKS),
        default=[LOOSE.name],
        nargs="+",
        help="see looks.py; pictures take several by turns",
    )
    parser.add_argument(
        "--crowds", type=float, default=0.0, help="part of pictures with several at once"
    )
    args = parser.parse_args()
    looks = [LOOKS[name] for name in args.look]
    art = fetch_art(args.art)
    compose(art, args.pool, args.count, args.seed, args.workers, looks, args.crowds)
    if args.sheet:
        contact_sheet(args.pool, args.sheet)


if __name__ == "__main__":
    main()
