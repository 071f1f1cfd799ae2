"""A film from held pictures: exact to the frame, crossfades centred on cuts, constant memory."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from lorakit.facts.fonts.fallbacks import fallbacks
from lorakit.facts.pictures.open_picture import PictureError
from lorakit.plan.timeline import timeline
from lorakit.rendering.captions import CaptionStyle, caption_layer
from lorakit.rendering.ffmpeg_writer import FFmpegWriter, FilmError
from lorakit.rendering.film_check import check_film, prepare
from lorakit.rendering.fitting import filled, film_size, fitted, open_rgb
from lorakit.rendering.lettering import Lettering
from lorakit.rendering.yuv import blend, to_yuv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from lorakit.plan.timeline import Moment
    from lorakit.rendering.captions import CaptionLayer

    Bytes = NDArray[np.uint8]

__all__ = ["CaptionStyle", "FilmError", "PictureError", "Shot", "write_film"]

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture held for some film frames, with the caption that stands in it (may be empty)."""

    picture: Path
    frames: int
    caption: str = ""


def write_film(
    target: Path,
    shots: Sequence[Shot],
    *,
    fps: int,
    height: int | None = None,
    width: int | None = None,
    transition_frames: int = 0,
    captions: CaptionStyle | None = None,
    letters: Lettering | None = None,
) -> Iterator[tuple[int, int]]:
    """Write an MP4 (H.264, yuv420p, faststart), yielding (frames written, frames in all).

    It lasts the sum of the shots' frames at `fps` frames a second. `height` in px is rounded to an
    even number; None means the first picture's own. The film has that picture's shape, and others get
    black bars; or it is `width` px wide as well, and pictures are cropped to fill it. `captions` None
    draws none; `letters` None finds fonts for them on this machine. The same pictures give the same
    bytes. At most two pictures are held at a time, and the film is read back at last. Closing the
    generator early stops the work and removes `target`. Raises `FilmError` and `PictureError`.
    """
    shots = [shot for shot in shots if shot.frames > 0]
    if not shots:
        raise FilmError("a film needs a picture that is held for at least one frame")
    wide, high = film_size(shots[0].picture, height, width)
    total = sum(shot.frames for shot in shots)
    letters = letters or Lettering(fallbacks(shot.caption for shot in shots if captions))
    scene = _Scenery(shots, (wide, high), captions, letters, crop=width is not None)
    written = 0
    prepare()
    with FFmpegWriter(target, wide, high, fps) as writer:
        for moment in timeline([shot.frames for shot in shots], transition_frames):
            for count in writer.write(scene.at(moment).data, moment.frames):
                written += count
                yield written, total
        for _ in writer.finish():
            yield written, total
    try:
        check_film(target, (wide, high), fps, total)
    except FilmError:
        target.unlink(missing_ok=True)
        raise


class _Scenery:
    """The film frame of a moment, from the two pictures and two captions last used."""

    def __init__(
        self,
        shots: Sequence[Shot],
        size: tuple[int, int],
        captions: CaptionStyle | None,
        letters: Lettering,
        *,
        crop: bool,
    ) -> None:
        import numpy as np

        self._shots = shots
        self._size = size
        self._captions = captions
        self._letters = letters
        self._shape = filled if crop else fitted
        self._frame = np.empty(size[0] * size[1] * 3 // 2, dtype=np.uint8)
        self._pictures = _LastTwo(self._picture)
        self._layers = _LastTwo(self._layer)

    def at(self, moment: Moment) -> Bytes:
        shot = self._shots[moment.shot]
        picture = self._pictures[shot.picture]
        if not moment.share:
            self._frame[:] = picture
            self._draw(shot.caption, 1.0)
            return self._frame
        following = self._shots[moment.shot + 1]
        blend(picture, self._pictures[following.picture], moment.share, self._frame)
        if shot.caption == following.caption:
            self._draw(shot.caption, 1.0)
        else:  # one goes before the other comes: two texts on each other cannot be read
            self._draw(shot.caption, 1 - 2 * moment.share)
            self._draw(following.caption, 2 * moment.share - 1)
        return self._frame

    def _draw(self, caption: str, strength: float) -> None:
        layer = self._layers[caption] if strength > 0 else None
        if layer is not None:
            layer.draw(self._frame, *self._size, strength)

    def _picture(self, path: Path) -> Bytes:
        return to_yuv(self._shape(open_rgb(path), *self._size))

    def _layer(self, caption: str) -> CaptionLayer | None:
        if self._captions is None:
            return None
        return caption_layer(caption, self._captions, *self._size, self._letters)


class _LastTwo(OrderedDict[_Key, _Value]):
    """A mapping that makes what it lacks and keeps the last two: those on either side of a cut."""

    def __init__(self, make: Callable[[_Key], _Value]) -> None:
        super().__init__()
        self._make = make

    def __getitem__(self, key: _Key) -> _Value:
        if key in self:
            self.move_to_end(key)
            return super().__getitem__(key)
        while len(self) > 1:
            self.popitem(last=False)
        self[key] = value = self._make(key)
        return value
