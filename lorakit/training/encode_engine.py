"""The engine that turns pictures into latents and captions into embeds, before any training needs them.

latents.safetensors   mean, and logvar where the VAE has a spread, (V, C, h, w): scaled, a row a view;
mask (V, 1, h, w) where there is one
embeds.safetensors    embeds (1, T, D); SDXL's pooled (1, P)
"""

from __future__ import annotations

import time
import traceback
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from lorakit.diagnostics import LorakitError, in_words
from lorakit.families import FAMILIES
from lorakit.models.loading import load_pipeline
from lorakit.plan.encoding_memory import EXACT
from lorakit.plan.engine_specs import Keeping
from lorakit.plan.specs_beside import EncodingSpec
from lorakit.plan.tasks.encode import EmbedsTask, LatentsTask
from lorakit.plan.tasks.job import Job, Report
from lorakit.rendering.prompt_encoder import PromptEncoder
from lorakit.store.sources import SourceReading
from lorakit.training import canonical
from lorakit.training.image_data import encode, mask_of, pixels


class EncodeEngine:
    """Holds a VAE in fp32 and text encoders. One step is one picture or one caption."""

    def __init__(self, spec: EncodingSpec, report: Report) -> None:
        self._family = FAMILIES[spec.family]
        without = (self._family.denoiser,)
        self._pipeline = load_pipeline(
            Path(spec.path),
            spec.family,
            spec.precision,
            spec.device,
            parts=spec.parts,
            without=without,
            keeping=Keeping(offload=spec.offload),
            vae=EXACT,
        )
        self._encoder = PromptEncoder(self._pipeline, spec.family, spec.device)
        self._report = report
        self._waiting: deque[Job[LatentsTask | EmbedsTask]] = deque()

    @property
    def busy(self) -> bool:
        """Whether there is work left."""
        return bool(self._waiting)

    def submit(self, job: Job[LatentsTask | EmbedsTask]) -> None:
        """Put a job at the end of the queue."""
        self._waiting.append(job)

    def step(self) -> Sequence[Mapping[str, object]]:
        """One picture, or one caption."""
        job, began = self._waiting.popleft(), time.monotonic()
        file, task = job.out / f"{job.key}.safetensors", job.task
        reading = SourceReading(job.reads)
        try:
            reading.begin()
            tensors = self._latents(task) if isinstance(task, LatentsTask) else self._embeds(task)
            reading.end()
            canonical.write(file, tensors)
        except (LorakitError, OSError) as error:
            return [{"id": job.id, "error": str(error)}]
        except Exception as error:  # noqa: BLE001 - one odd picture is no fault of the others
            traceback.print_exc()
            return [{"id": job.id, "error": in_words(error)}]
        seconds = time.monotonic() - began
        return [{"id": job.id, "outputs": {task.kind: str(file)}, "seconds": seconds}]

    def _latents(self, task: LatentsTask) -> Mapping[str, Any]:
        size = (task.width, task.height)
        views = [
            pixels(Path(task.file), size, flip=bool(flip), at=(across, down))
            for flip, across, down in task.views
        ]
        latents = encode(self._pipeline.vae, views)
        if task.mask_file:
            factor = size[1] // latents["mean"].shape[-2]
            masks = [
                mask_of(
                    Path(task.mask_file),
                    Path(task.file),
                    size,
                    flip=bool(flip),
                    at=(across, down),
                    factor=factor,
                )
                for flip, across, down in task.views
            ]
            latents["mask"] = torch.cat(masks)
        return latents

    def _embeds(self, task: EmbedsTask) -> Mapping[str, Any]:
        # SDXL's sizes are no part of what is kept: a training makes them for each picture
        reads: Mapping[str, Any] = {"limit": task.max_token_length}
        if self._family.flow is None:
            reads = {"chunks": task.max_token_length // 75, "clip_skip": task.clip_skip}
        encoded = self._encoder(task.text, (0, 0), negative=task.empty, **reads)
        tensors = {"embeds": encoded.embeds.float().cpu().clone()}
        if encoded.pooled is not None:
            tensors["pooled"] = encoded.pooled.float().cpu().clone()
        self._encoder.forget()
        return tensors
