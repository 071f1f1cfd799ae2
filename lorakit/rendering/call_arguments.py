"""What a call of diffusers' pipeline is given for a frame: which task it is, and its arguments."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any, NamedTuple

import torch
from PIL import Image, ImageOps
from safetensors.torch import load_file
from torch import Tensor

from lorakit.facts.machine.devices import HOST
from lorakit.facts.pictures.open_picture import levels, rgb
from lorakit.families import Family, Task
from lorakit.models.ip_adapters import seen_by
from lorakit.plan.tasks.frame import FrameTask
from lorakit.rendering.frame_files import FrameJob, start_of
from lorakit.rendering.image_embeds_engine import EMBEDS, OF_NONE
from lorakit.store.sources import SourceReading


class CallInputs(NamedTuple):
    """What a frame is drawn by beside words: latents (1, C, H, W) that it begins from, pictures, a map.

    A `start` may be a picture of its size.
    `edited` is the frame that is changed, where the `mask` is white. `embeds` are what an image encoder sees
    in each reference, and in none.
    """

    edited: Image.Image | None
    mask: Image.Image | None
    start: Tensor | Image.Image | None
    references: list[Image.Image]
    control: Image.Image | None
    embeds: list[tuple[Tensor, Tensor]]


def inputs_of(job: FrameJob) -> tuple[Task, CallInputs]:
    """The pictures and latents of a job, and the task that they make of it."""
    start, control = _larger(job) or start_of(job), None
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
    return kind, CallInputs(edited, mask, start, references, control, _embeds(job))


def _larger(job: FrameJob) -> Image.Image | None:
    """The picture that a frame is upscaled from, at its size."""
    if not job.task.upscaled:
        return None
    size = (job.task.width, job.task.height)
    return rgb(Path(job.inputs["smaller"])).resize(size, Image.Resampling.LANCZOS)


def _embeds(job: FrameJob) -> list[tuple[Tensor, Tensor]]:
    if job.task.ip_adapter is None:
        return []
    files = [job.inputs[f"embeds_{n}"] for n, _ in enumerate(job.task.ip_adapter.scales, 1)]
    return [(told[EMBEDS], told[OF_NONE]) for told in map(load_file, files)]


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
    if task.ip_adapter is not None:
        given |= _through(task, inputs, pipeline)
    if task.control is not None:
        # pipelines that begin from noise may call the map their image
        named = "control_image" if "control_image" in parameters else "image"
        given |= {
            named: inputs.control,
            "controlnet_conditioning_scale": float(task.control.strength),
            "control_guidance_start": float(task.control.start),
            "control_guidance_end": float(task.control.end),
        }
        if task.control.mode is not None:
            given["control_mode"] = task.control.mode
    return given


def _through(task: FrameTask, inputs: CallInputs, pipeline: Any) -> dict[str, Any]:
    """What a call is given of references that its IP-Adapter sees."""
    assert task.ip_adapter is not None
    guided = task.guidance_scale > 1 and pipeline.unet.config.time_cond_proj_dim is None
    given: dict[str, Any] = {
        "ip_adapter_image_embeds": [seen_by(pipeline, inputs.embeds, guided=guided)]
    }
    if len(set(task.ip_adapter.scales)) > 1:
        # diffusers weighs pictures one by one where each has a mask: all of the frame
        masks = torch.ones(1, len(inputs.embeds), task.height, task.width)
        given["cross_attention_kwargs"] = {"ip_adapter_masks": [masks]}
    return given
