"""What a ControlNet is shown: a picture's edges by OpenCV, or what was drawn for it, at a frame's size."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lorakit.diagnostics import LorakitError
from lorakit.facts.pictures.film_frames import frame_of
from lorakit.facts.pictures.open_picture import rgb
from lorakit.store.sources import SourceReading

if TYPE_CHECKING:
    from PIL.Image import Image

    from lorakit.plan.tasks.control import ControlMapTask
    from lorakit.plan.tasks.job import Job

_LOW, _HIGH = 100, 200  # of the gradients that are edges, as published ControlNets were trained


def fitted(job: Job[ControlMapTask]) -> Image:
    """The picture of a job at its map's size; what stands over is cut off evenly. Raises LorakitError."""
    from PIL import ImageOps

    task = job.task
    reading = SourceReading(job.reads)
    reading.begin()
    picture = _picture(job)
    reading.end()
    return ImageOps.fit(picture, (task.width, task.height))


def _picture(job: Job[ControlMapTask]) -> Image:
    task = job.task
    if task.number is not None:
        return frame_of(Path(task.file), task.number, task.seconds, str(task.picture))
    return rgb(Path(task.file or job.inputs["picture"]))


def write_map(job: Job[ControlMapTask]) -> Mapping[str, str]:
    """Write a map that needs no network. Raises LorakitError, OSError."""
    job.out.mkdir(parents=True, exist_ok=True)
    picture = fitted(job)
    return keep(job, _edges(picture) if job.task.shows == "canny" else picture)


def keep(job: Job[ControlMapTask], picture: Image) -> Mapping[str, str]:
    """Write a map; the outputs of its job."""
    target = job.out / f"{job.key}.png"
    picture.save(target)
    return {"picture": str(target)}


def _edges(picture: Image) -> Image:
    import numpy as np
    from PIL import Image

    try:
        import cv2
    except ImportError as error:
        raise LorakitError(
            "edges are found by OpenCV: pip install opencv-python-headless"
        ) from error
    edges = cv2.Canny(np.asarray(picture), _LOW, _HIGH)
    return Image.fromarray(np.stack([edges] * 3, axis=2))
