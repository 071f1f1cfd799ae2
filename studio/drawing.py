"""Draw sentences with an exported model, as its card says unless told otherwise."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from common import to_pictures
from diffusers import StableDiffusionPipeline
from diffusers.utils import logging as diffusers_logging
from PIL import Image
from transformers.utils import logging as transformers_logging


def quiet_libraries() -> None:
    """Keep progress bars and remarks of diffusers and transformers out of what a script prints."""
    for library in (diffusers_logging, transformers_logging):
        library.disable_progress_bar()
        library.set_verbosity_error()


@torch.no_grad()
def believed(
    pipeline: StableDiffusionPipeline,
    latents: torch.Tensor,
    noise: torch.Tensor,
    timesteps: torch.Tensor,
    texts: list[str],
) -> torch.Tensor:
    """Scaled latents (B, 16, 16, 16) -> what the model guesses of them in one step from under noise.

    ``timesteps`` (B,); the model predicts v (Salimans and Ho, 2022).
    """
    noisy = pipeline.scheduler.add_noise(latents, noise, timesteps)
    ids = pipeline.tokenizer(
        texts, padding="max_length", truncation=True, return_tensors="pt"
    ).input_ids
    states = pipeline.text_encoder(ids)[0]
    v = pipeline.unet(noisy, timesteps, states, return_dict=False)[0]
    kept = pipeline.scheduler.alphas_cumprod[timesteps][:, None, None, None]
    made: torch.Tensor = kept.sqrt() * noisy - (1 - kept).sqrt() * v
    return made


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


class Measured(Painter):
    """A painter whose autoencoder and speed are measured as well."""

    @torch.no_grad()
    def through(self, picture: Image.Image) -> Image.Image:
        """A picture through the autoencoder."""
        wanted = to_pictures(np.asarray(picture)[None], torch.device("cpu"))
        code = self.pipeline.vae.encode(wanted)
        code = code.latents if hasattr(code, "latents") else code.latent_dist.mode()
        made = self.pipeline.vae.decode(code).sample[0].clamp(-1, 1)
        return Image.fromarray(((made + 1) * 127.5).round().byte().permute(1, 2, 0).numpy())

    def round_trip(self, pictures: Sequence[Image.Image]) -> list[float]:
        """PSNR in dB of each picture through the autoencoder."""
        found = []
        for picture in pictures:
            pair = (np.asarray(one, np.float64) for one in (picture, self.through(picture)))
            mse = float(np.square(np.subtract(*pair) / 255).mean())
            found.append(-10 * np.log10(max(mse, 1e-10)))
        return found

    def seconds(self, sentence: str, batch: int, rounds: int) -> list[float]:
        """Seconds a picture of each of some calls, after one that warms up."""
        self.draw([sentence] * batch, range(batch))
        took = []
        for _ in range(rounds):
            started = time.perf_counter()
            self.draw([sentence] * batch, range(batch))
            took.append((time.perf_counter() - started) / batch)
        return took
