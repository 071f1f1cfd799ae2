"""Pictures of scenes: a painted setting, then emoji art set into it.

Everything is done at the final size, 128x128, with sprites that were resized once (LANCZOS) and are
kept, so that one core composes hundreds of pictures a second.  Positions are in pixels, x to the
right, y downwards.  A scene's ``layout`` seeds all chance: equal scenes give equal pixels.

A ``Look`` says how freely.  ``LOOSE`` puts anything anywhere in any size; ``GRID`` puts the same few
sprites, outlined, on the autoencoder's grid, before a handful of backdrops.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from looks import LOOSE, Look, outlined
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scenes import BOY, CAMPFIRE, CANDLE, CROWD, GIRL, LIGHT, SCHOOL, TREE, Actor, Scene

SIZE = 128
Colour = tuple[int, int, int]
Floats = NDArray[np.float32]

# Where a hat sits: centre x and brim y, and the hat's width, in parts of the sprite's box.
HEADS: dict[str, tuple[float, float, float]] = {
    "1f430": (0.50, 0.50, 0.58),
    "1f98a": (0.50, 0.34, 0.52),
    "1f43b": (0.50, 0.19, 0.58),
    "1f43c": (0.50, 0.19, 0.56),
    "1f428": (0.50, 0.19, 0.52),
    "1f42f": (0.50, 0.19, 0.56),
    "1f981": (0.50, 0.22, 0.56),
    "1f438": (0.50, 0.20, 0.50),
    "1f435": (0.50, 0.18, 0.58),
    "1f431": (0.50, 0.26, 0.54),
    "1f436": (0.50, 0.20, 0.56),
    "1f42d": (0.50, 0.34, 0.50),
    "1f439": (0.50, 0.32, 0.52),
    "1f437": (0.50, 0.20, 0.54),
    "1f42e": (0.50, 0.24, 0.46),
    "1f989": (0.50, 0.20, 0.70),
    "1f427": (0.50, 0.16, 0.52),
    "1f425": (0.50, 0.16, 0.54),
    "1f984": (0.42, 0.26, 0.46),
    "1f432": (0.46, 0.26, 0.50),
    "1f47d": (0.50, 0.16, 0.62),
    "1f916": (0.50, 0.20, 0.60),
    "1f466": (0.50, 0.24, 0.72),
    "1f467": (0.50, 0.24, 0.66),
    "1f474": (0.50, 0.18, 0.72),
    "1f475": (0.50, 0.26, 0.64),
    "1f9d8": (0.50, 0.13, 0.40),
    "1f47b": (0.50, 0.16, 0.52),
    "26c4": (0.46, 0.19, 0.50),
    "1f422": (0.14, 0.36, 0.36),
    "1f419": (0.50, 0.16, 0.54),
    "1f433": (0.36, 0.42, 0.44),
    "1f420": (0.42, 0.16, 0.42),
    "1f98b": (0.50, 0.20, 0.38),
    "1f41d": (0.70, 0.40, 0.42),
    "1f418": (0.28, 0.14, 0.46),
    "1f992": (0.22, 0.13, 0.46),
    "1f9d9": (0.47, 0.29, 0.58),
    "1f478": (0.50, 0.22, 0.46),
    "1f934": (0.50, 0.22, 0.52),
}
# Art that looks to the left (turned towards what it deals with when that is on the right).
LEFT_FACING = {"1f984", "1f432", "1f422", "1f433", "1f420", "1f418", "1f992"}
RIGHT_FACING = {"1f41d"}
HELMET, HELMET_PART = "26d1", 0.72  # the chin strap below would hide the face
GLOWING = {LIGHT, CANDLE, CAMPFIRE}


# --- art ------------------------------------------------------------------------------------------


class Art:
    """Sprites by emoji code, cropped to what is painted, resized and kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.whole = cache(self._whole)
        self.sprite = lru_cache(maxsize=20000)(self._sprite)
        self.figure = lru_cache(maxsize=20000)(self._figure)

    def _whole(self, code: str) -> Image.Image:
        for name in (f"{code}.webp", f"{code}-fe0f.webp"):
            path = self.folder / name
            if path.exists():
                image = Image.open(path).convert("RGBA")
                image = image.crop(image.getbbox())
                if code == HELMET:
                    image = image.crop((0, 0, image.width, round(image.height * HELMET_PART)))
                return image
        raise FileNotFoundError(f"no art for {code} in {self.folder}")

    def _sprite(self, code: str, width: int, flip: bool = False, dim: bool = False) -> Image.Image:
        """The sprite ``width`` pixels wide, in its own proportions."""
        image = self.whole(code)
        size = (max(1, width), max(1, round(image.height * width / image.width)))
        image = image.resize(size, Image.Resampling.LANCZOS)
        if flip:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if dim:
            red, green, blue, alpha = image.split()
            parts = (red.point(lambda v: v * 0.5), green.point(lambda v: v * 0.5))
            image = Image.merge("RGBA", (*parts, blue.point(lambda v: v * 0.62), alpha))
        return image

    def _figure(self, code: str, width: int, look: Look, flip: bool = False) -> Image.Image:
        """The sprite as a figure of the scene: in some looks outlined, ``width`` without the line."""
        sprite = self.sprite(code, width, flip)
        return outlined(sprite, look.outline) if look.outline else sprite

    def width_of(self, code: str, size: float) -> int:
        """How wide the sprite is when its longer side is ``size`` pixels long."""
        image = self.whole(code)
        return round(size * min(1.0, image.width / image.height))

    def fitted(self, code: str, size: float, flip: bool = False, dim: bool = False) -> Image.Image:
        """The sprite with its longer side ``size`` pixels long."""
        return self.sprite(code, self.width_of(code, size), flip, dim)


