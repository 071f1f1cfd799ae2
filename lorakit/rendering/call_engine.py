"""The call engine: a frame is one call of diffusers' own pipeline, whose loop stays diffusers'.

Nothing of a family's mathematics stands here. The pipeline encodes the words, draws the noise from the
frame's generator, steps and decodes; its callback tells of each step, and hands over the last latents, which
a chained frame's call is given as its `image`. A frame is byte for byte what that call by hand gives.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from lorakit.cpu.heap import keep_freed_memory
from lorakit.diagnostics import LorakitError
from lorakit.families import FAMILIES, Task
from lorakit.models.control_nets import load_control_net
from lorakit.models.ip_adapters import WornIpAdapter
from lorakit.models.loading import drawing_pipeline
from lorakit.models.pipelines import for_task
from lorakit.models.placing import place_again
from lorakit.models.quickening import in_one_context
from lorakit.models.tiles import decode_in_tiles
from lorakit.models.wearing import Dressing
from lorakit.models.words_between import told_between
from lorakit.plan.engine_specs import DrawingSpec
from lorakit.plan.tasks.job import Report
from lorakit.rendering.call_arguments import arguments, inputs_of, kept
from lorakit.rendering.encoded_once import encode_once
from lorakit.rendering.frame_files import DAMAGED, FrameJob, drawn, failed, not_finite
from lorakit.rendering.latent_preview import LatentPreview
from lorakit.rendering.schedules import scheduler_of
from lorakit.store.sources import SourceReading


@contextlib.contextmanager
def _seeded(noise: int, device: str) -> Iterator[None]:
    """Have torch's own generators begin from a frame's seed: no frame depends on what was drawn before it.

    Some of diffusers' pipelines encode a ControlNet's map with noise that they take from there.
    """
    # not torch.manual_seed: it would seed whatever else is registered, which need not have a generator
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(noise)
        seed = getattr(torch.get_device_module(torch.device(device)), "manual_seed", None)
        if seed is not None:
            seed(noise)
        yield


class _StoppedError(Exception):
    """The run was stopped within a call."""


class CallEngine:
    """Draws one frame after the other. One step of the engine is one frame.

    A job ends as `RenderEngine`'s do. Where a report says that the run is over, the call under way is left at
    its next step.
    """

    def __init__(self, spec: DrawingSpec, report: Report) -> None:
        keep_freed_memory()
        self.calls: Counter[str] = Counter()
        self._family = FAMILIES[spec.family]
        pipeline = drawing_pipeline(spec, stock=True)
        self._spec = spec
        self._control_nets: dict[str, Any] = {}
        self._scheduler = pipeline.scheduler
        self._pipelines: dict[tuple[Task, str], Any] = {}
        self._components = pipeline
        self._dressing = Dressing(pipeline, spec)
        self._forget: list[Callable[[], None]] = []
        self._ip_adapter = WornIpAdapter(pipeline)
        self._report = report
        self._preview = LatentPreview(spec)
        self._waiting: list[FrameJob] = []
        self._finite = True
        parts = (self._family.denoiser, "vae", "scheduler")
        self._configs = {"": pipeline.config, **{p: getattr(pipeline, p).config for p in parts}}
        self._watch(pipeline)

    def _watch(self, pipeline: Any) -> None:
        def read() -> None:
            self.calls["text_encoder"] += 1

        def count(*_: object) -> None:
            self.calls["unet"] += 1

        def decoded(_module: Any, _inputs: Any, pixels: Tensor) -> None:
            self.calls["vae_decoder"] += 1
            # tile by tile, or all at once
            self._finite = self._finite and bool(torch.isfinite(pixels).all())

        for name in self._family.encoders:
            encoder = getattr(pipeline, name)
            if encoder is not None:  # some may be left out of a model
                self._forget.append(encode_once(encoder, read))
        getattr(pipeline, self._family.denoiser).register_forward_hook(count)
        pipeline.vae.decoder.register_forward_hook(decoded)

    def becomes(self, spec: DrawingSpec) -> bool:
        """Wear other adapters, where a spec asks for nothing else; else False. Raises LorakitError."""
        changed = self._dressing.becomes(spec)
        for forget in self._forget if changed else ():
            forget()
        return changed

    @property
    def busy(self) -> bool:
        """Whether there is work left."""
        return bool(self._waiting)

    def submit(self, job: FrameJob) -> None:
        """Take a job."""
        self._waiting.append(job)

    def drop(self) -> None:
        """Let go of all that waits; the model stays."""
        self._waiting.clear()

    def step(self) -> Iterator[Mapping[str, Any]]:
        """Draw the next frame; how its job ended."""
        job = self._waiting[0]
        try:
            ended = self._draw(job)
        except _StoppedError:
            return  # the worker is told why next, and what waits is let go
        except (LorakitError, OSError, ValueError, RuntimeError) as error:
            ended = failed(job, f"{error}")
        self._waiting.pop(0)
        yield ended

    def _draw(self, job: FrameJob) -> Mapping[str, Any]:
        began = time.monotonic()
        task, last = job.task, list[Tensor]()

        def preview() -> bytes | None:
            now = self._unpacked(pipeline, last[0], task.width, task.height)
            return self._preview.picture(now, task.width / task.height)

        def stepped(
            pipeline: Any, index: int, _time: Any, values: dict[str, Any]
        ) -> dict[str, Any]:
            last[:] = [values["latents"]]
            told = self._report(job.id, index + 1, pipeline.num_timesteps, None, preview)
            if told is False:
                raise _StoppedError
            return values

        kind, pictures = inputs_of(job)
        pipeline = self._pipeline(kind, job)
        self._wear(job)
        given = arguments(task, pictures, pipeline, self._family)
        given |= self._family.call(self._configs, (task.width, task.height))
        if task.between is not None:
            there, share = task.between.prompt, task.between.share
            given = told_between(pipeline, self._family.encoded, given, there, share)
        self._finite = True
        decode_in_tiles(pipeline.vae, tiled=task.vae_tiling)
        denoiser = getattr(pipeline, self._family.denoiser)
        try:
            with _seeded(task.noise, self._spec.device), in_one_context(denoiser):
                picture: Image.Image = pipeline(**given, callback_on_step_end=stepped).images[0]
        except BaseException:
            pipeline.maybe_free_model_hooks()  # as at a call's end: nothing is left for the next
            raise
        latents = self._unpacked(pipeline, last[0], task.width, task.height)
        self._preview.learn(latents, picture)
        picture = kept(picture, pictures)
        wrong = not_finite(latents) or ("" if self._finite else DAMAGED)
        if wrong:
            return failed(job, wrong)
        return drawn(job, picture, latents, time.monotonic() - began)

    def _pipeline(self, kind: Task, job: FrameJob) -> Any:
        """The pipeline for a task, with the ControlNet that it needs; each is put together once."""
        task = job.task
        path = task.control.path if task.control else ""
        union: Task = "control-union" if kind == "control" else "control-image-union"
        if task.control and task.control.mode is not None and union in self._family.pipelines:
            kind = union
        if (kind, path) not in self._pipelines:
            more = {"controlnet": self._control_net(path, job)} if path else {}
            made = for_task(self._components, self._family, kind, **more)
            if made is not self._components:
                place_again(made, self._spec.device, self._spec.keeping.offload)
            self._pipelines[kind, path] = made
        pipeline = self._pipelines[kind, path]
        if self._family.waves:
            # of its own for each frame, as a call by hand has it
            pipeline.scheduler = scheduler_of(
                self._scheduler, task.scheduler, karras=task.use_karras_sigmas
            )
        return pipeline

    def _wear(self, job: FrameJob) -> None:
        """Put on what a frame sees references through, or take it off."""
        worn = job.task.ip_adapter
        if worn is None:
            self._ip_adapter.take_off()
            return
        reading = SourceReading(job.reads)
        reading.begin()
        self._ip_adapter.wear(worn.file, worn.scales)
        reading.end()

    def _control_net(self, path: str, job: FrameJob) -> Any:
        if path not in self._control_nets:
            like = getattr(self._components, self._family.denoiser)
            reading = SourceReading(job.reads)
            reading.begin()
            net = load_control_net(Path(path), self._family, like, self._spec.device)
            reading.end()

            def count(*_: object) -> None:
                self.calls["controlnet"] += 1

            net.register_forward_hook(count)
            self._control_nets[path] = net
        return self._control_nets[path]

    def _unpacked(self, pipeline: Any, latents: Tensor, width: int, height: int) -> Tensor:
        """Latents as the pipeline for pictures takes them, (1, C, H, W), in fp32 on the CPU."""
        unpack = getattr(pipeline, "_unpack_latents", None)
        if unpack is not None:
            latents = unpack(latents, height, width, pipeline.vae_scale_factor)
        if latents.dim() == 5:  # one frame of a video
            latents = latents.squeeze(2)
        return latents.float().cpu().contiguous()
