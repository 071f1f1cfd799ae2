"""The render engine: one model, kept warm, drawing the frames it is given."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from lorakit.cpu.heap import keep_freed_memory
from lorakit.cpu.rowwise import compute_row_by_row
from lorakit.facts.machine.devices import HOST
from lorakit.models.loading import drawing_pipeline
from lorakit.models.processor import wait_for
from lorakit.models.tiles import decode_in_tiles
from lorakit.models.wearing import Dressing
from lorakit.plan.engine_specs import DrawingSpec
from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.tasks.job import Report
from lorakit.rendering.batch_sizes import BatchSizes
from lorakit.rendering.call_times import CallTimes
from lorakit.rendering.cross_attention_cache import Stacker, cache_projections
from lorakit.rendering.frame_files import (
    DAMAGED,
    FrameJob,
    drawn,
    failed,
    not_finite,
    references_of,
    start_of,
)
from lorakit.rendering.known_batch_sizes import KnownBatchSizes
from lorakit.rendering.latent_preview import LatentPreview
from lorakit.rendering.prompt_encoder import Conditioning, PromptEncoder, mixed
from lorakit.rendering.row_sorts import Sort, sort_of
from lorakit.rendering.schedules import Schedule
from lorakit.rendering.subject_tokens import subject_tokens
from lorakit.rendering.wave import Reference, Row, advance, advance_trying, predictor


class RenderEngine:
    """Draws frames in waves. One step of the engine is one UNet call, or the end of one frame.

    A job ends as `{"id", "outputs": {"picture": path, "latents": path}}` or `{"id", "error"}`.
    """

    def __init__(self, spec: DrawingSpec, report: Report) -> None:
        keep_freed_memory()
        self.calls: Counter[str] = Counter()
        self._pipeline = drawing_pipeline(spec)
        self._count_calls()
        self._dressing = Dressing(self._pipeline, spec)
        compute_row_by_row(self._pipeline.unet)
        self._forget_projections = cache_projections(self._pipeline.unet)
        self._stacks = Stacker(), Stacker()
        self._device = spec.device
        self._factor = spec.vae_factor
        self._batch_size = spec.batch_size
        self._predict = predictor(self._pipeline.unet, spec.device)
        self._report = report
        self._preview = LatentPreview(spec)
        self._waiting: list[FrameJob] = []
        self._rows: dict[str, Row] = {}
        self._jobs: dict[str, FrameJob] = {}
        self._began: dict[str, float] = {}
        self._turn = 0
        self._begin_anew(spec)

    def _begin_anew(self, spec: DrawingSpec) -> None:
        """Know nothing that was found with other weights."""
        self._forget_projections()
        self._encoder = PromptEncoder(self._pipeline, spec.family, spec.device)
        known = KnownBatchSizes(Path(spec.batch_sizes) if spec.batch_sizes else None, spec)
        self._batch_sizes = BatchSizes(self._batch_size, known)
        self._call_times = CallTimes(known)

    def becomes(self, spec: DrawingSpec) -> bool:
        """Wear other adapters, where a spec asks for nothing else; else False. Raises LorakitError."""
        changed = self._dressing.becomes(spec)
        if changed:
            self._begin_anew(spec)
        return changed

    def _count_calls(self) -> None:
        def counting(name: str) -> Callable[..., None]:
            def count(*_: object) -> None:
                self.calls[name] += 1

            return count

        pipeline = self._pipeline
        pipeline.unet.register_forward_hook(counting("unet"))
        for part in ("text_encoder", "text_encoder_2"):
            encoder = getattr(pipeline, part, None)
            if encoder is not None:
                encoder.register_forward_hook(counting("text_encoder"))
        pipeline.vae.decoder.register_forward_hook(counting("vae_decoder"))
        pipeline.vae.encoder.register_forward_hook(counting("vae_encoder"))

    @property
    def busy(self) -> bool:
        """Whether there is work left."""
        return bool(self._waiting or self._rows)

    def submit(self, job: FrameJob) -> None:
        """Take a job; it begins when a row is free."""
        self._waiting.append(job)

    def drop(self) -> None:
        """Let go of all that waits or is under way; the model stays."""
        self._waiting.clear()
        self._rows.clear()
        self._jobs.clear()
        self._began.clear()

    def step(self) -> Iterator[Mapping[str, Any]]:
        """One UNet call; the jobs that ended with it, each as soon as it is drawn.

        While one picture is decoded, the runner keeps the one before and sends what follows it.
        """
        yield from self._fill()
        if not self._rows:
            return
        rows = self._choose()
        self._advance(rows)
        self.calls["rows"] += len(rows)
        for row in rows:
            preview = partial(self._preview.picture, row.latents)
            self._report(row.id, row.index, len(row.schedule), None, preview)
        for row in rows:
            if row.done:
                yield self._finish(self._rows.pop(row.id))

    def _fill(self) -> list[Mapping[str, Any]]:
        ended: list[Mapping[str, Any]] = []
        while self._waiting and len(self._rows) < self._batch_size:
            job = self._waiting.pop(0)
            try:
                self._rows[job.id] = self._begin(job)
                self._jobs[job.id] = job
                self._began[job.id] = time.monotonic()
            except (OSError, ValueError, RuntimeError) as error:
                ended.append(failed(job, f"{error}"))
        return ended

    def _choose(self) -> list[Row]:
        """Rows of one sort; sorts take turns, so that none waits for ever."""
        sorts: dict[Sort, list[Row]] = {}
        for row in self._rows.values():
            sorts.setdefault(sort_of(row), []).append(row)
        self._turn += 1
        return list(sorts.values())[self._turn % len(sorts)]

    def _advance(self, rows: Sequence[Row]) -> None:
        """One step of rows of one sort, in the quickest calls that are known to give the full one's bits."""
        sort = sort_of(rows[0])
        calls = max(len(row.schedule) - row.index for row in rows)
        batch_size, smaller = self._batch_sizes.choose(sort, len(rows), calls)
        if smaller is None:
            equals = self._batch_sizes.equal(sort)
            parts = self._call_times.parts(sort, len(rows), batch_size, equals)
            for size, stack in zip(parts, self._stacks, strict=False):
                part, rows = rows[:size], rows[size:]
                began = time.monotonic()
                advance(part, size, self._predict, stack)
                if self._call_times.wanted(sort, size):
                    wait_for(self._device)
                    self._call_times.tell(sort, size, time.monotonic() - began)
            return
        equal = advance_trying(rows, batch_size, smaller, self._predict, self._stacks[0])
        self._batch_sizes.tell(sort, smaller, equal=equal)
        # the try drew nothing
        self.calls["unet_trials"] += 1
        self.calls["unet"] -= 1

    def _begin(self, job: FrameJob) -> Row:
        task = job.task
        generator = torch.Generator(HOST).manual_seed(task.noise)
        channels = self._pipeline.unet.config.in_channels
        size = (task.width, task.height)
        shape = (1, channels, size[1] // self._factor, size[0] // self._factor)
        noise = torch.randn(shape, generator=generator)
        start = start_of(job)
        if start is not None and tuple(start.shape) != shape:
            raise ValueError(f"latents of {tuple(start.shape)} cannot start a frame of {shape}")
        schedule = Schedule(
            self._pipeline.scheduler,
            task.scheduler,
            task.num_inference_steps,
            task.strength if start is not None else 1.0,
            generator,
            karras=task.use_karras_sigmas,
            device=self._device,
        )
        scale = float(task.guidance_scale)
        positive, negative, references = self._words(task, self._references(job, shape))
        return Row(
            job.id,
            schedule,
            schedule.begin(noise, start),
            positive,
            negative,
            scale,
            guidance_embed=self._guidance_embed(scale),
            references=references,
            chunks=positive.embeds.shape[1] // self._pipeline.tokenizer.model_max_length,
        )

    def _words(
        self, task: FrameTask, references: tuple[Reference, ...]
    ) -> tuple[Conditioning, Conditioning, tuple[Reference, ...]]:
        """What a frame shows, what it shall not, and what its references do: all of one length."""
        size = (task.width, task.height)
        skip, weighted = task.clip_skip, bool(task.encoded_by)
        positive = self._encoder(
            task.prompt, size, negative=False, clip_skip=skip, weighted=weighted
        )
        # as diffusers has it: what a picture shall not show is told by all layers
        negative = self._encoder(task.negative_prompt, size, negative=True, weighted=weighted)
        there = positive
        if task.between is not None:
            there = self._encoder(
                task.between.prompt, size, negative=False, clip_skip=skip, weighted=weighted
            )
        told = [positive, there, negative, *(reference.positive for reference in references)]
        skips = [skip, skip, 0, *[skip] * len(references)]
        positive, there, negative, *seen = self._encoder.alike(told, skips)
        if task.between is not None:
            positive = mixed(positive, there, task.between.share)
        alike = zip(references, seen, strict=True)
        return positive, negative, tuple(replace(one, positive=words) for one, words in alike)

    def _references(self, job: FrameJob, shape: tuple[int, ...]) -> tuple[Reference, ...]:
        """The frames that this one's self-attention sees, with the noise that each began from."""
        found = []
        size = (job.task.width, job.task.height)
        subjects = job.task.shared_words or (None,) * len(job.task.shared_attention)
        for latents, (prompt, seed), subject in zip(
            references_of(job), job.task.shared_attention, subjects, strict=True
        ):
            if tuple(latents.shape) != shape:
                raise ValueError(f"latents of {tuple(latents.shape)} beside a frame of {shape}")
            noise = torch.randn(shape, generator=torch.Generator(HOST).manual_seed(seed))
            words = self._encoder(
                prompt, size, negative=False, clip_skip=job.task.clip_skip, weighted=True
            )
            tokens = None
            if subject is not None:
                tokens = subject_tokens(self._pipeline.tokenizer, prompt, subject).to(self._device)
            found.append(Reference(latents, noise, words, tokens))
        return tuple(found)

    def _guidance_embed(self, scale: float) -> Tensor | None:
        """What a UNet is told of the guidance scale, if it is one that is (Luo et al. 2023)."""
        width = self._pipeline.unet.config.time_cond_proj_dim
        if width is None:
            return None
        # counted from 1 on, where guidance begins
        embed: Tensor = self._pipeline.get_guidance_scale_embedding(
            torch.tensor([scale - 1.0]), embedding_dim=width
        )
        return embed.to(self._device)

    @torch.inference_mode()
    def _decode(self, latents: Tensor, *, tiled: bool) -> Image.Image:
        vae = self._pipeline.vae
        decode_in_tiles(vae, tiled=tiled)
        scaled = latents / vae.config.scaling_factor + (
            getattr(vae.config, "shift_factor", None) or 0
        )
        # to the CPU at once: to ask the device whether they are finite would be to wait for it twice
        pixels = vae.decode(scaled.to(vae.dtype), return_dict=False)[0].float().cpu()
        if not torch.isfinite(pixels).all():
            raise ValueError(DAMAGED)
        picture: Image.Image = self._pipeline.image_processor.postprocess(
            pixels, output_type="pil"
        )[0]
        return picture

    def _finish(self, row: Row) -> Mapping[str, Any]:
        job, began = self._jobs.pop(row.id), self._began.pop(row.id)
        latents = row.latents.contiguous().cpu()
        if wrong := not_finite(latents):
            return failed(job, wrong)
        try:
            picture = self._decode(row.latents.contiguous(), tiled=job.task.vae_tiling)
        except ValueError as error:
            return failed(job, str(error))
        self._preview.learn(latents, picture)
        return drawn(job, picture, latents, time.monotonic() - began)
