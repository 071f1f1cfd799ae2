"""The engine that tells the depths of pictures, by a model of transformers."""

from __future__ import annotations

import time
import traceback
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from lorakit.diagnostics import LorakitError, in_words
from lorakit.models.processor import check_device
from lorakit.plan.engine_specs import DepthSpec
from lorakit.plan.tasks.control import ControlMapTask
from lorakit.plan.tasks.job import Job, Report
from lorakit.rendering.control_maps import fitted, keep


class DepthEngine:
    """Holds a model in fp32. One step is one picture."""

    def __init__(self, spec: DepthSpec, report: Report) -> None:
        from transformers import AutoImageProcessor, AutoModelForDepthEstimation, pipeline

        check_device(spec.device)
        self.calls: Counter[str] = Counter()
        self._report = report
        self._waiting: deque[Job[ControlMapTask]] = deque()
        path = Path(spec.path)
        try:
            model = AutoModelForDepthEstimation.from_pretrained(
                path, local_files_only=True, use_safetensors=True, dtype=torch.float32
            )
            reader: Any = AutoImageProcessor.from_pretrained(path, local_files_only=True)
        except (OSError, ValueError, ImportError, RuntimeError) as error:
            raise LorakitError(f"the model in {path} cannot be loaded: {error}") from error
        self._tell = pipeline(
            "depth-estimation", model=model, image_processor=reader, device=spec.device
        )

    @property
    def busy(self) -> bool:
        """Whether there is work left."""
        return bool(self._waiting)

    def submit(self, job: Job[ControlMapTask]) -> None:
        """Put a job at the end of the queue."""
        self._waiting.append(job)

    def drop(self) -> None:
        """Let go of all that waits; the model stays."""
        self._waiting.clear()

    def step(self) -> Sequence[Mapping[str, object]]:
        """One picture's depths: near is bright."""
        job, began = self._waiting.popleft(), time.monotonic()
        try:
            picture = fitted(job)
            told: Any = self._tell(picture)
            self.calls["depth"] += 1
            outputs = keep(job, told["depth"].convert("RGB").resize(picture.size))
        except (LorakitError, OSError) as error:
            return [{"id": job.id, "error": str(error)}]
        except Exception as error:  # noqa: BLE001 - one odd picture is no fault of the others
            traceback.print_exc()
            return [{"id": job.id, "error": in_words(error)}]
        return [{"id": job.id, "outputs": outputs, "seconds": time.monotonic() - began}]
