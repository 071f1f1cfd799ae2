"""`train-image` in its worker: an adapter for pictures, or a whole model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lorakit.diagnostics import LorakitError
from lorakit.facts.adapters import trained_file
from lorakit.families import FAMILIES
from lorakit.models.processor import free_device
from lorakit.plan.buckets import PictureOrder
from lorakit.plan.tasks.job import Job
from lorakit.plan.tasks.training import TrainImageTask
from lorakit.training import image_model, image_reload
from lorakit.training.evaluation_log import EvaluationLog
from lorakit.training.flow_task import FlowTask
from lorakit.training.image_batches import ImageBatches
from lorakit.training.image_start import start_from
from lorakit.training.image_task import ImageTask
from lorakit.training.loop import Loop
from lorakit.training.networks import KeptWords, Networks, Words
from lorakit.training.trainer import Trainer

_MEASURED = 8  # trained pictures whose loss is measured where none is held out
_UNET = "model/unet/diffusion_pytorch_model.safetensors"


class ImageTrainer(Trainer[TrainImageTask]):
    """Trains on pictures' latents and captions' embeds."""

    def __init__(self, job: Job[TrainImageTask]) -> None:
        super().__init__(job)
        if not self.task.held_out_samples:
            self.measured, self.dots = "fixed", "at fixed noise"

    def prepare(self) -> ImageTask:
        """Build the networks; remember what they say untrained, to see later what the training changed."""
        text = self.task.train_text_encoder
        words = text or self.task.shuffle_tags
        pipeline = image_model.build(self.task, words=words)
        encoding = encoding_of(self.task)
        networks = Networks(pipeline, self.task.family, text=text, **encoding)
        self._learner = image_task(pipeline, networks, self.task, self.inputs)
        self._probe = image_reload.probe_of(self._learner)
        self._untrained = image_reload.predicted(networks, self._probe)
        if self.start is not None:  # after that: its effect is part of what must arrive
            start_from(networks, self.start)
        self._version = base_version(self.task.family, pipeline)
        return self._learner

    def losses(self, loop: Loop) -> Iterator[float]:
        """The losses of the pictures held out, or of some that are trained on."""
        chosen = self.task.held_out_samples or self.task.samples[:_MEASURED]
        device, seed = loop.accelerator.device, self.task.seed
        yield from self._learner.fixed_losses(loop.single, chosen, device, seed)

    def save_adapter(self, model: Any, folder: Path) -> Mapping[str, str]:
        """In diffusers' layout, or PEFT's for what diffusers has none for."""
        lora = self.task.lora
        assert lora is not None
        file = folder / trained_file(lora.peft_type or "lora")
        return image_model.save_adapter(model, lora, file, self._version)

    def save(self, model: Any) -> dict[str, str]:
        """An adapter, or a whole pipeline."""
        return image_model.save(model, self.task, self.out, self._version)

    def reloaded(self, model: Any, outputs: Mapping[str, str]) -> float:
        """How far its prediction is from that of what a fresh process loads."""
        what = self.out / "model" if self.full else Path(outputs["adapter"])
        base, family = Path(self.task.model_path), self.task.family
        expected = image_reload.predicted(model, self._probe)
        free_device(model)
        encoding, device = encoding_of(self.task), self.task.device
        return image_reload.check(
            what,
            base,
            family,
            self._probe,
            expected,
            self._untrained,
            encoding,
            device,
            self.task.model_parts,
            (self.task.frozen or "fp32", self.task.weight_bits),
        )

    def figures(self, loop: Loop, log: EvaluationLog, outputs: Mapping[str, str]) -> dict[str, Any]:
        """Pictures, and the losses before and after."""
        passes = loop.settings.steps * loop.settings.gradient_accumulation_steps
        samples, held_out = self.task.samples, self.task.held_out_samples
        saved = (Path(path) for name, path in outputs.items() if name in ("adapter", _UNET))
        return {
            "train_samples": sum(not sample.prior for sample in samples),
            "test_samples": len(held_out),
            f"{self.measured}_loss_before": round(log.first, 6),
            f"{self.measured}_loss": round(log.losses[self.step_kept(log)], 6),
            "pictures_seen": self._learner.batches.order.seen(passes),
            "saved_bytes": sum(file.stat().st_size for file in saved),
        }

    def title(self) -> str:
        """The method and the number of pictures."""
        count = sum(not sample.prior for sample in self.task.samples)
        return f"{self.task.method} training on {count} pictures"


def encoding_of(task: TrainImageTask) -> dict[str, int]:
    """How captions are encoded: in how many chunks, with how many layers left out."""
    return {"chunks": task.max_token_length // 75, "clip_skip": task.clip_skip}


def base_version(family: str, pipeline: Any) -> str:
    """What sd-scripts calls a base model: `sd_v1`, `sd_v2`, `sd_v2_v`, `sdxl_base_v1-0`, `flux1`."""
    told = FAMILIES[family].kohya
    if told or FAMILIES[family].denoiser != "unet":
        return told
    # Stable Diffusion 2 reads OpenCLIP's words through linear projections
    version = "sd_v2" if pipeline.unet.config.use_linear_projection else "sd_v1"
    v = pipeline.scheduler.config.get("prediction_type") == "v_prediction"
    return f"{version}_v" if v else version


def image_task(
    pipeline: Any, networks: Networks, task: TrainImageTask, inputs: Mapping[str, str]
) -> ImageTask:
    """What a job trains `networks` on; `inputs` are files by role. Raises LorakitError."""
    from diffusers import DDPMScheduler, FlowMatchEulerDiscreteScheduler

    live, shuffle = task.train_text_encoder, task.shuffle_tags
    samples, schedule = task.samples, task.schedule
    buckets = [samples[place].bucket for place in schedule]
    words = Words(pipeline, task.family, **encoding_of(task))
    batches = ImageBatches(
        samples=samples,
        schedule=schedule,
        order=PictureOrder(buckets, task.train.batch_size, task.seed),
        inputs=inputs,
        large=FAMILIES[task.family].pooled,
        words=KeptWords(words) if shuffle and not live else None,
        live=live,
        empty=task.empty,
        dropout=task.caption_dropout,
        shuffle=shuffle,
        keep=task.keep_tags,
        trigger=task.trigger_word,
        prior_weight=task.prior_loss_weight,
    )
    settings = dict(pipeline.scheduler.config)
    flow = FAMILIES[task.family].flow
    if flow is not None:
        schedule = FlowMatchEulerDiscreteScheduler.from_config(settings)
        return FlowTask(
            networks,
            schedule,
            batches,
            spread=flow.spread,
            weighting=flow.weighting,
            preconditioned=flow.preconditioned,
        )
    if task.prediction_type != "auto":
        settings["prediction_type"] = task.prediction_type
    scheduler = DDPMScheduler.from_config(settings)
    if scheduler.config.prediction_type not in ("epsilon", "v_prediction"):
        said = scheduler.config.prediction_type
        raise LorakitError(f"this model predicts {said}; prediction_type: epsilon or v_prediction")
    return ImageTask(networks, scheduler, batches, task.snr_gamma, task.noise_offset)
