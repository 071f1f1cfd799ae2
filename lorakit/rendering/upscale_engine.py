"""The engine that makes pictures larger by diffusers' upscaling pipelines, a call each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from lorakit.diagnostics import LorakitError
from lorakit.facts.machine.devices import HOST
from lorakit.facts.pictures.open_picture import rgb
from lorakit.models.upscale_pipelines import load_upscale_pipeline
from lorakit.plan.specs_beside import UpscaleSpec
from lorakit.plan.tasks.job import Job, Report
from lorakit.plan.tasks.upscale import UpscaleTask
from lorakit.rendering.one_by_one import OneByOne


class UpscaleEngine(OneByOne[UpscaleTask]):
    """Holds a pipeline. One step is one picture; where a report says so it is left at its next step."""

    def __init__(self, spec: UpscaleSpec, report: Report) -> None:
        super().__init__()
        self._pipeline = load_upscale_pipeline(spec)
        self._report = report

    def _outputs(self, job: Job[UpscaleTask]) -> Mapping[str, str]:
        task, pipeline = job.task, self._pipeline

        def stepped(index: int, _time: Any, _latents: Any) -> None:
            steps = len(pipeline.scheduler.timesteps)
            if self._report(job.id, index + 1, steps) is False:
                raise LorakitError("the run was stopped")

        with torch.inference_mode():
            picture: Image.Image = pipeline(
                prompt=task.prompt,
                negative_prompt=task.negative_prompt,
                image=rgb(Path(job.inputs["picture"])),
                num_inference_steps=task.num_inference_steps,
                guidance_scale=float(task.guidance_scale),
                generator=torch.Generator(HOST).manual_seed(task.noise),
                callback=stepped,
            ).images[0]
        self.calls["pipeline"] += 1
        if picture.size != (task.width, task.height):
            raise LorakitError(
                f"the model made {picture.width}x{picture.height} px instead of {task.width}x{task.height}"
            )
        job.out.mkdir(parents=True, exist_ok=True)
        target = job.out / f"{job.key}.png"
        picture.save(target, "PNG", compress_level=4)
        return {"picture": str(target)}
