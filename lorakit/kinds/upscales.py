"""Frames that are made larger once they are drawn: actions behind them, which draw none of them again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from lorakit.facts.models.upscale_models import UpscaleModel
from lorakit.kinds.frames.settings import RenderSettings
from lorakit.kinds.sheet import ASSEMBLY
from lorakit.language.story.documents import Sentence
from lorakit.language.story.upscales import IMG2IMG, LANCZOS, Upscale
from lorakit.language.story.weights import plain
from lorakit.plan import schedulers
from lorakit.plan.actions import Action, Engine, Input
from lorakit.plan.cost import Cost
from lorakit.plan.kind import Clip
from lorakit.plan.seeds import derive
from lorakit.plan.specs_beside import UpscaleSpec
from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.tasks.upscale import EnlargeTask, UpscaleTask
from lorakit.plan.workers import UPSCALE
from lorakit.records import record
from lorakit.store.canonical import digest_of

_SECONDS = 2e-8  # to interpolate a pixel and keep it, about
_OPERATIONS = (
    4e6  # of a model's step and a pixel that it makes: a first guess, until one was made here
)
_KEPT = 400  # bytes of a pixel that it makes, about
_DISK = 1.6


@record
class Upscaling:
    """How a frame is made larger. `usual` makes an action that draws it, whatever stands for it.

    `file` is where the larger picture goes; it `waits` for approval where the film does.
    """

    settings: RenderSettings
    sentence: Sentence
    upscale: Upscale
    usual: Callable[[], Action]
    noise: int
    file: str
    waits: bool

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in px."""
        return self.upscale.size(self.settings.size(self.sentence.look))

    @property
    def draws(self) -> bool:
        """Whether it does more than interpolate, which a film does by itself."""
        return self.upscale.method != LANCZOS

    def of(
        self, frame: str, id_: str, step: str, group: str, file: str = "", output: str = "picture"
    ) -> Action:
        """The action `id_` that makes the picture of a frame's action larger, or another `output` of it."""
        width, height = self.size
        larger = Action(
            id=id_,
            step=step,
            group=group,
            label=f"{width}x{height} px",
            place=self.upscale.where("with", "by") or self.sentence.place,
            engine=ASSEMBLY,
            task=EnlargeTask(width, height),
            cost=Cost(
                f"{EnlargeTask.kind}|{width}|{height}",
                seconds=width * height * _SECONDS,
                disk=int(width * height * _DISK),
            ),
            inputs=(Input("picture", frame, output),),
            files={"picture": (file,)} if file else {},
            needs_approval=self.waits,
        )
        if self.upscale.method == IMG2IMG:
            return self._drawn(larger)
        return self._by_model(larger) if self.upscale.model else larger

    def _drawn(self, larger: Action) -> Action:
        """Img2img of the frame's own model, on the picture at its size."""
        usual, (width, height), settings = self.usual(), self.size, self.settings
        task, told = usual.task, self.upscale
        assert isinstance(task, FrameTask)
        steps = told.num_inference_steps or task.num_inference_steps
        scale = task.guidance_scale if told.guidance_scale is None else float(told.guidance_scale)
        guided = settings.of_look(self.sentence.look).guided
        large = settings.drawn_at(self.size, 1, guided=guided, stock=True)
        effective = settings.model.traits.steps_left(steps, told.strength)
        drawn = replace(
            task.by_itself(),
            prompt=plain(task.prompt),
            negative_prompt=plain(task.negative_prompt),
            encoded_by="",
            noise=derive(self.noise, "upscale"),
            strength=told.strength,
            num_inference_steps=steps,
            guidance_scale=scale,
            width=width,
            height=height,
            batch_size=1,
            block_cache=large.block_cache,
            weight_bits=large.mode.bits,
            vae_tiling=large.vae_tiling,
            compiled=large.compiled,
            upscaled=True,
            effective_steps=effective,
        )
        (smaller,) = larger.inputs
        return replace(
            larger,
            engine=large.engine,
            task=drawn,
            cost=large.cost,
            inputs=(*settings.worn.inputs, replace(smaller, role="smaller")),
            units=max(1, schedulers.calls(drawn.scheduler, effective, settings.model.scheduler)),
            places=usual.places,
        )

    def _by_model(self, larger: Action) -> Action:
        """A call of diffusers' pipeline of a model that upscales."""
        told, context, (width, height) = self.upscale, self.settings.context, self.size
        unknown = UpscaleModel(told.model, told.model)
        model = context.facts.upscale_models.get(told.model, unknown)
        source, known = context.project.recipe.models.get(told.model), model.upscaler
        machine = context.facts.machine
        precision = machine.precision(source.dtype if source else "auto")
        scale = told.guidance_scale
        task = UpscaleTask(
            width,
            height,
            prompt=plain(self.sentence.prompt),
            negative_prompt=plain(self.sentence.look.negative_prompt),
            noise=derive(self.noise, "upscale"),
            num_inference_steps=told.num_inference_steps or (known.steps if known else 1),
            guidance_scale=float((known.guidance if known else 0.0) if scale is None else scale),
            model=model.digest,
            precision=precision,
            device_class=machine.device_class,
        )
        spec = UpscaleSpec(
            name=model.source,
            path=str(model.path or ""),
            digest=model.digest,
            kind=model.kind,
            precision=precision,
            device=machine.device,
        )
        pixels = width * height
        timed = [model.digest, width, height, precision, machine.device_class]
        return replace(
            larger,
            engine=Engine(UPSCALE.name, spec, digest_of(spec.key()) if model.digest else ""),
            task=task,
            cost=Cost(
                "|".join(map(str, timed)),
                operations=pixels * _OPERATIONS,
                precision=precision,
                memory=model.weight_bytes + pixels * _KEPT,
                disk=int(pixels * _DISK),
            ),
            units=task.num_inference_steps,
        )


def made_larger(clips: Sequence[Clip], step: str) -> tuple[list[Action], list[Clip]]:
    """What makes a film's pictures larger, and its clips with those; a repeated one has the one before's."""
    actions: list[Action] = []
    larger: list[Clip] = []
    for clip in clips:
        how = clip.motion.upscale if clip.motion is not None else None
        if clip.continues and larger:
            before = larger[-1]
            larger.append(clip._replace(frames=before.frames, drawn=before.drawn))
            continue
        if not isinstance(how, Upscaling):
            larger.append(clip)
            continue
        assert clip.motion is not None
        address, group = clip.motion.address, f"upscaled_{clip.motion.scene}"
        made = how.of(clip.picture, f"{address}/upscaled", step, group, how.file)
        actions.append(made)
        larger.append(clip._replace(frames=(made.id,), drawn=clip.picture))
    return actions, larger