@lru_cache(maxsize=4000)
def blob(width: int, height: int, colour: tuple[int, int, int, int]) -> Image.Image:
    """An ellipse with soft edges."""
    image = Image.new("RGBA", (width * 4 + 8, height * 4 + 8), (*colour[:3], 0))
    ImageDraw.Draw(image).ellipse((4, 4, width * 4 + 4, height * 4 + 4), fill=colour)
    return image.resize((width + 2, height + 2), Image.Resampling.LANCZOS)


# --- settings -------------------------------------------------------------------------------------

_Y = np.linspace(0, 1, SIZE, dtype=np.float32)[:, None, None]
_ROWS = np.arange(SIZE, dtype=np.float32)[:, None]
_COLUMNS = np.arange(SIZE, dtype=np.float32)


def shade(top: Colour, bottom: Colour, rng: random.Random, jitter: int = 12) -> Floats:
    """(128, 1, 3): a vertical gradient, its colours a little different each time."""
    a, b = (
        np.array([c + rng.uniform(-jitter, jitter) for c in colour], np.float32)
        for colour in (top, bottom)
    )
    return a + (b - a) * _Y


def below(line: Floats) -> Floats:
    """(128, 128, 1): 1 below the line, 0 above, antialiased; ``line`` holds y for each x."""
    mask: Floats = np.clip(_ROWS - line[None, :], 0, 1)[:, :, None]
    return mask


def hills(rng: random.Random, level: float, height: float, waves: float) -> Floats:
    """(128,): a rolling line about ``level``."""
    phase, second = rng.uniform(0, 6.3), rng.uniform(0, 6.3)
    turn = _COLUMNS * (2 * math.pi / SIZE)
    line = np.sin(turn * waves + phase) + 0.5 * np.sin(turn * waves * 2.3 + second)
    return (level + height * line).astype(np.float32)


@dataclass(frozen=True)
class Setting:
    """How a place is painted: colours, how rough its ground is, and what stands about in it.

    ``far`` stands on the horizon, ``near`` on the ground, ``above`` in the sky: each entry is
    (codes, smallest size, largest size, fewest, most).
    """

    sky: tuple[Colour, Colour]
    ground: tuple[Colour, Colour] | None
    horizon: tuple[float, float] = (66, 80)
    height: float = 3.0
    waves: float = 1.0
    hill: Colour | None = None
    far: tuple[tuple[str, int, int, int, int], ...] = ()
    near: tuple[tuple[str, int, int, int, int], ...] = ()
    above: tuple[tuple[str, int, int, int, int], ...] = ()
    stars: int = 0
    craters: tuple[int, int, int, int] | None = None
    bubbles: bool = False
    flakes: bool = False
    dark: bool = False
    extra: Callable[[Image.Image, random.Random, float], None] | None = field(default=None)


def fence(image: Image.Image, rng: random.Random, horizon: float) -> None:
    """White pickets before a hedge: what tells a garden from a meadow."""
    draw = ImageDraw.Draw(image)
    top, step = round(horizon) - 3, 9
    draw.rectangle((0, top - 9, SIZE, top + 8), fill=(58, 128 + rng.randint(-10, 10), 62))
    draw.rectangle((0, top + 3, SIZE, top + 5), fill=(236, 236, 240))
    for x in range(rng.randint(-8, 0), SIZE, step):
        draw.polygon(
            [(x, top), (x + 2, top - 4), (x + 4, top), (x + 4, top + 11), (x, top + 11)],
            fill=(246, 246, 250),
        )


