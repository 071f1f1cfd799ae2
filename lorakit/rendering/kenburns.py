"""A view that moves over a still picture, to the fraction of a pixel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lorakit.plan.tasks.clip import KenBurnsTask
from lorakit.rendering.clip_files import ClipWriter
from lorakit.rendering.fitting import filled, open_rgb

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class SeenPart(NamedTuple):
    """What is seen of a picture, in its own px: edges may lie between pixels."""

    left: float
    top: float
    right: float
    bottom: float


def views(task: KenBurnsTask) -> Iterator[SeenPart]:
    """What is seen in each frame, one after the other.

    Scale and offset change evenly, so that every point of the picture goes straight and at one speed. A view
    that would reach past an edge is moved to it.
    """
    ends = [
        (zoom, *(_offset(zoom, centre) for centre in spot))
        for zoom, spot in zip(task.zoom, (task.start, task.end), strict=True)
    ]
    last = max(1, task.frames - 1)
    for number in range(task.frames):
        share = number / last
        zoom, across, down = (a + (b - a) * share for a, b in zip(*ends, strict=True))
        yield SeenPart(
            across / zoom * task.width,
            down / zoom * task.height,
            min((across + 1) / zoom * task.width, task.width),
            min((down + 1) / zoom * task.height, task.height),
        )


def _offset(zoom: float, centre: float) -> float:
    """How far the enlarged picture is shifted out of the view, in widths of the view."""
    return min(max(zoom * centre - 0.5, 0.0), zoom - 1)


def write_kenburns(
    target: Path, task: KenBurnsTask, inputs: Mapping[str, str]
) -> Iterator[tuple[int, int]]:
    """Write the clip, yielding (frames written, frames in all). Raises `PictureError` and `FilmError`."""
    from PIL import Image

    size = (task.width, task.height)
    picture = filled(open_rgb(Path(inputs["picture"])), *size)
    with ClipWriter(target, *size) as writer:
        for number, view in enumerate(views(task), 1):
            # the box of a Lanczos is in floats, and each pixel's weights are computed from it
            writer.write(picture.resize(size, Image.Resampling.LANCZOS, box=view))
            yield number, task.frames
        writer.finish()
