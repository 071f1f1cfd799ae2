"""The engine that looks at references with an IP-Adapter's image encoder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import save_file

from lorakit.diagnostics import LorakitError
from lorakit.facts.pictures.open_picture import rgb
from lorakit.models.processor import check_device
from lorakit.plan.specs_beside import ImageEncoderSpec
from lorakit.plan.tasks.image_embeds import ImageEmbedsTask
from lorakit.plan.tasks.job import Job, Report
from lorakit.rendering.one_by_one import OneByOne
from lorakit.store.sources import SourceReading

EMBEDS, OF_NONE = "image_embeds", "negative_image_embeds"


class ImageEmbedsEngine(OneByOne[ImageEmbedsTask]):
    """Holds a CLIP image encoder in fp32. One step is one picture, and what it makes of none."""

    def __init__(self, spec: ImageEncoderSpec, _report: Report) -> None:
        # Pillow's: torchvision's, where it is there, resizes otherwise
        from transformers import CLIPImageProcessorPil, CLIPVisionModelWithProjection

        super().__init__()
        check_device(spec.device)
        self._device = spec.device
        path = Path(spec.path)
        try:
            model: Any = CLIPVisionModelWithProjection.from_pretrained(
                path, local_files_only=True, use_safetensors=True, dtype=torch.float32
            )
        except (
            *(OSError, ValueError, RuntimeError, LookupError, TypeError),
            SafetensorError,
        ) as error:
            raise LorakitError(f"the image encoder in {path} cannot be loaded: {error}") from error
        self._model = model.eval().requires_grad_(requires_grad=False).to(spec.device)
        side = model.config.image_size
        self._processor: Any = CLIPImageProcessorPil(size=side, crop_size=side)

    def _outputs(self, job: Job[ImageEmbedsTask]) -> Mapping[str, str]:
        """One picture's embeds, (1, 1, ...) each, as diffusers takes them."""
        reading = SourceReading(job.reads)
        reading.begin()
        picture = rgb(Path(job.task.file or job.inputs["picture"]))
        reading.end()
        embeds = self._seen(picture, hidden_states=job.task.hidden_states)
        self.calls["image_encoder"] += 1
        job.out.mkdir(parents=True, exist_ok=True)
        target = job.out / f"{job.key}.safetensors"
        save_file(embeds, target)
        return {"embeds": str(target)}

    @torch.inference_mode()
    def _seen(self, picture: Image.Image, *, hidden_states: bool) -> dict[str, torch.Tensor]:
        pixels = self._processor(picture, return_tensors="pt").pixel_values.to(self._device)
        if hidden_states:  # as diffusers' encode_image has it
            seen, none = (
                self._model(one, output_hidden_states=True).hidden_states[-2]
                for one in (pixels, torch.zeros_like(pixels))
            )
        else:
            seen = self._model(pixels).image_embeds
            none = torch.zeros_like(seen)
        told = {EMBEDS: seen, OF_NONE: none}
        return {name: one[None].cpu().contiguous() for name, one in told.items()}
