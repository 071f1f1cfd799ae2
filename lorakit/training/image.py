"""`train-image` in its worker: encode once, train, measure, save, load again."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from lorakit.plan.buckets import PictureOrder
from lorakit.rendering.conditioning import Conditioning, Encoder
from lorakit.store import atomic
from lorakit.training import adapter_files, image_model, image_reload
from lorakit.training.curve import write_curve
from lorakit.training.image_data import encode, pixels
from lorakit.training.image_task import ImageTask
from lorakit.training.loop import Loop
from lorakit.training.memory import peak_memory
from lorakit.training.task import LoopSettings, Report

if TYPE_CHECKING:
    from lorakit.training.engine import Job, Trainer


def train(job: Job, report: Report) -> Trainer:
    """Train one adapter; saves a checkpoint where it is closed."""
    params, extra = job["params"], job["extra"]
    out, began = Path(job["out"]), time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    pipeline = image_model.build(params, extra)
    task = yield from _task(pipeline, params, extra)
    settings = LoopSettings.of(
        params["train"],
        seed=params["seed"],
        precision=params["precision"],
        device=extra["device"],
        checkpointing_steps=extra["checkpointing_steps"],
    )
    pictures = range(len(task.prompts))
    before = task.fixed_loss(task.model, pictures, extra["device"])
    loop = Loop(task, settings, Path(job["keep"]))
    # an adapter does nothing before its first step: the base model's own loss, also on going on
    if loop.step_number:
        pipeline.unet.disable_adapters()
        before = task.fixed_loss(task.model, pictures, extra["device"])
        pipeline.unet.enable_adapters()
    try:
        while not loop.done:
            figures = loop.step()
            told = {"loss": figures.loss, "learning_rate": figures.learning_rate}
            told["memory"] = float(figures.memory)
            report(job["id"], figures.step, settings.steps, told)
            yield
        unet = loop.unwrapped()
        after = task.fixed_loss(unet, pictures, extra["device"])
        adapter = image_model.adapter_of(unet)
        file = out / "pytorch_lora_weights.safetensors"
        adapter_files.write(adapter, file)
        yield
        probe = {k: v[:1].cpu() for k, v in task.batch(0).items() if k != "std"}
        probe["latents"], probe["times"] = probe.pop("mean"), torch.tensor([500])
        expected = image_reload.predicted(unet, probe)
        base = Path(extra["model_path"])
        difference = image_reload.check(file, base, extra["family"], probe, expected)
    except GeneratorExit:
        loop.save()
        raise
    seconds = sum(figures.seconds for figures in loop.history)
    found = {
        "kind": "train-image",
        "method": "lora",
        "model": extra["source"],
        "train_samples": len(task.files),
        "pictures_seen": task.order.seen(settings.steps * settings.gradient_accumulation_steps),
        "fixed_loss_before": round(before, 6),
        "fixed_loss_after": round(after, 6),
        "steps": settings.steps,
        "precision": params["precision"],
        "training_seconds": round(seconds, 3),
        "wall_seconds": round(time.monotonic() - began, 3),
        "steps_per_second": round(settings.steps / seconds, 4) if seconds else 0.0,
        "trainable_parameters": sum(p.numel() for p in task.parameters().values()),
        "total_parameters": sum(p.numel() for p in unet.parameters()),
        "saved_bytes": file.stat().st_size,
        "peak_memory": peak_memory(extra["device"]),
        "reloaded_difference": difference,
    }
    return {"adapter": str(file), **_written(out, loop, found)}


def _task(
    pipeline: Any, params: Mapping[str, Any], extra: Mapping[str, Any]
) -> Generator[None, None, ImageTask]:
    """Everything that is the same in each step, computed once."""
    from diffusers import DDPMScheduler

    buckets = [(int(width), int(height)) for width, height in params["buckets"]]
    files = [Path(file) for file in extra["files"]]
    latents = []
    for flip in (False, True) if params["random_flip"] else (False,):
        row = []
        for file, bucket in zip(files, buckets, strict=True):
            row.append(encode(pipeline.vae, pixels(file, bucket, flip=flip)))
            yield
        latents.append(row)
    encoder = Encoder(pipeline, extra["family"], extra["device"])

    def told(text: str, size: tuple[int, int], *, negative: bool = False) -> Conditioning:
        made = encoder(text, size, negative=negative)
        # copies, since what inference made cannot be trained on
        return Conditioning(
            *(
                t.detach().cpu().clone() if t is not None else None
                for t in (made.embeds, made.pooled, made.time_ids)
            )
        )

    prompts = [told(text, size) for text, size in zip(extra["captions"], buckets, strict=True)]
    yield
    return ImageTask(
        model=pipeline.unet,
        scheduler=DDPMScheduler.from_config(pipeline.scheduler.config),
        order=PictureOrder(buckets, params["train"]["batch_size"], params["seed"]),
        latents=latents,
        prompts=prompts,
        empty=[told("", size, negative=True) for size in buckets],
        files=[file.name for file in files],
        snr_gamma=params["snr_gamma"],
        noise_offset=params["noise_offset"],
        caption_dropout=params["caption_dropout"],
    )


def _written(out: Path, loop: Loop, found: Mapping[str, Any]) -> dict[str, str]:
    atomic.write_json(out / "metrics.json", found)
    log = "".join(json.dumps(figures.as_json()) + "\n" for figures in loop.history)
    atomic.write_bytes(out / "metrics.jsonl", log.encode())
    ends = [(1, found["fixed_loss_before"]), (loop.settings.steps, found["fixed_loss_after"])]
    losses = [figures.loss for figures in loop.history]
    write_curve(out / "loss_curve.png", losses, "loss: adapter of pictures", ends)
    return {
        "metrics": str(out / "metrics.json"),
        "log": str(out / "metrics.jsonl"),
        "curve": str(out / "loss_curve.png"),
    }
