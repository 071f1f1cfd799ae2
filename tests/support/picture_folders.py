"""A folder of pictures as people have them, with something of everything that goes wrong in one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from lorakit.facts.pictures.open_picture import rgb
from tests.support import icc

SCRIPT = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"


def scene(number: int, size: tuple[int, int] = (96, 64)) -> Image.Image:
    """A picture with detail, another for each number: a few soft discs."""
    width, height = size
    rng = np.random.default_rng(number)
    down, across = np.mgrid[:height, :width] / [[[height]], [[width]]]
    values = np.zeros((height, width, 3))
    for _ in range(5):
        x, y, radius = rng.random(2)[0], rng.random(), 0.1 + rng.random() / 3
        disc = np.clip(1 - ((across - x) ** 2 + (down - y) ** 2) / radius**2, 0, 1)
        values += disc[..., None] * rng.random(3) * 255
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def told(file: Path, picture: Image.Image, caption: str | None, **named: object) -> Path:
    """Save a picture with its caption beside it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    picture.save(file, **named)
    if caption is not None:
        file.with_suffix(".txt").write_text(caption, "utf-8")
    return file


def folder(place: Path) -> Path:
    """Twelve pictures that can be read, three without a caption, and all sorts of other files."""
    exif = Image.Exif()
    exif[274] = 6  # on its side
    fox = scene(1, (192, 128))
    told(place / "fox.jpg", fox, "a red fox in the snow", quality=95)
    told(place / "fox again.jpg", rgb(place / "fox.jpg"), "a fox", quality=50)
    told(place / "fox small.png", fox.resize((96, 64)), "a small fox")
    told(place / "mirror.jpg", ImageOps.mirror(fox), "a fox looks left", quality=95)
    told(place / "turned.jpg", scene(2), f"an owl {SCRIPT}", exif=exif)
    told(place / "owl.png", scene(3, (64, 96)), "一只猫头鹰在树上")
    (place / "red_panda-02.png").write_bytes((place / "owl.png").read_bytes())
    told(place / "icc.jpg", scene(4), "wide", icc_profile=icc.profile("w", icc.SRGB[::-1], 1.8))
    told(place / "navy.png", Image.new("RGB", (64, 64), "navy"), "plain navy")
    told(place / "brown.png", Image.new("RGB", (64, 64), "saddlebrown"), "plain brown")
    deep = np.linspace(0, 65535, 300 * 60).astype(np.uint16).reshape(60, 300)
    told(place / "deep sea.png", Image.fromarray(deep), None)
    told(place / "IMG_2044.webp", scene(5), None)
    whole = (place / "fox.jpg").read_bytes()
    (place / "torn.jpg").write_bytes(whole[: len(whole) // 2])
    (place / "torn.txt").write_text("half a fox")
    for name, content in {
        "._owl.png": b"\0\5\x16\7",
        ".DS_Store": b"\0",
        "notes.md": b"hello",
        "orphan.txt": b"of nothing",
        "phone.heic": b"\0\0",
    }.items():
        (place / name).write_bytes(content)
    return place
