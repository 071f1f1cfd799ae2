"""A picture of the user's own as a frame."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lorakit.facts.pictures.cut_picture import cut
from lorakit.facts.pictures.open_picture import quietly
from lorakit.plan.tasks.painted import PaintedTask


def write_painted(folder: Path, task: PaintedTask, _inputs: Mapping[str, str]) -> dict[str, str]:
    """Write the picture as a PNG of its size. Raises PictureError."""
    with quietly():
        picture = cut(Path(task.file), (task.width, task.height))
    target = folder / "picture.png"
    picture.save(target, "PNG", compress_level=6)
    return {"picture": str(target)}
