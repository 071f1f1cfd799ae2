"""Pictures that are cut or made larger, and nothing more."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lorakit.facts.pictures.cut_picture import cut
from lorakit.facts.pictures.open_picture import quietly
from lorakit.plan.tasks.painted import PaintedTask
from lorakit.plan.tasks.upscale import EnlargeTask
from lorakit.rendering.fitting import open_rgb


def write_painted(folder: Path, task: PaintedTask, _inputs: Mapping[str, str]) -> dict[str, str]:
    """Write the picture as a PNG of its size. Raises PictureError."""
    with quietly():
        picture = cut(Path(task.file), (task.width, task.height))
    target = folder / "picture.png"
    picture.save(target, "PNG", compress_level=6)
    return {"picture": str(target)}


def write_enlarged(folder: Path, task: EnlargeTask, inputs: Mapping[str, str]) -> dict[str, str]:
    """Write a picture at the task's size, by Lanczos. Raises PictureError."""
    from PIL import Image

    picture = open_rgb(Path(inputs["picture"]))
    target = folder / "picture.png"
    larger = picture.resize((task.width, task.height), Image.Resampling.LANCZOS)
    larger.save(target, "PNG", compress_level=4)
    return {"picture": str(target)}
