"""A film as pictures: a PNG for each frame that differs from the one before."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Self

from lorakit.plan.tasks.film import picture_name
from lorakit.rendering.xmp import PNG_KEYWORD, packet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

_LEVEL = 1  # of compression: level 6 takes five times as long, for a tenth less


class PictureWriter:
    """Writes RGB frames of one size into the folder `target`, a file for each call of `write`.

    Each says its digital `source_type`, where that is known.
    """

    def __init__(self, target: Path, width: int, height: int, source_type: str = "") -> None:
        self.target = target
        self._size = (width, height)
        from PIL.PngImagePlugin import PngInfo

        self._told = PngInfo()
        if source_type:
            self._told.add_itxt(PNG_KEYWORD, packet(source_type))
        self._written = 0
        self._finished = False
        target.mkdir(parents=True)

    def write(self, frame: memoryview, times: int = 1) -> Iterator[int]:
        """Write a frame that stands some times over, yielding how often."""
        from PIL import Image

        picture = Image.frombuffer("RGB", self._size, bytes(frame), "raw", "RGB", 0, 1)
        file = self.target / picture_name(self._written)
        picture.save(file, compress_level=_LEVEL, pnginfo=self._told)
        self._written += times
        yield times

    def finish(self) -> Iterator[None]:
        """End the film."""
        self._finished = True
        yield from ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._finished:
            shutil.rmtree(self.target, ignore_errors=True)
