"""Pictures as the encoder wants them: Y, U and V planes (yuv420p) in one flat array.

Blending happens in these planes: half the bytes of RGB, and a mix of colours is the same in both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    Bytes = NDArray[np.uint8]

BLACK, WHITE, GREY = 16, 235, 128  # limited range: luma of black and white, chroma of no colour

_LUMA = (0.2126, 0.7152, 0.0722)
_BLUE = (-0.114572, -0.385428, 0.5)
_RED = (0.5, -0.454153, -0.045847)


def to_yuv(picture: Image) -> Bytes:
    """Y, U and V (BT.709, limited range, 4:2:0) of a picture with even sides, in one flat array."""
    import numpy as np

    luma, blue, red = (np.array(weights, dtype=np.float32) for weights in (_LUMA, _BLUE, _RED))
    pixels = picture.width * picture.height
    rgb = np.asarray(picture).reshape(pixels, 3).astype(np.float32)
    quarter = np.asarray(picture.reduce(2)).reshape(pixels // 4, 3).astype(np.float32)
    flat = np.empty(
        pixels * 3 // 2, dtype=np.float32
    )  # all in one place: large frames are few copies
    y, u, v = flat[:pixels], flat[pixels : pixels * 5 // 4], flat[pixels * 5 // 4 :]
    np.matmul(rgb, luma, out=y)
    np.matmul(quarter, blue, out=u)
    np.matmul(quarter, red, out=v)
    y *= np.float32(219 / 255)
    flat[pixels:] *= np.float32(224 / 255)
    y += BLACK
    flat[pixels:] += GREY
    return np.rint(flat, out=flat).astype(np.uint8)


def blend(first: Bytes, second: Bytes, share: float, out: Bytes) -> None:
    """Mix two frames into `out`: `share` of the second, from 0 to 1, in steps of 1/256."""
    import numpy as np

    weight = round(share * 256)
    mixed = np.multiply(first, 256 - weight, dtype=np.uint16)
    mixed += np.multiply(second, weight, dtype=np.uint16)
    mixed += 128
    mixed >>= 8
    np.copyto(out, mixed, casting="unsafe")


def split(frame: Bytes, width: int, height: int) -> tuple[Bytes, Bytes, Bytes]:
    """View a flat frame as its Y, U and V planes."""
    pixels = width * height
    quarter = pixels // 4
    small = (height // 2, width // 2)
    return (
        frame[:pixels].reshape(height, width),
        frame[pixels : pixels + quarter].reshape(small),
        frame[pixels + quarter :].reshape(small),
    )
