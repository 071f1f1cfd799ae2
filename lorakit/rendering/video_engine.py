"""The engine that makes clips by diffusers' video pipelines, a call each."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from lorakit.diagnostics import LorakitError
from lorakit.facts.machine.devices import HOST
from lorakit.facts.pictures.open_picture import rgb
from lorakit.families.family import Configs
from lorakit.families.video_family import VideoFamily
from lorakit.families.videos import VIDEO_FAMILIES
from lorakit.models.video_pipelines import load_video_pipeline
from lorakit.plan.specs_beside import VideoSpec
from lorakit.plan.tasks.clip import VideoClipTask
from lorakit.plan.tasks.job import Job, Report
from lorakit.rendering.clip_files import ClipWriter
from lorakit.rendering.one_by_one import OneByOne


class _StoppedError(LorakitError):
    """The run was stopped within a call."""


class VideoEngine(OneByOne[VideoClipTask]):
    """Holds a pipeline. One step is one clip; where a report says so it is left at its next step."""

    def __init__(self, spec: VideoSpec, report: Report) -> None:
        super().__init__()
        self._family = VIDEO_FAMILIES[spec.family]
        self._pipeline = load_video_pipeline(spec)
        self._report = report

    def _outputs(self, job: Job[VideoClipTask]) -> Mapping[str, str]:
        task, done = job.task, 0
        rounds = self._family.rounds(task.frames)

        def stepped(
            pipeline: Any, _index: int, _time: Any, values: dict[str, Any]
        ) -> dict[str, Any]:
            nonlocal done
            done += 1
            if self._report(job.id, done, pipeline.num_timesteps * rounds) is False:
                raise _StoppedError("the run was stopped")
            return values

        pictures = {
            role: rgb(Path(job.inputs[role])) for role in ("first", "last") if role in job.inputs
        }
        given = arguments(task, pictures, self._pipeline, self._family)
        with torch.inference_mode():
            frames = self._pipeline(**given, callback_on_step_end=stepped).frames[0]
        self.calls["pipeline"] += 1
        if len(frames) != task.frames:
            raise LorakitError(f"the model made {len(frames)} frames instead of {task.frames}")
        job.out.mkdir(parents=True, exist_ok=True)
        target = job.out / task.file
        with ClipWriter(target, task.width, task.height) as writer:
            for frame in frames:
                writer.write(frame)
            writer.finish()
        return {"clip": str(target)}


def _configs(pipeline: Any) -> Configs:
    network = getattr(pipeline, "transformer", None)
    return {"transformer": network.config} if network is not None else {}


def arguments(
    task: VideoClipTask, pictures: Mapping[str, Image.Image], pipeline: Any, family: VideoFamily
) -> dict[str, Any]:
    """The arguments of a call."""
    given: dict[str, Any] = {
        "width": task.width,
        "height": task.height,
        "num_frames": family.asked(_configs(pipeline), task.frames),
        "num_inference_steps": task.num_inference_steps,
        family.scale: float(task.guidance_scale),
        "generator": torch.Generator(HOST).manual_seed(task.noise),
        "output_type": "pil",
    }
    if family.words:
        given |= {"prompt": task.prompt, "negative_prompt": task.negative_prompt}
    if family.tells_rate:
        given["fps"] = task.rate
    parameters = inspect.signature(pipeline.__call__).parameters
    if "frame_rate" in parameters:
        given["frame_rate"] = task.rate
    if not pictures:
        return given
    if family.conditions:
        from diffusers.pipelines.ltx.pipeline_ltx_condition import LTXVideoCondition

        places = {"first": 0, "last": task.frames - 1}
        given["conditions"] = [
            LTXVideoCondition(image=picture, frame_index=places[role])
            for role, picture in pictures.items()
        ]
        return given
    given["image"] = pictures["first"]
    if "last" in pictures:
        given["last_image"] = pictures["last"]
    return given
