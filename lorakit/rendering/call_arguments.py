"""What a call of diffusers' pipeline is given for a frame: which task it is, and its arguments."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any, NamedTuple

import torch
from PIL import Image, ImageOps
from torch import Tensor

from lorakit.facts.machine.devices import HOST
from lorakit.facts.pictures.open_picture import levels, rgb
from lorakit.families import Family, Task
from lorakit.plan.tasks.frame import FrameTask
from lorakit.rendering.frame_files import FrameJob, start_of
from lorakit.store.sources import SourceReading


class CallInputs(NamedTuple):
    """What a frame is drawn by beside words: latents (1, C, H, W) that it begins from, pictures, a map.

    `edited` is the frame that is changed, where the `mask` is white.
    """

    edited: Image.Image | None
    mask: Image.Image | None
    start: Tensor | None
    references: list[Image.Image]
    control: Image.Image | None


def inputs_of(job: FrameJob) -> tuple[Task, CallInputs]:
    """The pictures and latents of a job, and the task that they make of it."""
    start, control = start_of(job), None
    roles = sorted(role for role in job.inputs if role.startswith("reference"))
    references = [*_own_pictures(job), *(rgb(Path(job.inputs[role])) for role in roles)]
    if "control" in job.inputs:
        control = rgb(Path(job.inputs["control"]))
    kind: Task = "reference" if references else "image" if start is not None else "text"
    if control is not None:
        kind = "control" if start is None else "control-image"
    edited = mask = None
    if job.task.edit is not None:
        edited, mask = rgb(Path(job.inputs["edited"])), mask_of(job)
        kind = "reference" if job.task.edit.told else "inpaint"
        references = [edited] if job.task.edit.told else []
    return kind, CallInputs(edited, mask, start, references, control)


def mask_of(job: FrameJob) -> Image.Image | None:
    """The mask of an edit, L, at the frame's size; None for none. Raises LorakitError."""
    task = job.task
    if task.edit is None or not task.edit.file:
        return None
    reading = SourceReading(job.reads)
    reading.begin()
    mask = levels(Path(task.edit.file))
    reading.end()
    return ImageOps.fit(mask, (task.width, task.height))


def kept(picture: Image.Image, inputs: CallInputs) -> Image.Image:
    """A changed picture with the pixels of the one before where nothing was to change."""
    if inputs.edited is None or inputs.mask is None:
        return picture
    return Image.composite(picture, inputs.edited, inputs.mask)


def _own_pictures(job: FrameJob) -> list[Image.Image]:
    """The user's pictures that a frame is shown. Raises LorakitError where one has changed."""
    if not job.task.reference_files:
        return []
    reading = SourceReading(job.reads)
    reading.begin()
    pictures = [rgb(Path(one.file)) for one in job.task.reference_files]
    reading.end()
    return pictures


def arguments(task: FrameTask, inputs: CallInputs, pipeline: Any, family: Family) -> dict[str, Any]:
    """The arguments of a call, but for those that the family has in every call."""
    parameters = inspect.signature(pipeline.__call__).parameters
    # some take them from the picture that they begin from
    sides = {"width": task.width, "height": task.height} if "width" in parameters else {}
    given: dict[str, Any] = {
        "prompt": task.prompt,
        **sides,
        "num_inference_steps": task.num_inference_steps,
        family.guidance: float(task.guidance_scale),
        "generator": torch.Generator(HOST).manual_seed(task.noise),
    }
    if family.negative and task.guidance_scale > family.guided_above:
        given["negative_prompt"] = task.negative_prompt
    if task.clip_skip:
        given["clip_skip"] = task.clip_skip
    if inputs.start is not None:
        given |= {"image": inputs.start, "strength": task.strength}
    elif inputs.edited is not None and task.edit is not None and not task.edit.told:
        given |= {
            "image": inputs.edited,
            "mask_image": inputs.mask,
            "strength": float(task.strength),
        }
    elif inputs.references:
        several = family.references > 1
        given["image"] = inputs.references if several else inputs.references[0]
    if task.control is not None:
        # pipelines that begin from noise may call the map their image
        named = "control_image" if "control_image" in parameters else "image"
        given |= {
            named: inputs.control,
            "controlnet_conditioning_scale": float(task.control.strength),
            "control_guidance_start": float(task.control.start),
            "control_guidance_end": float(task.control.end),
        }
    return given
