"""A clip taken apart into pictures, and put together again of what was made of each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lorakit.rendering.clip_files import ClipReader, ClipWriter
from lorakit.rendering.fitting import open_rgb

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lorakit.plan.tasks.clip import ClipPicturesTask, JoinedClipTask


def write_clip_pictures(
    target: Path, task: ClipPicturesTask, inputs: Mapping[str, str]
) -> Iterator[tuple[int, int]]:
    """Write each frame into the folder `target`, yielding (written, in all). Raises FilmError."""
    from PIL import Image

    target.mkdir(exist_ok=True)
    reader = ClipReader(Path(inputs["clip"]), task.width, task.height)
    try:
        for number, name in enumerate(task.pictures):
            picture = Image.fromarray(reader.frame(number))
            picture.save(target / f"{name}.png", compress_level=1)
            yield number + 1, task.frames
    finally:
        reader.close()


def write_joined_clip(
    target: Path, task: JoinedClipTask, inputs: Mapping[str, str]
) -> Iterator[tuple[int, int]]:
    """Write the clip, yielding (frames written, frames in all). Raises PictureError and FilmError."""
    with ClipWriter(target, task.width, task.height) as writer:
        for number, name in enumerate(sorted(inputs), 1):
            writer.write(open_rgb(Path(inputs[name])))
            yield number, task.frames
        writer.finish()
