"""Sizes for an aspect such as 16:9: the nearest that a model draws well, and a film's, which is exact."""

from __future__ import annotations

import math

# what a change of the number of pixels counts against one of the shape
_AREA = 0.35


def nearest_size(native: tuple[int, int], unit: int, aspect: tuple[int, int]) -> tuple[int, int]:
    """The width and height in px, multiples of `unit`, nearest to an aspect at about `native`'s pixels.

    Of the two, the film crops what the aspect has not, and a size far from the native one draws badly.
    """
    pixels, wanted = native[0] * native[1], aspect[0] / aspect[1]
    tallest = max(1, math.ceil(2 * math.sqrt(pixels / wanted) / unit))

    def worth(size: tuple[int, int]) -> tuple[float, int]:
        width, height = size
        shape = abs(math.log(width / height / wanted))
        return shape + _AREA * abs(math.log(width * height / pixels)), width

    heights = [unit * n for n in range(1, tallest + 1)]
    widths = [(max(1, int(height * wanted / unit)), height) for height in heights]
    pairs = [(unit * (w + more), height) for w, height in widths for more in (0, 1)]
    return min(pairs, key=worth)


def film_size(
    aspect: tuple[int, int], drawn: tuple[int, int], height: int | None
) -> tuple[int, int]:
    """The size in px, both sides even, of a film of an aspect, whose pictures are `drawn` so large.

    Exactly of that aspect where even sides can be: without a `height` always, but for aspects such as
    997:991, for which pictures are too small.
    """
    across, down = (side // math.gcd(*aspect) for side in aspect)
    if height is None:
        times = max(1, min(drawn[0] // (2 * across), drawn[1] // (2 * down)))
        if 2 * across * times <= 4 * drawn[0]:
            return 2 * across * times, 2 * down * times
        height = drawn[1]
    even = max(2, 2 * round(height / 2))
    return max(2, 2 * round(even * across / down / 2)), even
