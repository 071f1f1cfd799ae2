"""The engine that tells the depths of pictures, by a model of transformers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from lorakit.diagnostics import LorakitError
from lorakit.models.processor import check_device
from lorakit.plan.specs_beside import DepthSpec
from lorakit.plan.tasks.control import ControlMapTask
from lorakit.plan.tasks.job import Job, Report
from lorakit.rendering.control_maps import fitted, keep
from lorakit.rendering.one_by_one import OneByOne


class DepthEngine(OneByOne[ControlMapTask]):
    """Holds a model in fp32. One step is one picture."""

    def __init__(self, spec: DepthSpec, _report: Report) -> None:
        from transformers import AutoImageProcessor, AutoModelForDepthEstimation, pipeline

        super().__init__()
        check_device(spec.device)
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

    def _outputs(self, job: Job[ControlMapTask]) -> Mapping[str, str]:
        """One picture's depths: near is bright."""
        picture = fitted(job)
        told: Any = self._tell(picture)
        self.calls["depth"] += 1
        return keep(job, told["depth"].convert("RGB").resize(picture.size))
