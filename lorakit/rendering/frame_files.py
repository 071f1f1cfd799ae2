"""What a frame begins from, and the files that it ends as: the same for every engine that draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.tasks.job import Job
from lorakit.rendering import png

FrameJob = Job[FrameTask]
DAMAGED = "the picture is not finite: the autoencoder's weights may be damaged"


def start_of(job: FrameJob) -> Tensor | None:
    """The latents (1, C, H, W) that a frame begins from, pulled towards its anchor's; None for noise."""
    inputs = job.inputs
    if "start" not in inputs:
        return None
    start = _latents(inputs["start"])
    if "anchor" in inputs:
        weight = float(job.task.anchor_weight or 0.0)
        start = torch.lerp(start, _latents(inputs["anchor"]), weight)
    return start


def references_of(job: FrameJob) -> list[Tensor]:
    """The latents (1, C, H, W) of the frames and pictures that this one's self-attention sees."""
    count = len(job.task.shared_attention)
    return [_latents(job.inputs[f"shared_{number}"]) for number in range(1, count + 1)]


def _latents(file: str) -> Tensor:
    """A frame's latents, or what the autoencoder makes of a picture: the mode of its distribution."""
    tensors = load_file(file)
    return tensors["latents"] if "latents" in tensors else tensors["mean"]


def failed(job: FrameJob, why: str) -> Mapping[str, Any]:
    """How a job ends that came to nothing."""
    return {"id": job.id, "error": why}


def drawn(
    job: FrameJob, picture: Image.Image, latents: Tensor, seconds: float
) -> Mapping[str, Any]:
    """Write a frame's picture and latents; how its job ends."""
    picture_file, latents_file = (job.out / f"{job.key}.{end}" for end in ("png", "safetensors"))
    picture_file.write_bytes(png.encode(picture, job.key, job.task))
    save_file({"latents": latents}, latents_file)
    return {
        "id": job.id,
        "outputs": {"picture": str(picture_file), "latents": str(latents_file)},
        "seconds": seconds,
    }


def not_finite(latents: Tensor) -> str:
    """What to say of latents that are not numbers any more; empty where they are."""
    if torch.isfinite(latents).all():
        return ""
    return "the latents are not finite (fp16? try dtype: bf16 or fp32)"
