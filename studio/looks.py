"""How freely a scene is drawn: any sprite anywhere, or few sprites on the autoencoder's grid.

A model learns what is the same each time.  Set down at any pixel in any size, one key has thousands
of latents; in one of three sizes, at steps of the autoencoder's 8 pixels, it has a few.  What
differs from seed to seed is then what stands where, not how each thing is cut by the grid.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageFilter

LINE = (40, 28, 46)  # the colour of outlines: dark, a little warm
SCALE = 4  # outlines are drawn so many times larger, then made smaller


@dataclass(frozen=True)
class Look:
    """How sprites and backdrops may differ.

    ``grid`` is the step of places in pixels.  ``actors`` and ``things`` are the sizes they come in,
    each with what it stands for: (largest size asked for, size drawn), the last for all above; empty
    keeps any size.  ``hats`` is the step of a hat's width.  ``outline`` is the width of the line
    around figures in pixels.  ``backdrops`` is how many there are of each setting; None draws each
    anew.
    """

    name: str
    grid: int = 1
    actors: tuple[tuple[float, int], ...] = ()
    things: tuple[tuple[float, int], ...] = ()
    hats: int = 1
    outline: float = 0.0
    shadows: bool = True
    backdrops: int | None = None

    @staticmethod
    def size(asked: float, sizes: Sequence[tuple[float, int]]) -> float:
        """The size that is drawn where ``asked`` is wanted."""
        for largest, size in sizes:
            if asked <= largest:
                return size
        return sizes[-1][1] if sizes else asked

    def place(self, value: float) -> float:
        """The nearest place, in pixels, at which something may stand."""
        return round(value / self.grid) * self.grid if self.grid > 1 else value


LOOSE = Look("loose")
GRID = Look(
    "grid",
    grid=8,
    actors=((44, 40), (66, 52), (999, 72)),
    things=((50, 42), (72, 64), (999, 90)),
    hats=8,
    shadows=False,
    backdrops=4,
)
LINED = dataclasses.replace(GRID, name="lined", outline=1.5)
# Places in steps of 16 pixels: two of the latents' cells, one of the 8x8 places on which the UNet reads
# sentences.  On the finer grid it has to learn each sprite four times, once for each way that its first
# downsampling may cut it.
TILES = dataclasses.replace(GRID, name="tiles", grid=16)
LOOKS = {look.name: look for look in (LOOSE, GRID, LINED, TILES)}


def outlined(sprite: Image.Image, width: float) -> Image.Image:
    """The sprite with its features sharpened, within a dark line; 2 pixels wider on each side."""
    margin = 2
    size = (sprite.width + 2 * margin, sprite.height + 2 * margin)
    sharp = sprite.filter(ImageFilter.UnsharpMask(1.0, 70, 0))
    sharp.putalpha(sprite.getchannel("A"))
    shape = Image.new("L", size)
    shape.paste(sprite.getchannel("A"), (margin, margin))
    large = shape.resize((size[0] * SCALE, size[1] * SCALE), Image.Resampling.BICUBIC)
    large = large.point(lambda v: 255 if v > 110 else 0)
    reach = 2 * round(width * SCALE) + 1
    large = large.filter(ImageFilter.MaxFilter(reach)).filter(ImageFilter.GaussianBlur(SCALE / 2))
    made = Image.new("RGBA", size, (*LINE, 0))
    made.putalpha(large.resize(size, Image.Resampling.BOX))
    made.alpha_composite(sharp, (margin, margin))
    return made
