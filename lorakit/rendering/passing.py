"""A clip that passes from picture to picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lorakit.plan.tasks.clip import PassingTask
from lorakit.rendering.clip_files import ClipWriter
from lorakit.rendering.fitting import filled, open_rgb

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from PIL.Image import Image


def write_passing(
    target: Path, task: PassingTask, inputs: Mapping[str, str]
) -> Iterator[tuple[int, int]]:
    """Write the clip, yielding (frames written, frames in all). Raises `PictureError` and `FilmError`.

    Two pictures are held at a time, with what moves between them.
    """
    import numpy as np
    from PIL.Image import fromarray

    from lorakit.rendering.flow_between import Between

    size = (task.width, task.height)

    def picture(number: int) -> Image:
        return filled(open_rgb(Path(inputs[f"picture_{number}"])), *size)

    between: Between | None = None
    at = -1
    with ClipWriter(target, *size) as writer:
        for frame, place in enumerate(places(task), 1):
            number = min(int(place), task.pictures - 2)
            if number != at:
                at, between = number, None
            share = place - number
            if share < 1e-9:
                shown = picture(number)
            else:
                if between is None:
                    pair = (np.asarray(picture(number + n)) for n in (0, 1))
                    between = Between(*pair)
                shown = fromarray(between.at(share))
            writer.write(shown)
            yield frame, task.frames
        writer.finish()


def places(task: PassingTask) -> Iterator[float]:
    """Where among its pictures, counted from 0, each frame is.

    The first is the first picture, and the last picture would be the one after the last: it is what the film
    shows next. It sets out slowly and comes to rest (smoothstep).
    """
    for number in range(task.frames):
        time = number / task.frames
        yield (task.pictures - 1) * time * time * (3 - 2 * time)
