"""Pictures read, and scaled into a frame: with bars where their shape is another, or cropped to fill it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.facts.pictures.open_picture import header, quietly, rgb

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image

_ENLARGED = 2  # times
_LOST = 1 / 7  # of a picture, at most, by cropping


def open_rgb(path: Path) -> Image:
    """Read a picture as opaque RGB. Raises `PictureError` naming it where it cannot be read."""
    return rgb(path, ground="black")


def picture_size(path: Path) -> tuple[int, int]:
    """Read a picture's width and height in px. Raises `PictureError` where it cannot be read."""
    with quietly():
        return header(path, str(path)).size


def film_size(
    first: tuple[int, int], height: int | None, width: int | None = None
) -> tuple[int, int]:
    """Width and height in px, both even, of a film whose `first` picture is so large."""
    wide, high = first
    tall = height or high
    return _even(width or wide * tall / high), _even(tall)


def _even(length: float) -> int:
    return max(2, 2 * round(length / 2))


def fitted(picture: Image, width: int, height: int, bars: str = "black") -> Image:
    """Scale a picture into a frame, with bars beside or above it where its shape differs."""
    from PIL import Image

    scale = min(width / picture.width, height / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    if width - size[0] <= 2 and height - size[1] <= 2:
        size = (width, height)
    scaled = picture if size == picture.size else _scaled(picture, size)
    if size == (width, height):
        return scaled
    frame = Image.new("RGB", (width, height), bars)
    frame.paste(scaled, ((width - size[0]) // 2, (height - size[1]) // 2))
    return frame


def filled(picture: Image, width: int, height: int) -> Image:
    """Scale a picture until it fills a frame, and cut off what stands over, as much on both sides.

    One whose shape is another, of which more than a seventh would be lost, is fitted with bars instead.
    """
    scale = max(width / picture.width, height / picture.height)
    size = (max(width, round(picture.width * scale)), max(height, round(picture.height * scale)))
    if size[0] * size[1] > width * height / (1 - _LOST):
        return fitted(picture, width, height)
    scaled = picture if size == picture.size else _scaled(picture, size)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return scaled.crop((left, top, left + width, top + height))


def _scaled(picture: Image, size: tuple[int, int]) -> Image:
    from PIL import Image, ImageFilter

    scaled = picture.resize(size, Image.Resampling.LANCZOS)
    times = size[0] / picture.width
    if times < _ENLARGED:
        return scaled
    # gives back what an enlargement softens; drawings of 128 px, at 720 px against the originals:
    # 36.8 dB, Lanczos alone 36.4, bicubic 36.0, bilinear 35.0
    return scaled.filter(ImageFilter.UnsharpMask(radius=times / 2, percent=50, threshold=0))