def sea(image: Image.Image, rng: random.Random, horizon: float) -> None:
    """A band of water between sky and sand."""
    draw = ImageDraw.Draw(image)
    top = round(horizon) - 18
    for row in range(20):
        blue = 215 - row * 2
        draw.line((0, top + row, SIZE, top + row), fill=(30 + row * 4, 140 + row * 3, blue))
    draw.line((0, top + 20, SIZE, top + 20), fill=(240, 250, 255), width=2)
    for _ in range(7):
        x, y = rng.randint(0, SIZE), top + rng.randint(3, 16)
        draw.line((x, y, x + rng.randint(6, 14), y), fill=(170, 222, 240))


def road(image: Image.Image, rng: random.Random, horizon: float) -> None:
    """A grey road with white dashes."""
    draw = ImageDraw.Draw(image)
    y = round(horizon) + 26
    draw.rectangle((0, y - 13, SIZE, y + 16), fill=(92, 94, 104))
    for x in range(rng.randint(-20, 0), SIZE, 26):
        draw.rectangle((x, y, x + 13, y + 2), fill=(240, 240, 235))


def path(image: Image.Image, rng: random.Random, horizon: float) -> None:
    """A path of sand that widens towards us."""
    x, shift, top = rng.randint(40, 88), rng.randint(-30, 30), round(horizon) + 2
    shape = [(x - 4, top), (x + 4, top), (x + shift + 34, SIZE), (x + shift - 34, SIZE)]
    ImageDraw.Draw(image).polygon(shape, fill=(222, 190, 138))


