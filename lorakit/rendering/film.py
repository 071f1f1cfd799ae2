"""A film from held pictures: exact to the frame, crossfades centred on cuts, constant memory."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from lorakit.facts.fonts.fallbacks import fallbacks
from lorakit.facts.pictures.open_picture import PictureError
from lorakit.plan.tasks.film import Join
from lorakit.plan.timeline import timeline
from lorakit.records import record
from lorakit.rendering.canvases import canvas
from lorakit.rendering.captions import CaptionStyle, caption_layer
from lorakit.rendering.clip_files import ClipReader
from lorakit.rendering.encodings import Encoding, of_file
from lorakit.rendering.ffmpeg_writer import FFmpegWriter, FilmError
from lorakit.rendering.film_check import check_film, prepare
from lorakit.rendering.fitting import filled, film_size, fitted, open_rgb, picture_size
from lorakit.rendering.lettering import Lettering
from lorakit.rendering.mixing import mix
from lorakit.rendering.picture_writer import PictureWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from lorakit.plan.tasks.film import ClipPart
    from lorakit.plan.timeline import Moment
    from lorakit.rendering.canvases import Canvas
    from lorakit.rendering.captions import CaptionLayer

    Bytes = NDArray[np.uint8]

__all__ = ["CaptionStyle", "FilmError", "PictureError", "Shot", "write_film"]

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


@record
class Shot:
    """A picture held for some film frames, with the caption that stands in it (may be empty).

    Where it is a `clip`, the picture is the file of that.
    """

    picture: Path
    frames: int
    caption: str = ""
    clip: ClipPart | None = None


def write_film(
    target: Path,
    shots: Sequence[Shot],
    *,
    fps: int | Fraction,
    height: int | None = None,
    width: int | None = None,
    transition_frames: int = 0,
    joins: Sequence[Join] = (),
    captions: CaptionStyle | None = None,
    letters: Lettering | None = None,
    encoding: Encoding | None = None,
    source_type: str = "",
) -> Iterator[tuple[int, int]]:
    """Write a film, yielding (frames written, frames in all); as an MP4 (H.264, faststart) by default.

    It lasts the sum of the shots' frames at `fps` frames a second, exactly. As pictures it is a folder with a
    PNG for each frame that differs from the one before, which say their `source_type`. `height` in px is
    rounded to an even number; None means the first picture's own. The film has that picture's shape, and
    others get black bars; or it is `width` px wide as well, and pictures are cropped to fill it. `captions`
    None draws none; `joins` are how the shots give way to each other, else all crossfade over
    `transition_frames`; `letters` None finds fonts for them on this machine. Equal pictures give equal bytes.
    At most two pictures or clips are open at a time, and the film is read back at last. Closing the generator
    early stops the work and removes `target`. Raises `FilmError` and `PictureError`.
    """
    shots = [shot for shot in shots if shot.frames > 0]
    if not shots:
        raise FilmError("a film needs a picture that is held for at least one frame")
    first = shots[0].clip
    size = (first.width, first.height) if first else picture_size(shots[0].picture)
    wide, high = film_size(size, height, width)
    total = sum(shot.frames for shot in shots)
    letters = letters or Lettering(fallbacks(shot.caption for shot in shots if captions))
    encoding = encoding or Encoding(of_file(target))
    drawn_on = canvas(wide, high, in_rgb=encoding.in_rgb)
    usual = Join("crossfade" if transition_frames else "cut", transition_frames)
    joins = joins or [usual] * (len(shots) - 1)
    scene = _Scenery(
        shots, joins, (wide, high), drawn_on, captions, letters, crop=width is not None
    )
    written, rate = 0, Fraction(fps)
    prepare()
    writing: FFmpegWriter | PictureWriter = (
        PictureWriter(target, wide, high, source_type)
        if encoding.format == "png"
        else FFmpegWriter(target, (wide, high), rate, scene.canvas.pixels, encoding)
    )
    with contextlib.closing(scene), writing as writer:
        for moment in timeline([s.frames for s in shots], [join.frames for join in joins]):
            for frame, times in scene.over(moment):
                for count in writer.write(frame.data, times):
                    written += count
                    yield written, total
        for _ in writer.finish():
            yield written, total
    if encoding.format == "png":
        return
    try:
        check_film(target, (wide, high), rate, total)
    except FilmError:
        target.unlink(missing_ok=True)
        raise


class _Scenery:
    """The film frame of a moment, from the two pictures and two captions last used."""

    def __init__(
        self,
        shots: Sequence[Shot],
        joins: Sequence[Join],
        size: tuple[int, int],
        canvas: Canvas,
        captions: CaptionStyle | None,
        letters: Lettering,
        *,
        crop: bool,
    ) -> None:
        self.canvas = canvas
        self._shots = shots
        self._joins = joins
        self._size = size
        self._captions = captions
        self._letters = letters
        self._shape = filled if crop else fitted
        self._frame = canvas.blank()
        self._pictures = _LastTwo(self._picture)
        self._clips = _LastTwo(self._clip, ClipReader.close)
        self._layers = _LastTwo(self._layer)

    def over(self, moment: Moment) -> Iterator[tuple[Bytes, int]]:
        """The film frames of a moment, one after the other, each with how many times it stands."""
        if self._shots[moment.shot].clip is None:
            yield self._at(moment, 0), moment.frames
            return
        for number in range(moment.frames):
            yield self._at(moment, number), 1

    def close(self) -> None:
        """Let go of the clips that are open."""
        self._clips.let_go()

    def _at(self, moment: Moment, number: int) -> Bytes:
        shot, at = self._shots[moment.shot], moment.at + number
        picture = self._pictures[_shown(shot, at)]
        if not moment.share:
            self._frame[:] = picture
            self._draw(shot.caption, 1.0)
            return self._frame
        following = self._shots[moment.shot + 1]
        after = self._pictures[_shown(following, at - shot.frames)]
        kind = self._joins[moment.shot].kind
        mix(kind, picture, after, moment.share, self.canvas, self._frame)
        if shot.caption == following.caption:
            self._draw(shot.caption, 1.0)
        else:  # one goes before the other comes: two texts on each other cannot be read
            self._draw(shot.caption, 1 - 2 * moment.share)
            self._draw(following.caption, 2 * moment.share - 1)
        return self._frame

    def _draw(self, caption: str, strength: float) -> None:
        layer = self._layers[caption] if strength > 0 else None
        if layer is not None:
            self.canvas.draw(layer, self._frame, strength)

    def _picture(self, shown: _Shown) -> Bytes:
        from PIL import Image

        if shown.size is None:
            return self.canvas.of(self._shape(open_rgb(shown.path), *self._size))
        frame = self._clips[shown.path, shown.size].frame(shown.number)
        return self.canvas.of(self._shape(Image.fromarray(frame), *self._size))

    def _clip(self, named: tuple[Path, tuple[int, int]]) -> ClipReader:
        path, size = named
        return ClipReader(path, *size)

    def _layer(self, caption: str) -> CaptionLayer | None:
        if self._captions is None:
            return None
        return caption_layer(caption, self._captions, *self._size, self._letters)


class _Shown(NamedTuple):
    """A picture, or with its `size` in px a clip, of which frame `number` is shown."""

    path: Path
    size: tuple[int, int] | None = None
    number: int = 0


def _shown(shot: Shot, at: int) -> _Shown:
    """What stands in film frame `at` of a shot."""
    clip = shot.clip
    if clip is None:
        return _Shown(shot.picture)
    return _Shown(shot.picture, (clip.width, clip.height), clip.at(at))


class _LastTwo(OrderedDict[_Key, _Value]):
    """A mapping that makes what it lacks and keeps the last two: those on either side of a cut."""

    def __init__(
        self,
        make: Callable[[_Key], _Value],
        close: Callable[[_Value], None] | None = None,
    ) -> None:
        super().__init__()
        self._make, self._close = make, close

    def let_go(self) -> None:
        """Close all that is kept."""
        while self:
            self._drop()

    def _drop(self) -> None:
        _, value = self.popitem(last=False)
        if self._close is not None:
            self._close(value)

    def __getitem__(self, key: _Key) -> _Value:
        if key in self:
            self.move_to_end(key)
            return super().__getitem__(key)
        while len(self) > 1:
            self._drop()
        self[key] = value = self._make(key)
        return value
