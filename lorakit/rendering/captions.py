"""Sentences drawn into a film: in lines of like length, white with a dark rim, in safe margins."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

from lorakit.facts.fonts.fallbacks import JOINER, JOINERS, drawable
from lorakit.records import record
from lorakit.rendering.lettering import Lettering, load_font
from lorakit.rendering.yuv import BLACK, GREY, WHITE, split

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    Bytes = NDArray[np.uint8]
    Parts = NDArray[np.uint32]  # 256ths of 256ths need more than 16 bits

_SMALLEST = 9  # px: smaller letters cannot be read, so small films get larger ones than asked for
_SIDE, _EDGE = 0.06, 0.05  # margins as shares of the width and the height: no screen cuts these off
_MOST = 0.45  # of the height that a caption may cover before its letters shrink
_LEADING = 1.22
# East Asian stops and closing marks, before which no line is broken, and what joins two letters
_NOT_FIRST = frozenset(
    JOINERS
    + "\u3001\u3002\uff0c\uff0e\uff01\uff1f\uff1a\uff1b\u300d\u300f\u300b\uff09\u201d\u30fc.,!?;:)"
)
_SHADE = 0.55  # how dark the soft shadow is behind the letters


@record
class CaptionStyle:
    """Where captions stand, and their letters' height as a share of the film's height."""

    position: Literal["bottom", "top"] = "bottom"
    size: float = 0.055


@record
class CaptionLayer:
    """A drawn caption: the box it covers (px, even); in 256ths its cover, and light times cover."""

    left: int
    top: int
    right: int
    bottom: int
    cover: Parts
    light: Parts
    small_cover: Parts

    def draw(self, frame: Bytes, width: int, height: int, strength: float = 1.0) -> None:
        """Lay the caption over a flat yuv420p frame, in place; `strength` from 0 (unseen) to 1."""
        if strength <= 0:
            return
        weight = round(strength * 256)
        y, u, v = split(frame, width, height)
        _over(
            y[self.top : self.bottom, self.left : self.right],
            (self.cover * weight) >> 8,
            (self.light * weight) >> 8,
        )
        cover = (self.small_cover * weight) >> 8
        rows = slice(self.top // 2, self.bottom // 2)
        columns = slice(self.left // 2, self.right // 2)
        for plane in (u, v):  # letters and rim have no colour: they pull it towards grey
            _over(plane[rows, columns], cover, cover * GREY)

    def draw_rgb(self, frame: Bytes, strength: float = 1.0) -> None:
        """Lay the caption over a frame of rows, columns and RGB, in place."""
        if strength <= 0:
            return
        import numpy as np

        weight = round(strength * 256)
        # luma of the letters, in limited range, as light in full range
        light = (self.light.astype(np.int64) - self.cover * BLACK) * 255 // (WHITE - BLACK)
        cover = (self.cover * weight >> 8)[..., None]
        _over(
            frame[self.top : self.bottom, self.left : self.right],
            cover.astype(np.int64),
            (np.maximum(light, 0) * weight >> 8)[..., None],
        )


def _over(region: Bytes, cover: NDArray[np.integer], light: NDArray[np.integer]) -> None:
    region[:] = (region * (256 - cover) + light + 128) >> 8


def wrap(
    text: str, measure: Callable[[str], float], width: float, *, balanced: bool = True
) -> list[str]:
    """Break a text into as few lines as fit into `width`; if balanced, into lines of like length.

    A word wider than a line is broken where it must.
    """
    words = [piece for word in text.split() for piece in _pieces(word, measure, width)]
    lines = _greedy(words, measure, width)
    if len(lines) < 2 or not balanced:
        return lines
    low, high = max(measure(word) for word in words), width
    while high - low > max(1.0, width / 200):
        middle = (low + high) / 2
        narrower = _greedy(words, measure, middle)
        if len(narrower) == len(lines):
            high = middle
        else:
            low = middle
    return _greedy(words, measure, high)


def _greedy(words: list[str], measure: Callable[[str], float], width: float) -> list[str]:
    lines: list[str] = []
    for word in words:
        if lines and measure(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _pieces(word: str, measure: Callable[[str], float], width: float) -> list[str]:
    pieces = [word]
    while len(pieces[-1]) > 1 and measure(pieces[-1]) > width:
        rest = pieces.pop()
        fit = max((n for n in range(1, len(rest)) if measure(rest[:n]) <= width), default=1)
        while fit > 1 and (rest[fit] in _NOT_FIRST or rest[fit - 1] == JOINER):
            fit -= 1
        pieces += [rest[:fit], rest[fit:]]
    return pieces


def caption_layer(
    text: str, style: CaptionStyle, width: int, height: int, letters: Lettering | None = None
) -> CaptionLayer | None:
    """Draw a caption for a film of this size (px, even); None where there is nothing to draw."""
    letters = letters or Lettering()
    text = drawable(text)
    if not text:
        return None
    size = max(_SMALLEST, round(style.size * height))
    room = width * (1 - 2 * _SIDE)
    while True:
        lines = wrap(text, partial(letters.length, size=size, bold=True), room)
        step = round(size * _LEADING)
        if len(lines) * step <= height * _MOST or size <= _SMALLEST:
            break
        size = max(_SMALLEST, round(size * 0.9))
    block = len(lines) * step
    margin = round(height * _EDGE)
    top = margin if style.position == "top" else height - margin - block
    return _drawn(lines, size, (width, height), (max(0, top), step), letters)


def _drawn(
    lines: list[str], size: int, film: tuple[int, int], rows: tuple[int, int], letters: Lettering
) -> CaptionLayer:
    """Draw lines from `rows[0]` on, `rows[1]` px apart."""
    from PIL import Image, ImageFilter

    width, height = film
    rim = max(1, round(size / 16))
    blur = max(1.0, size / 5)
    inks, rims = Image.new("L", film), Image.new("L", film)
    ascent, descent = load_font(size).getmetrics()
    for number, line in enumerate(lines):
        left = (width - letters.length(line, size, bold=True)) / 2
        at = (left, rows[0] + number * rows[1] + (rows[1] - ascent - descent) / 2)
        letters.draw(inks, at, line, size, fill=255, bold=True)
        letters.draw(rims, at, line, size, fill=255, bold=True, rim=rim)
    inked = rims.getbbox() or (0, 0, 2, 2)
    reach = rim + round(2 * blur)
    box = (
        max(0, inked[0] - reach) // 2 * 2,
        max(0, inked[1] - reach) // 2 * 2,
        min(width, inked[2] + reach + 1) // 2 * 2,
        min(height, inked[3] + reach + 1) // 2 * 2,
    )
    shadow = rims.crop(box).filter(ImageFilter.GaussianBlur(blur))
    return _layer(box, inks.crop(box), rims.crop(box), shadow)


def _layer(box: tuple[int, int, int, int], inks: Image, rims: Image, shadow: Image) -> CaptionLayer:
    import numpy as np
    from PIL import Image

    ink = np.asarray(inks, dtype=np.float32) / 255
    rim = np.asarray(rims, dtype=np.float32) / 255
    shade = np.minimum(np.asarray(shadow, dtype=np.float32) / 255 * 1.6, 1) * _SHADE
    dark = np.maximum(rim * 0.9, shade)
    cover = np.maximum(dark, ink)
    light = ink * WHITE + (cover - ink) * BLACK
    small = np.asarray(Image.fromarray(np.asarray(np.rint(cover * 255), dtype=np.uint8)).reduce(2))
    return CaptionLayer(
        *box,
        cover=np.asarray(np.rint(cover * 256), dtype=np.uint32),
        light=np.asarray(np.rint(light * 256), dtype=np.uint32),
        small_cover=np.asarray(np.rint(small / np.float32(255) * 256), dtype=np.uint32),
    )
