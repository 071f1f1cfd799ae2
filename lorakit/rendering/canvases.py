"""Film frames as flat arrays of bytes: in the planes that most encoders take, or in RGB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lorakit.rendering.yuv import BLACK, GREY, WHITE, split, to_yuv

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from lorakit.rendering.captions import CaptionLayer

    Bytes = NDArray[np.uint8]


class Canvas(Protocol):
    """A film's frames, all of one size in px; `pixels` is what ffmpeg calls their form."""

    pixels: str

    def blank(self) -> Bytes:
        """A frame with nothing in it yet."""

    def of(self, picture: Image) -> Bytes:
        """A picture of the film's size, as a frame."""

    def plain(self, *, white: bool) -> Bytes:
        """A frame all white, or all black."""

    def planes(self, frame: Bytes) -> list[tuple[Bytes, int]]:
        """Views of a frame by rows and columns, each with how many px of the film its own px are wide."""

    def draw(self, caption: CaptionLayer, frame: Bytes, strength: float) -> None:
        """Lay a caption over a frame, in place; `strength` from 0 (unseen) to 1."""


class YuvCanvas:
    """Y, U and V planes in BT.709 (yuv420p): half the bytes of RGB, and mixes of colours are the same."""

    pixels = "yuv420p"

    def __init__(self, width: int, height: int) -> None:
        self._size = (width, height)

    def blank(self) -> Bytes:
        """A frame with nothing in it yet."""
        import numpy as np

        return np.empty(self._size[0] * self._size[1] * 3 // 2, dtype=np.uint8)

    def of(self, picture: Image) -> Bytes:
        """A picture of the film's size, as a frame."""
        return to_yuv(picture)

    def plain(self, *, white: bool) -> Bytes:
        """A frame all white, or all black."""
        frame = self.blank()
        frame[:] = GREY
        split(frame, *self._size)[0][:] = WHITE if white else BLACK
        return frame

    def planes(self, frame: Bytes) -> list[tuple[Bytes, int]]:
        """Views of its three planes."""
        y, u, v = split(frame, *self._size)
        return [(y, 1), (u, 2), (v, 2)]

    def draw(self, caption: CaptionLayer, frame: Bytes, strength: float) -> None:
        """Lay a caption over a frame, in place; `strength` from 0 (unseen) to 1."""
        caption.draw(frame, *self._size, strength)


class RgbCanvas:
    """Packed RGB (rgb24), for what keeps every colour."""

    pixels = "rgb24"

    def __init__(self, width: int, height: int) -> None:
        self._size = (width, height)

    def blank(self) -> Bytes:
        """A frame with nothing in it yet."""
        import numpy as np

        return np.empty(self._size[0] * self._size[1] * 3, dtype=np.uint8)

    def of(self, picture: Image) -> Bytes:
        """A picture of the film's size, as a frame."""
        import numpy as np

        return np.asarray(picture, dtype=np.uint8).reshape(-1)

    def plain(self, *, white: bool) -> Bytes:
        """A frame all white, or all black."""
        frame = self.blank()
        frame[:] = 255 if white else 0
        return frame

    def planes(self, frame: Bytes) -> list[tuple[Bytes, int]]:
        """The frame by rows, columns and colours."""
        return [(frame.reshape(self._size[1], self._size[0], 3), 1)]

    def draw(self, caption: CaptionLayer, frame: Bytes, strength: float) -> None:
        """Lay a caption over a frame, in place; `strength` from 0 (unseen) to 1."""
        caption.draw_rgb(frame.reshape(self._size[1], self._size[0], 3), strength)


def canvas(width: int, height: int, *, in_rgb: bool) -> Canvas:
    """The canvas of a film."""
    return RgbCanvas(width, height) if in_rgb else YuvCanvas(width, height)