def big_sun(image: Image.Image, rng: random.Random, horizon: float) -> None:
    """The sun, half below the horizon; the ground is painted over it again."""
    size, x = rng.randint(48, 60), rng.randint(20, 60)
    ground = image.crop((0, round(horizon), SIZE, SIZE))
    for grow, alpha in ((26, 50), (12, 80), (0, 255)):
        sun = blob(size + grow, size + grow, (255, 226, 120, alpha))
        image.paste(sun, (x - grow // 2, round(horizon) - (size + grow) // 2), sun)
    image.paste(ground, (0, round(horizon)))


def light_rays(image: Image.Image, rng: random.Random, _horizon: float) -> None:
    """Slanting light through the water."""
    rays = Image.new("L", (SIZE, SIZE), 0)
    draw = ImageDraw.Draw(rays)
    for _ in range(3):
        x, lean = rng.randint(-10, SIZE), rng.randint(-24, 24)
        draw.polygon([(x, 0), (x + 10, 0), (x + lean + 26, SIZE), (x + lean - 4, SIZE)], fill=34)
    image.paste(Image.new("RGB", (SIZE, SIZE), (225, 250, 255)), (0, 0), rays)


def _board(wood: Colour, board: Colour, chalk: Colour, window: Colour) -> Callable[..., None]:
    """A blackboard with a line of chalk, and a window."""

    def paint(image: Image.Image, rng: random.Random, _horizon: float) -> None:
        draw = ImageDraw.Draw(image)
        left, top = rng.randint(4, 14), rng.randint(8, 14)
        if rng.random() < 0.5:
            frame = (left, top, left + 70, top + 44)
            pane = (left + 82, top + 2, left + 106, top + 34)
        else:
            pane = (left, top + 2, left + 24, top + 34)
            frame = (left + 36, top, left + 106, top + 44)
        draw.rectangle(frame, fill=wood)
        inside = (frame[0] + 4, frame[1] + 4, frame[2] - 4, frame[3] - 4)
        draw.rectangle(inside, fill=board)
        for line in range(3):
            x, y = inside[0] + 6, inside[1] + 8 + line * 10
            draw.line((x, y, x + rng.randint(18, 48), y), fill=chalk, width=2)
        draw.rectangle(pane, fill=wood)
        draw.rectangle((pane[0] + 3, pane[1] + 3, pane[2] - 3, pane[3] - 3), fill=window)
        middle = (pane[0] + pane[2]) // 2
        draw.line((middle, pane[1], middle, pane[3]), fill=wood, width=2)

    return paint


SETTINGS: dict[str, Setting] = {
    "in a green meadow": Setting(
        ((105, 185, 245), (205, 235, 255)),
        ((135, 210, 85), (75, 165, 60)),
        height=4,
        hill=(105, 190, 95),
        near=(("1f33c", 9, 14, 3, 6), ("1f33c", 14, 18, 0, 2)),
        above=(("2601", 20, 34, 1, 3),),
    ),
    "in a forest": Setting(
        ((140, 195, 175), (195, 228, 190)),
        ((78, 128, 62), (48, 88, 42)),
        far=(("1f332", 44, 66, 6, 9),),
        near=(("1f33f", 12, 18, 2, 4),),
    ),
    "in a garden": Setting(
        ((150, 210, 250), (225, 242, 255)),
        ((150, 215, 115), (110, 190, 90)),
        horizon=(68, 76),
        height=0,
        near=(
            ("1f337", 16, 22, 2, 4),
            ("1f338", 13, 17, 2, 4),
            ("1f33a", 14, 18, 1, 3),
        ),
        extra=fence,
    ),
    "in the desert": Setting(
        ((100, 180, 235), (252, 236, 200)),
        ((246, 212, 138), (222, 170, 92)),
        height=6,
        waves=0.8,
        hill=(236, 190, 116),
        far=(("1f335", 22, 36, 2, 4),),
        above=(("2600", 22, 28, 1, 1),),
    ),
    "on mars": Setting(
        ((196, 112, 76), (244, 188, 146)),
        ((196, 84, 48), (142, 50, 32)),
        height=4,
        waves=2.0,
        hill=(166, 72, 48),
        above=(("1f311", 10, 16, 1, 2),),
        craters=(128, 44, 30, 120),
    ),
    "on the moon": Setting(
        ((6, 8, 22), (28, 32, 56)),
        ((206, 206, 214), (150, 150, 162)),
        height=3,
        above=(("1f30d", 24, 32, 1, 1),),
        stars=45,
        craters=(118, 118, 130, 150),
        dark=True,
    ),
    "in space": Setting(
        ((14, 8, 44), (58, 24, 96)),
        None,
        above=(("1fa90", 26, 38, 1, 1), ("1f311", 12, 20, 0, 1)),
        stars=90,
        dark=True,
    ),
    "on the beach": Setting(
        ((105, 195, 250), (205, 240, 255)),
        ((250, 228, 172), (236, 204, 140)),
        horizon=(72, 82),
        height=1,
        far=(("1f334", 44, 60, 1, 2),),
        near=(("1f41a", 10, 15, 1, 3),),
        extra=sea,
    ),
    "in the snow": Setting(
        ((165, 200, 235), (225, 238, 250)),
        ((250, 252, 255), (214, 228, 244)),
        height=4,
        hill=(228, 238, 250),
        far=(("1f332", 18, 30, 1, 3),),
        flakes=True,
    ),
    "in the city": Setting(
        ((150, 200, 240), (222, 234, 244)),
        ((172, 174, 182), (140, 142, 152)),
        horizon=(70, 78),
        height=0,
        far=(("1f3e2", 42, 58, 2, 3), ("1f3ec", 40, 54, 2, 3)),
        extra=road,
    ),
    "in a village": Setting(
        ((150, 212, 245), (235, 240, 225)),
        ((166, 196, 104), (128, 164, 80)),
        height=1,
        far=(("1f6d6", 32, 42, 3, 4),),
        extra=path,
    ),
    "at sunset": Setting(
        ((112, 62, 142), (255, 140, 74)),
        ((104, 58, 84), (62, 34, 62)),
        height=3,
        hill=(140, 70, 96),
        extra=big_sun,
    ),
    "at night": Setting(
        ((10, 14, 52), (44, 54, 118)),
        ((34, 66, 62), (18, 38, 42)),
        height=4,
        above=(("1f315", 18, 24, 1, 1),),
        stars=45,
        dark=True,
    ),
    "underwater": Setting(
        ((70, 196, 226), (14, 82, 158)),
        ((186, 190, 140), (120, 150, 140)),
        horizon=(98, 106),
        height=3,
        near=(("1fab8", 20, 30, 2, 3),),
        bubbles=True,
        extra=light_rays,
    ),
    "in a dark classroom": Setting(
        ((34, 34, 56), (48, 46, 70)),
        ((58, 44, 46), (34, 26, 34)),
        horizon=(80, 88),
        height=0,
        dark=True,
        extra=_board((70, 48, 42), (26, 52, 46), (120, 140, 132), (22, 30, 72)),
    ),
    "in a classroom": Setting(
        ((252, 240, 208), (246, 228, 186)),
        ((214, 164, 108), (182, 130, 82)),
        horizon=(80, 88),
        height=0,
        extra=_board((140, 92, 56), (48, 116, 84), (226, 240, 230), (150, 214, 248)),
    ),
}


def scatter(
    image: Image.Image,
    art: Art,
    entries: Sequence[tuple[str, int, int, int, int]],
    rng: random.Random,
    place: Callable[[Image.Image], tuple[int, int]],
    dim: bool = False,
) -> None:
    """Set a few sprites of each entry where ``place`` says."""
    for code, smallest, largest, fewest, most in entries:
        for _ in range(rng.randint(fewest, most)):
            sprite = art.fitted(
                code, rng.randrange(smallest, largest + 1, 2), rng.random() < 0.5, dim
            )
            image.paste(sprite, place(sprite), sprite)


def paint_setting(name: str | None, art: Art, rng: random.Random) -> Image.Image:
    """A 128x128 backdrop; without a name, a plain wall of a soft colour."""
    if name is None:
        light = np.array([rng.uniform(205, 250) for _ in range(3)], np.float32)
        plain = np.broadcast_to(light * (1.03 - 0.12 * _Y), (SIZE, SIZE, 3))
        return Image.fromarray(plain.clip(0, 255).astype(np.uint8))
    setting = SETTINGS[name]
    horizon = rng.uniform(*setting.horizon)
    pixels = np.broadcast_to(shade(*setting.sky, rng), (SIZE, SIZE, 3))
    if setting.stars:
        pixels = pixels.copy()
        for _ in range(setting.stars):
            bright = rng.uniform(0.4, 1.0)
            x, y = rng.randrange(SIZE), rng.randrange(SIZE)
            pixels[y, x] += (255 - pixels[y, x]) * bright
            if bright > 0.8:
                pixels[y, min(x + 1, SIZE - 1)] += 90
                pixels[min(y + 1, SIZE - 1), x] += 90
    if setting.hill:
        behind = below(hills(rng, horizon - 8, setting.height * 1.6, 0.9))
        pixels = pixels * (1 - behind) + np.array(setting.hill, np.float32) * behind
    line = hills(rng, horizon, setting.height, setting.waves)
    if setting.ground:
        ground = below(line)
        pixels = pixels * (1 - ground) + shade(*setting.ground, rng) * ground
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    if setting.ground is None:
        horizon = 90

    def in_sky(sprite: Image.Image) -> tuple[int, int]:
        return rng.randint(-4, SIZE - sprite.width + 4), rng.randint(2, 24)

    def on_horizon(sprite: Image.Image) -> tuple[int, int]:
        x = rng.randint(-sprite.width // 3, SIZE - 2 * sprite.width // 3)
        return x, round(float(line[min(max(x, 0), SIZE - 1)])) - sprite.height + rng.randint(2, 5)

    def on_ground(sprite: Image.Image) -> tuple[int, int]:
        x = rng.randint(-4, SIZE - sprite.width + 4)
        return x, rng.randint(round(horizon) + 6, SIZE - 4) - sprite.height // 2

    if setting.extra is not None and setting.extra is not fence:
        setting.extra(image, rng, horizon)
    scatter(image, art, setting.above, rng, in_sky)
    scatter(image, art, setting.far, rng, on_horizon)
    if setting.extra is fence:
        fence(image, rng, horizon)
    if setting.craters:
        for _ in range(rng.randint(4, 6)):
            width = rng.randrange(12, 29, 4)
            crater = blob(width, width // 3, setting.craters)
            x, y = rng.randint(-6, SIZE - 10), rng.randint(round(horizon) + 8, SIZE - 6)
            image.paste(crater, (x, y), crater)
    scatter(image, art, setting.near, rng, on_ground)
    if setting.bubbles:
        for _ in range(rng.randint(7, 12)):
            width = rng.randrange(4, 11, 2)
            bubble = blob(width, width, (225, 248, 255, 120))
            image.paste(bubble, (rng.randrange(SIZE), rng.randrange(SIZE - 30)), bubble)
    if setting.flakes:
        for _ in range(rng.randint(18, 28)):
            width = rng.choice((2, 3, 3, 4))
            flake = blob(width, width, (255, 255, 255, 235))
            image.paste(flake, (rng.randrange(SIZE), rng.randrange(SIZE - 30)), flake)
    return image


# --- scenes ---------------------------------------------------------------------------------------


def put(image: Image.Image, sprite: Image.Image, x: float, bottom: float) -> None:
    """Set a sprite with the middle of its lower edge at (x, bottom)."""
    image.paste(sprite, (round(x - sprite.width / 2), round(bottom - sprite.height)), sprite)


def put_shadow(image: Image.Image, x: float, y: float, width: float) -> None:
    """A soft shadow on the ground."""
    shadow = blob(max(6, round(width / 4) * 4), max(3, round(width / 16) * 2), (20, 20, 40, 80))
    put(image, shadow, x, y + shadow.height / 2)


def put_glow(image: Image.Image, x: float, y: float, radius: float, strength: float) -> None:
    """Warm light about (x, y): what it falls on moves towards yellow-white."""
    distance = np.hypot(_COLUMNS[None, :] - x, _ROWS - y) / radius
    amount = (strength * np.exp(-(distance**2) * 1.5))[:, :, None].astype(np.float32)
    pixels = np.asarray(image, np.float32)
    pixels = pixels + (np.array((255, 232, 150), np.float32) - pixels) * amount
    image.paste(Image.fromarray(pixels.clip(0, 255).astype(np.uint8)))


# of a crowd, by the largest that the looks know: most are as large as in a scene of two
ACTOR_SIZES = ((36.0, 44.0), (48.0, 64.0), (48.0, 64.0), (68.0, 76.0))
THING_SIZES = ((36.0, 46.0), (36.0, 46.0), (54.0, 68.0))
ACTOR_MARK, THING_MARK = 96, 255  # how much a place in the picture tells, of 255


@dataclass(frozen=True)
class Figure:
    """A sprite that was set down: its code, its picture, and where its left upper corner is."""

    code: str
    sprite: Image.Image
    place: tuple[int, int]

    def solid(self) -> NDArray[np.bool_]:
        """(h, w): where the sprite can be seen."""
        return np.asarray(self.sprite.getchannel("A")) > 127


class Stage:
    """A backdrop on which actors and things are set.

    ``marks`` (mode L) keeps where they stand, ``figures`` what they are, the hindmost first.  With
    ``glow`` false lamps and fires shed no light.
    """

    def __init__(
        self,
        image: Image.Image,
        art: Art,
        rng: random.Random,
        setting: str | None,
        glow: bool = True,
        look: Look = LOOSE,
    ) -> None:
        self.image, self.art, self.rng, self.glow, self.look = image, art, rng, glow, look
        self.marks = Image.new("L", image.size)
        self.figures: list[Figure] = []
        self.dark = setting is not None and SETTINGS[setting].dark
        self.floats = setting == "in space"

    def put(self, code: str, sprite: Image.Image, x: float, bottom: float, mark: int) -> None:
        """Set a sprite and mark its place."""
        put(self.image, sprite, x, bottom)
        here = (round(x - sprite.width / 2), round(bottom - sprite.height))
        self.marks.paste(mark, here, sprite.getchannel("A"))
        self.figures.append(Figure(code, sprite, here))

    def owners(self) -> NDArray[np.int64]:
        """(128, 128): the number of the foremost figure at each pixel, -1 where there is none."""
        owner = np.full((SIZE, SIZE), -1)
        for number, figure in enumerate(self.figures):
            left, top = figure.place
            solid = figure.solid()
            x, y = max(left, 0), max(top, 0)  # sprites may hang over the picture's edges
            inside = solid[y - top : SIZE - top, x - left : SIZE - left]
            owner[y : y + inside.shape[0], x : x + inside.shape[1]][inside] = number
        return owner

    def shadow(self, x: float, bottom: float, width: float) -> None:
        """A shadow where things stand on something, in looks that have them."""
        if self.look.shadows and not self.floats:
            put_shadow(self.image, x, bottom, width)

    def prop_sprite(self, code: str, size: float) -> Image.Image:
        """A thing as it is drawn when its longer side is to be ``size``."""
        width = self.art.width_of(code, self.look.size(size, self.look.things))
        return self.art.figure(code, width, self.look)

    def prop(self, code: str, x: float, bottom: float, size: float, shadow: bool = True) -> None:
        """Set a thing whose longer side is ``size``; lamps and fires glow."""
        sprite = self.prop_sprite(code, size)
        x, bottom = self.look.place(x), self.look.place(bottom)
        if self.glow and code in GLOWING:
            strength = 0.85 if self.dark else 0.4
            put_glow(self.image, x, bottom - sprite.height * 0.6, size * 0.95, strength)
        if shadow:
            self.shadow(x, bottom, sprite.width * 0.8)
        self.put(code, sprite, x, bottom, THING_MARK)

    def actor(
        self,
        actor: Actor,
        x: float,
        bottom: float,
        size: float,
        towards: float,
        shadow: bool = True,
    ) -> Image.Image:
        """Set an actor whose body is ``size`` long, looking in the direction of x = ``towards``."""
        right = towards > x
        flip = (right and actor.code in LEFT_FACING) or (not right and actor.code in RIGHT_FACING)
        size = self.look.size(size, self.look.actors)
        sprite = self.art.figure(actor.code, self.art.width_of(actor.code, size), self.look, flip)
        head_x, brim, part = HEADS[actor.code]
        if flip:
            head_x = 1 - head_x
        # The head is what stands on the grid: a hat then sits on it the same way everywhere.
        to_head, to_brim = (head_x - 0.5) * sprite.width, (brim - 1) * sprite.height
        x, bottom = (
            self.look.place(x + to_head) - to_head,
            self.look.place(bottom + to_brim) - to_brim,
        )
        if shadow:
            self.shadow(x, bottom, sprite.width * 0.8)
        self.put(actor.code, sprite, x, bottom, ACTOR_MARK)
        if actor.hat:
            width = max(round(sprite.width * part), round(size * 0.42))
            width = max(1, round(width / self.look.hats)) * self.look.hats
            hat = self.art.figure(actor.hat, width, self.look)
            self.put(actor.hat, hat, x + to_head, bottom + to_brim, THING_MARK)
        return sprite


@dataclass(frozen=True)
class Placing:
    """What the layouts below share: the scene, its stage, and where the main actor stands."""

    scene: Scene
    stage: Stage
    side: int  # -1 left, 1 right of the middle
    bottom: float  # where feet stand

    def near(self, smallest: float, largest: float) -> float:
        """Draw a number in between."""
        return self.stage.rng.uniform(smallest, largest)

    @property
    def first(self) -> Actor:
        """The main actor."""
        return self.scene.actors[0]

    @property
    def thing(self) -> str:
        """The prop, where the relation has one."""
        if self.scene.prop is None:
            raise ValueError(f"{self.scene.relation} needs a prop")
        return self.scene.prop


def lay_out_prop(place: Placing) -> None:
    """A thing by itself, large."""
    near = place.near
    place.stage.prop(place.thing, 64 + near(-12, 12), near(100, 112), near(54, 66))


def lay_out_alone(place: Placing) -> None:
    """One character in the middle, large."""
    x = 64 + place.near(-14, 14)
    size = place.near(58, 68) if place.first.hat else place.near(62, 76)
    place.stage.actor(place.first, x, place.bottom, size, 64 + place.side * 99)


def lay_out_finds(place: Placing) -> None:
    """The thing on the ground beside the character."""
    near, side = place.near, place.side
    x = 64 + side * near(20, 26)
    place.stage.actor(place.first, x, place.bottom - 4, near(56, 64), 64)
    place.stage.prop(place.thing, 64 - side * near(34, 38), near(114, 120), near(38, 44))


def lay_out_holds(place: Placing) -> None:
    """The thing before the character's lower side."""
    near, side, bottom = place.near, place.side, place.bottom
    x = 64 + near(-10, 10)
    place.stage.actor(place.first, x, bottom - 4, near(60, 68), x - side)
    thing_x = x - side * near(12, 18)
    place.stage.prop(place.thing, thing_x, bottom + near(2, 7), near(36, 42), shadow=False)


def lay_out_looks_at(place: Placing) -> None:
    """The thing apart, at the height of the eyes."""
    near, side, bottom = place.near, place.side, place.bottom
    size = near(56, 64)
    place.stage.actor(place.first, 64 + side * near(22, 28), bottom, size, 64)
    x = 64 - side * near(33, 38)
    place.stage.prop(place.thing, x, bottom - size * 0.55 + 12, near(36, 42), shadow=False)


def lay_out_rides(place: Placing) -> None:
    """The character on top of the thing, or behind its rim."""
    near, thing, stage = place.near, place.thing, place.stage
    seat_size = near(60, 68)
    seat = stage.prop_sprite(thing, seat_size)
    low = near(116, 122)
    x = 64 + near(-8, 8)
    lean = {"1f680": 0.34, "1f6f8": 0.30, "26f5": 0.55, "1f6b2": 0.30}.get(thing, 0.16)
    saddle = low - seat.height * (1 - lean)
    size = near(46, 52)
    behind_rim = thing in ("26f5", "1f6f8")
    if behind_rim:
        stage.actor(place.first, x, saddle, size, 0.0, shadow=False)
    stage.prop(thing, x, low, seat_size)
    if not behind_rim:
        stage.actor(place.first, x, saddle, size, 0.0, shadow=False)


def lay_out_flies_over(place: Placing) -> None:
    """The character high up; the thing, or only its shadow, below."""
    near, side, stage = place.near, place.side, place.stage
    if place.scene.prop:
        x = 64 - side * near(0, 26)
        stage.prop(place.scene.prop, x, near(116, 121), near(40, 46))
    x = 64 + side * near(0, 18)
    towards = 64 - side * 99
    stage.actor(place.first, x, near(64, 70), near(46, 52), towards, shadow=False)
    if not place.scene.prop:
        put_shadow(stage.image, stage.look.place(x), stage.look.place(near(114, 120)), 30)


def lay_out_meets(place: Placing) -> None:
    """Two characters side by side."""
    near, bottom, other = place.near, place.bottom, place.scene.actors[1]
    place.stage.actor(place.first, 34 + near(-3, 3), bottom, near(50, 57), 64)
    place.stage.actor(other, 94 + near(-3, 3), bottom + near(-3, 3), near(50, 57), 64)


def lay_out_shows(place: Placing) -> None:
    """Two characters, and the thing between and before them."""
    near, bottom, other = place.near, place.bottom, place.scene.actors[1]
    place.stage.actor(place.first, 31 + near(-3, 3), bottom - 8, near(48, 54), 64)
    place.stage.actor(other, 97 + near(-3, 3), bottom - 8, near(48, 54), 64)
    place.stage.prop(place.thing, 64 + near(-3, 3), near(118, 123), near(34, 38))


def lay_out_students(place: Placing, xs: Sequence[float], low: float) -> None:
    """Small boys and girls in a row."""
    for number, x in enumerate(xs):
        student = Actor(BOY if (number + (place.side > 0)) % 2 else GIRL)
        left, foot = x + place.near(-3, 3), low + place.near(0, 6)
        place.stage.actor(student, left, foot, place.near(35, 40), 64)


def lay_out_teaches(place: Placing) -> None:
    """A teacher, two students at the other side, and perhaps a thing on the wall or behind."""
    near, side, prop = place.near, place.side, place.scene.prop
    if prop in (TREE, SCHOOL):
        size = near(78, 88)
        place.stage.prop(prop, 64 - side * near(16, 22), near(86, 92), size)
    elif prop:
        size = near(32, 36)
        place.stage.prop(prop, 64 - side * near(16, 26), near(62, 66), size, shadow=False)
    size = near(54, 60)
    place.stage.actor(place.first, 64 + side * near(30, 34), place.bottom, size, 64 - side)
    lay_out_students(place, (64 - side * 10.0, 64 - side * 42.0), place.bottom)


def lay_out_three_students(place: Placing) -> None:
    """Three students in a row."""
    lay_out_students(place, (22.0, 64.0, 106.0), place.bottom)


def lay_out_under(place: Placing) -> None:
    """A tree behind, or another thing above: below it a character or students."""
    near = place.near
    if place.thing == TREE:
        x, low, size = 64 + near(-6, 6), near(104, 110), near(94, 104)
        place.stage.prop(TREE, x, low, size)
        ground = near(117, 122)
    else:
        x, low, size = 64 + near(-10, 10), near(48, 54), near(42, 48)
        place.stage.prop(place.thing, x, low, size, shadow=False)
        ground = near(116, 121)
    if place.scene.students:
        lay_out_students(place, (22.0, 64.0, 106.0), ground)
    else:
        size = near(46, 54)
        place.stage.actor(place.first, 64 + near(-6, 6), ground, size, 64 - place.side)


def lay_out_many(place: Placing) -> None:
    """Each where it is farthest from the others, of some places; the lowest stand before the rest."""
    rng, scene = place.stage.rng, place.scene
    shown: list[tuple[Actor | str, float]] = [
        *((actor, rng.uniform(*rng.choice(ACTOR_SIZES))) for actor in scene.actors),
        *((thing, rng.uniform(*rng.choice(THING_SIZES))) for thing in scene.things),
    ]
    rng.shuffle(shown)
    middles: list[tuple[float, float]] = []
    for _, size in shown:
        some = [(rng.uniform(16, 112), rng.uniform(size / 2 + 2, 118 - size / 2)) for _ in range(9)]
        middles.append(
            max(some, key=lambda one: min((math.dist(one, m) for m in middles), default=0))
        )
    placed = [
        (y + size / 2, x, who, size) for (who, size), (x, y) in zip(shown, middles, strict=True)
    ]
    for bottom, x, who, size in sorted(placed, key=lambda one: one[0]):
        if isinstance(who, Actor):
            place.stage.actor(who, x, bottom, size, x + rng.choice((-1, 1)))
        else:
            place.stage.prop(who, x, bottom, size)


LAYOUTS: dict[str, Callable[[Placing], None]] = {
    "prop": lay_out_prop,
    "alone": lay_out_alone,
    "finds": lay_out_finds,
    "holds": lay_out_holds,
    "looks at": lay_out_looks_at,
    "rides": lay_out_rides,
    "flies over": lay_out_flies_over,
    "meets": lay_out_meets,
    "shows": lay_out_shows,
    "teaches": lay_out_teaches,
    "students": lay_out_three_students,
    "under": lay_out_under,
    CROWD: lay_out_many,
}


@lru_cache(maxsize=200)
def kept_backdrop(setting: str | None, art: Art, number: int) -> Image.Image:
    """One of a setting's few backdrops; copy it before you draw on it."""
    return paint_setting(setting, art, random.Random(f"{setting}/{number}"))


def set_stage(scene: Scene, art: Art, glow: bool = True, look: Look = LOOSE) -> Stage:
    """Paint a scene; its picture and the marks of what stands where."""
    rng = random.Random(scene.layout)
    if look.backdrops is None:
        backdrop = paint_setting(scene.setting, art, rng)
    else:
        backdrop = kept_backdrop(scene.setting, art, scene.layout % look.backdrops).copy()
    stage = Stage(backdrop, art, rng, scene.setting, glow, look)
    side = rng.choice((-1, 1))
    LAYOUTS[scene.relation](Placing(scene, stage, side, rng.uniform(108, 116)))
    return stage


def paint(scene: Scene, art: Art, glow: bool = True, look: Look = LOOSE) -> Image.Image:
    """Paint a scene: RGB, 128x128."""
    return set_stage(scene, art, glow, look).image
