"""`train-image` in its worker: train, measure, save, load again."""

from __future__ import annotations

import shutil
import time
from collections.abc import Generator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lorakit.diagnostics import LorakitError
from lorakit.facts.adapters import PEFT_FILE, trained_file
from lorakit.plan.buckets import PictureOrder
from lorakit.store import atomic
from lorakit.training import image_model, image_reload
from lorakit.training.checkpoints import Checkpoints
from lorakit.training.curve import write_curve
from lorakit.training.held_out import HeldOut
from lorakit.training.image_batches import ImageBatches
from lorakit.training.image_task import ImageTask
from lorakit.training.loop import Figures, Loop
from lorakit.training.memory import peak_memory
from lorakit.training.networks import KeptWords, Networks, Words
from lorakit.training.task import LoopSettings, Report

if TYPE_CHECKING:
    from lorakit.training.engine import Job, Trainer

_MEASURED = 8  # trained pictures whose loss is measured where none is held out


def train(job: Job, report: Report) -> Trainer:
    """Train an adapter or a whole model; saves a checkpoint where it is closed."""
    params, extra = job["params"], job["extra"]
    out, keep, began = Path(job["out"]), Path(job["keep"]), time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    text = bool(params["train_text_encoder"])
    pipeline = image_model.build(params, extra, words=text or params["shuffle_tags"])
    networks = Networks(pipeline, extra["family"], text=text)
    task = _task(pipeline, networks, params, extra, job["inputs"])
    settings = LoopSettings.of(
        params["train"],
        seed=params["seed"],
        precision=params["precision"],
        device=extra["device"],
        checkpointing_steps=extra["checkpointing_steps"],
        trackers=tuple(extra["trackers"]),
    )
    sampled: list[int] = extra["sampled_steps"]
    _forget_what_lacks_samples(keep, sampled)
    probe = image_reload.probe_of(task)
    untrained = image_reload.predicted(networks, probe)
    loop = Loop(task, settings, keep, Path(job["logs"]))
    version = base_version(extra["family"], pipeline)
    which = "held_out" if extra["held_out_items"] else "fixed"

    def measure() -> Generator[float, None, None]:
        held = extra["held_out_items"] or extra["items"][:_MEASURED]
        with loop.averaged():
            yield from task.fixed_losses(loop.single, held, loop.accelerator.device, params["seed"])

    keep_sampled = partial(_keep_sampled, loop, keep, sampled, params.get("lora", {}), version)
    losses = HeldOut(
        keep / "held_out.jsonl", settings.steps, loop.step_number, measure, leads=loop.leads
    )
    keep_sampled()  # a kill may have come between this step's checkpoint and its adapter
    try:
        if losses.due(loop.step_number):
            yield from losses.measured(loop.step_number)
        while not loop.done:
            figures = loop.step()
            keep_sampled()  # before anything can end this process in good order
            report(
                job["id"], figures.step, settings.steps, _told(figures, losses, which, loop.seconds)
            )
            yield
            if losses.due(loop.step_number):
                yield from losses.measured(loop.step_number)
                loop.tell(**{f"{which}_loss": losses.last})
        if not loop.leads:
            return {}
        loop.close()
        with loop.averaged():
            trained = loop.unwrapped()
            outputs = _saved(trained, params, extra, out, version)
            yield
            expected = image_reload.predicted(trained, probe)
            what = out / "model" if params["method"] == "full" else Path(outputs["adapter"])
            base = Path(extra["model_path"])
            difference = image_reload.check(what, base, extra["family"], probe, expected, untrained)
            whole = sum(p.numel() for p in trained.parameters())
    except GeneratorExit:
        loop.save()
        raise
    outputs |= {f"adapter_{at}": _handed_out(keep, at, out) for at in sampled}
    found = {
        "kind": "train-image",
        "method": params["method"],
        "model": extra["source"],
        "train_samples": sum(not item["prior"] for item in extra["items"]),
        "test_samples": len(extra["held_out_items"]),
        f"{which}_loss_before": round(losses.first, 6),
        f"{which}_loss": round(losses.last, 6),
        "precision": params["precision"],
        **_cost(loop, task),
        "wall_seconds": round(loop.wall_seconds(began), 3),
        "total_parameters": whole,
        "saved_bytes": sum(
            Path(path).stat().st_size
            for name, path in outputs.items()
            if name in ("adapter", "model/unet/diffusion_pytorch_model.safetensors")
        ),
        "reloaded_difference": difference,
    }
    return {**outputs, **_written(out, loop, losses, found, which)}


def _cost(loop: Loop, task: ImageTask) -> dict[str, Any]:
    """What the steps took."""
    settings = loop.settings
    seconds = sum(figures.seconds for figures in loop.history)
    passes = settings.steps * settings.gradient_accumulation_steps
    return {
        "steps": settings.steps,
        "pictures_seen": task.batches.order.seen(passes),
        "training_seconds": round(seconds, 3),
        "steps_per_second": round(settings.steps / seconds, 4) if seconds else 0.0,
        "trainable_parameters": sum(p.numel() for p in task.parameters().values()),
        "peak_memory": peak_memory(settings.device),
    }


