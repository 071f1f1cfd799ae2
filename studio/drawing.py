"""Draw sentences with an exported model, as its card says unless told otherwise."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline
from diffusers.utils import logging as diffusers_logging
from PIL import Image
from transformers.utils import logging as transformers_logging


def quiet_libraries() -> None:
    """Keep progress bars and remarks of diffusers and transformers out of what a script prints."""
    for library in (diffusers_logging, transformers_logging):
        library.disable_progress_bar()
        library.set_verbosity_error()


class Painter:
    """The pipeline with its own defaults; noise belongs to a picture, not to its batch."""

    def __init__(
        self,
        folder: Path,
        steps: int | None = None,
        guidance: float | None = None,
        *,
        batch: int = 8,
        device: str = "cpu",
    ) -> None:
        card = json.loads((folder / "studio.json").read_text(encoding="utf-8"))
        self.steps = steps or card["default_num_inference_steps"]
        self.guidance = guidance or card["default_guidance_scale"]
        self.batch = batch
        self.pipeline = StableDiffusionPipeline.from_pretrained(folder, local_files_only=True)
        self.pipeline.set_progress_bar_config(disable=True)
        for part in (self.pipeline.unet, self.pipeline.vae):
            part.to(memory_format=torch.channels_last)
        self.pipeline.to(device)

    def draw(self, sentences: Sequence[str], seeds: Sequence[int]) -> list[Image.Image]:
        """A picture for each sentence."""
        made: list[Image.Image] = []
        for start in range(0, len(sentences), self.batch):
            part = list(sentences[start : start + self.batch])
            noise = [torch.Generator().manual_seed(n) for n in seeds[start : start + self.batch]]
            made += self.pipeline(
                part, num_inference_steps=self.steps, guidance_scale=self.guidance, generator=noise
            ).images
        return made
