"""The clips that video models make: their actions, and what can be wrong with them."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from fractions import Fraction

from lorakit.diagnostics import Diagnostic, Place
from lorakit.facts.models.video_models import VideoModel
from lorakit.families.video_family import VideoFamily
from lorakit.kinds.frames.settings import DRAFT_STEPS, RenderSettings
from lorakit.language.story.documents import Sentence, Storyboard, Video
from lorakit.language.story.motions import Motion
from lorakit.language.story.weights import plain
from lorakit.language.yaml import names
from lorakit.plan.actions import Action, Engine, Input
from lorakit.plan.cost import Cost
from lorakit.plan.seeds import derive
from lorakit.plan.specs_beside import VideoSpec
from lorakit.plan.tasks.clip import VideoClipTask
from lorakit.plan.tasks.film import ClipPart
from lorakit.plan.workers import VIDEO
from lorakit.records import record
from lorakit.store.canonical import digest_of

_OPERATIONS = 2e6  # of a step, a pixel and frame: a first guess, until one was made here
_KEPT = 48  # bytes of a pixel and frame while a clip is made and decoded, about


@record
class VideoClip:
    """How a video model has a frame move: its words and its noise."""

    settings: RenderSettings
    sentence: Sentence
    noise: int

    @property
    def model(self) -> VideoModel:
        """The model that is named."""
        motion = self.sentence.motion
        known = self.settings.context.facts.video_models
        return known.get(motion.video_model, VideoModel(motion.video_model, motion.video_model))

    @property
    def uses(self) -> str:
        """What the clip is made from: frame, both or words."""
        usual = self.model.tasks[0] if self.model.tasks else "frame"
        return self.sentence.motion.uses or usual

    def frames(self, otherwise: int) -> int:
        """How many the model makes; `otherwise` where it is not here yet."""
        family = self.model.family
        return self.sentence.motion.num_frames or (family.frames if family else otherwise)

    def part(self, size: tuple[int, int], hold: int, fps: Fraction) -> ClipPart:
        """What a hold of so many film frames shows of it."""
        count, family = self.frames(hold), self.model.family
        if self.sentence.motion.fit == "slow" or family is None:
            return ClipPart(count, *size, rate=(count, hold))
        own = family.rate / Fraction(fps)
        return ClipPart(count, *size, rate=(own.numerator, own.denominator))

    def action(
        self, size: tuple[int, int], otherwise: int, pictures: Sequence[str], where: Action
    ) -> Action:
        """The action that makes it of `pictures`, at the place of another."""
        motion, model, context = self.sentence.motion, self.model, self.settings.context
        family, source = model.family, context.project.recipe.models.get(motion.video_model)
        machine = context.facts.machine
        precision = machine.precision(source.dtype if source else "auto")
        steps = motion.num_inference_steps or (family.steps if family else 1)
        scale = motion.guidance_scale
        moved = self.settings.model if family is not None and family.moves else None
        task = VideoClipTask(
            self.frames(otherwise),
            *size,
            prompt=plain(motion.prompt or self.sentence.prompt),
            negative_prompt=plain(self.sentence.look.negative_prompt),
            noise=derive(self.noise, "clip"),
            num_inference_steps=min(steps, DRAFT_STEPS) if context.draft else steps,
            guidance_scale=float((family.guidance if family else 1.0) if scale is None else scale),
            rate=family.rate if family else 1,
            model=model.digest,
            precision=precision,
            device_class=machine.device_class,
            base=moved.digest if moved else None,
        )
        spec = VideoSpec(
            name=model.source,
            path=str(model.path or ""),
            digest=model.digest,
            family=family.name if family else "",
            task=self.uses,
            precision=precision,
            device=machine.device,
            base=str(moved.path) if moved else "",
            base_digest=moved.digest if moved else None,
        )
        pixels = size[0] * size[1] * task.frames
        known = [model.digest, *size, task.frames, precision, machine.device_class]
        return Action(
            id=where.id,
            step=where.step,
            group=where.group,
            label=where.label,
            place=where.place,
            engine=Engine(VIDEO.name, spec, digest_of(spec.key()) if model.digest else ""),
            task=task,
            cost=Cost(
                "|".join(map(str, known)),
                operations=pixels * _OPERATIONS,
                precision=precision,
                memory=model.weight_bytes + pixels * _KEPT,
                disk=int(pixels * 1.5),
            ),
            inputs=tuple(
                Input(role, one, "picture")
                for role, one in zip(("first", "last"), pictures, strict=False)
            ),
            units=task.num_inference_steps * (family.rounds(task.frames) if family else 1),
            needs_approval=where.needs_approval,
        )


def check_clips(settings: RenderSettings, board: Storyboard) -> Iterator[Diagnostic]:
    """Clips that their model cannot make, each motion and size told of once."""
    told: set[object] = set()
    for sentence in (s for scene in board.scenes for s in scene.sentences if not s.repeat):
        size, motion = settings.size(sentence.look), sentence.motion
        if motion.kind != "clip" or (motion, size, sentence.hold) in told:
            continue
        told.add((motion, size, sentence.hold))
        for found in _checked(VideoClip(settings, sentence, 0), size, board.video or Video()):
            if (found.message, found.place) not in told:
                told.add((found.message, found.place))
                yield found


def _checked(clip: VideoClip, size: tuple[int, int], video: Video) -> Iterator[Diagnostic]:
    settings, motion = clip.settings, clip.sentence.motion
    place = motion.where("kind", "video_model") or clip.sentence.place

    def wrong(message: str, key: str, *hints: str) -> Diagnostic:
        return settings.context.finding("motion", message, motion.where(key) or place, *hints)

    known = list(settings.context.project.recipe.models)
    if not motion.video_model:
        yield wrong(
            "motion: clip has no video_model:",
            "kind",
            "name a video model in the recipe, models: {wan: {from: models/wan}}, and write "
            "motion: {kind: clip, video_model: wan}",
        )
    elif (
        motion.video_model not in known
        and motion.video_model not in settings.context.facts.video_models
    ):
        yield settings.context.finding(
            "unknown-model",
            f"the recipe has no model {motion.video_model}",
            motion.where("video_model") or place,
            names.did_you_mean(motion.video_model, known)
            or "name it in a recipe that draws this board, models: {wan: {from: models/wan}}",
        )
    elif (family := clip.model.family) is not None:
        yield from _of_the_family(clip, family, size, video, place)


def _of_the_family(
    clip: VideoClip, family: VideoFamily, size: tuple[int, int], video: Video, place: Place
) -> Iterator[Diagnostic]:
    settings, motion, model = clip.settings, clip.sentence.motion, clip.model

    def wrong(message: str, key: str, *hints: str) -> Diagnostic:
        return settings.context.finding("motion", message, motion.where(key) or place, *hints)

    if clip.uses not in model.tasks:
        can = ", ".join(model.tasks)
        yield wrong(
            f"{model.source} is {family.title}, a {model.kind}, which makes clips from: {can}",
            "uses",
            f"write uses: {model.tasks[0]}",
        )
    if any(side % family.unit for side in size):
        nearest = "x".join(str(max(1, round(s / family.unit)) * family.unit) for s in size)
        yield settings.context.finding(
            "size",
            f"{family.title} makes clips whose sides are multiples of {family.unit} px, and the frame "
            f"has {size[0]}x{size[1]}",
            clip.sentence.look.where("width", "height", "aspect") or place,
            f"draw at {nearest}, by width: and height: of its look",
        )
    count = clip.frames(0)
    if not family.fits(count):
        what = f"{family.least} to {family.most} frames"
        if family.step > 1:
            what = f"{family.step}k+{family.more} frames, from {family.least} to {family.most}"
        yield wrong(
            f"{family.title} makes clips of {what}, and none of {count}",
            "num_frames",
            f"write num_frames: {family.nearest(count)}",
        )
    if family.needs and importlib.util.find_spec(family.needs) is None:
        yield wrong(
            f"diffusers' pipeline of {family.title} needs {family.needs}, which is not here",
            "video_model",
            "pip install 'lorakit[video]'",
        )
    if family.moves and settings.model.family != family.moves:
        yield wrong(
            f"{model.source} is a motion adapter for Stable Diffusion, and {settings.model.source} is "
            f"{settings.model.traits.title}",
            "video_model",
            "draw with the model that it was trained for, or name a video model",
        )
    yield from _fitting(clip, family, motion, video, place)


def _fitting(
    clip: VideoClip, family: VideoFamily, motion: Motion, video: Video, place: Place
) -> Iterator[Diagnostic]:
    """A clip that is longer or shorter than its hold, where the way it fits allows for the other alone."""
    hold = (clip.sentence.hold or video.hold).in_seconds(video.fps)
    lasts = clip.frames(0) / family.rate
    frame = float(1 / Fraction(video.fps))
    longer = motion.fit == "hold" and lasts > hold + frame
    if not longer and not (motion.fit == "cut" and lasts < hold - frame):
        return
    yield clip.settings.context.finding(
        "motion",
        f"the clip lasts {lasts:.2f} s ({clip.frames(0)} frames at {family.rate} a second) and its frame is "
        f"held for {hold:.2f} s: fit: {motion.fit} is for what is {'shorter' if longer else 'longer'}",
        motion.where("fit") or place,
        f"write fit: {'cut' if longer else 'hold'}, or fit: slow, or hold: {lasts:.2f} for this sentence",
    )