def _told(figures: Figures, losses: HeldOut, which: str, seconds: float) -> dict[str, float]:
    """What is shown of a step."""
    told = {
        "loss": figures.loss,
        "learning_rate": figures.learning_rate,
        "memory": float(figures.memory),
        "training_seconds": seconds,
    }
    return told | ({f"{which}_loss": losses.last} if losses.losses else {})


def base_version(family: str, pipeline: Any) -> str:
    """What sd-scripts calls a base model: `sd_v1`, `sd_v2`, `sd_v2_v`, `sdxl_base_v1-0`."""
    if family == "sdxl":
        return "sdxl_base_v1-0"
    # Stable Diffusion 2 reads OpenCLIP's words through linear projections
    version = "sd_v2" if pipeline.unet.config.use_linear_projection else "sd_v1"
    v = pipeline.scheduler.config.get("prediction_type") == "v_prediction"
    return f"{version}_v" if v else version


def _task(
    pipeline: Any,
    networks: Networks,
    params: Mapping[str, Any],
    extra: Mapping[str, Any],
    inputs: Mapping[str, str],
) -> ImageTask:
    from diffusers import DDPMScheduler

    live, shuffle = params["train_text_encoder"], params["shuffle_tags"]
    items, slots = extra["items"], extra["slots"]
    buckets = [(int(w), int(h)) for w, h in (items[slot]["bucket"] for slot in slots)]
    batches = ImageBatches(
        items=items,
        slots=slots,
        order=PictureOrder(buckets, params["train"]["batch_size"], params["seed"]),
        inputs=inputs,
        large=extra["family"] == "sdxl",
        words=KeptWords(Words(pipeline, extra["family"])) if shuffle and not live else None,
        live=live,
        empty=extra.get("empty"),
        dropout=params["caption_dropout"],
        shuffle=shuffle,
        keep=params["keep_tags"],
        trigger=params.get("trigger_word", ""),
        prior_weight=params["prior_loss_weight"],
    )
    settings = dict(pipeline.scheduler.config)
    if params["prediction_type"] != "auto":
        settings["prediction_type"] = params["prediction_type"]
    scheduler = DDPMScheduler.from_config(settings)
    if scheduler.config.prediction_type not in ("epsilon", "v_prediction"):
        said = scheduler.config.prediction_type
        raise LorakitError(f"this model predicts {said}; prediction_type: epsilon or v_prediction")
    return ImageTask(networks, scheduler, batches, params["snr_gamma"], params["noise_offset"])


def _sampled(keep: Path, step: int) -> Path:
    return keep / f"adapter-{step:08d}" / PEFT_FILE


def _keep_sampled(
    loop: Loop, keep: Path, sampled: list[int], lora: Mapping[str, Any], version: str
) -> None:
    """Write the adapter of this step, if it is to be sampled."""
    if loop.leads and loop.step_number in sampled:
        with loop.averaged():
            image_model.save_adapter(loop.single, lora, _sampled(keep, loop.step_number), version)


def _handed_out(keep: Path, step: int, out: Path) -> str:
    """A copy of a checkpoint's adapter: the other is kept until all is done."""
    target = out / f"step_{step:06d}.safetensors"
    shutil.copyfile(_sampled(keep, step), target)
    return str(target)


def _forget_what_lacks_samples(keep: Path, sampled: list[int]) -> None:
    """Go on from before the first sampled step whose adapter is not there: no other makes it again.

    The adapter of a checkpoint's own step is made from its weights. Several processes do this at once.
    """
    checkpoints = Checkpoints(keep)
    missing = [at for at in sampled if not _sampled(keep, at).is_file()]
    for step in checkpoints.steps():
        if missing and step > missing[0]:
            checkpoints.path(step).unlink(missing_ok=True)


def _saved(
    trained: Any, params: Mapping[str, Any], extra: Mapping[str, Any], out: Path, version: str
) -> dict[str, str]:
    if params["method"] == "full":
        base, files = Path(extra["model_path"]), list(extra["model_files"])
        return image_model.save_whole(trained, base, out / "model", files)
    file = out / trained_file(params["lora"]["peft_type"])
    return image_model.save_adapter(trained, params["lora"], file, version)


def _written(
    out: Path, loop: Loop, losses: HeldOut, found: Mapping[str, Any], which: str
) -> dict[str, str]:
    atomic.write_json(out / "metrics.json", found)
    lines = losses.beside(loop.history, f"{which}_loss")
    atomic.write_bytes(out / "metrics.jsonl", "".join(lines).encode())
    title = f"loss: {found['method']} training on {found['train_samples']} pictures"
    words = "held out" if which == "held_out" else "at fixed noise"
    losses_of_steps = [f.loss for f in loop.history]
    write_curve(out / "loss_curve.png", losses_of_steps, title, losses.points(), words)
    return {
        "metrics": str(out / "metrics.json"),
        "log": str(out / "metrics.jsonl"),
        "curve": str(out / "loss_curve.png"),
    }
