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
_STRETCH = 2.0
DAMAGED = "the picture is not finite: the autoencoder's weights may be damaged"


def start_of(job: FrameJob) -> Tensor | None:
    """The latents (1, C, H, W) that a frame begins from, pulled towards its anchor's; None for noise.

    Colours come last: a mean of two pictures has less contrast than either, and is given the anchor's again.
    """
    inputs = job.inputs
    if "start" not in inputs:
        return None
    start = _latents(inputs["start"])
    if job.task.between is not None:
        start = slerp(start, _latents(inputs["towards"]), job.task.between.share)
    if "anchor" in inputs:
        anchor = _latents(inputs["anchor"])
        if job.task.anchor_weight:
            start = torch.lerp(start, anchor, float(job.task.anchor_weight))
        if job.task.anchor_color:
            start = with_colors_of(anchor, start)
    return start


def with_colors_of(anchor: Tensor, latents: Tensor) -> Tensor:
    """Latents (1, C, H, W) with the mean and the standard deviation that each channel has in `anchor`.

    Adaptive instance normalization (Huang and Belongie 2017), in an autoencoder's latents: one line a channel
    moves all values, so that neighbours stay neighbours and no colours are merged into steps. A channel is
    stretched or shrunk to `_STRETCH` times at the most: one that is almost flat is little but noise.
    """
    across = (2, 3)
    mean, wanted = latents.mean(across, keepdim=True), anchor.mean(across, keepdim=True)
    spread, wanted_spread = (
        one.std(across, correction=0, keepdim=True).clamp_min(1e-6) for one in (latents, anchor)
    )
    stretch = (wanted_spread / spread).clamp(1 / _STRETCH, _STRETCH)
    return (latents - mean) * stretch + wanted


def slerp(first: Tensor, second: Tensor, share: float) -> Tensor:
    """What lies a `share` of the way along the arc from one to another, each of them one vector.

    Between pictures' latents a straight line is shorter than both, and grey (Shoemake 1985, "Animating
    rotation with quaternion curves"). Where they point the same way it is the line.
    """
    one, other = first.flatten().double(), second.flatten().double()
    cosine = torch.dot(one, other) / (one.norm() * other.norm()).clamp(min=1e-12)
    angle = torch.acos(cosine.clamp(-1, 1))
    if torch.sin(angle) < 1e-4:
        return torch.lerp(first, second, share)
    weights = (torch.sin((1 - share) * angle), torch.sin(share * angle))
    mixed = (weights[0] * one + weights[1] * other) / torch.sin(angle)
    return mixed.reshape(first.shape).to(first.dtype)


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
