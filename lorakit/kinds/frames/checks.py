"""What can be wrong with a frame once the model it is drawn with is known."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from lorakit.diagnostics import Diagnostic, Place
from lorakit.facts.machine.devices import DEVICES
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.facts.networks.text_encoders import clip_skip_limit
from lorakit.kinds.frames.settings import RenderSettings
from lorakit.language.story.documents import Chain, ImageSettings
from lorakit.plan import schedulers
from lorakit.plan.kind import Context


def check_look(settings: RenderSettings, look: ImageSettings, place: Place) -> Iterator[Diagnostic]:
    """A size or a precision that cannot be drawn with is an error; `place` is whose look it is."""
    if settings.precision == "fp16" and not DEVICES[settings.device].fp16:
        yield settings.context.finding(
            "precision",
            "dtype: fp16 is for GPUs; a CPU draws in bf16 or fp32",
            settings.precision_place,
            "write dtype: auto, which takes what is fast here",
        )
    yield from clip_skip(
        look.clip_skip, settings.model, look.where("clip_skip") or place, settings.context
    )
    width, height = settings.size(look)
    model = settings.model
    unit, native = model.unit, model.native
    if width % unit or height % unit:
        better = tuple(max(unit, round(side / unit) * unit) for side in (width, height))
        yield settings.context.finding(
            "size",
            f"{settings.model.source} cannot draw {width}x{height}: sides are multiples of {unit} px",
            look.where("width" if width % unit else "height", "width", "aspect") or place,
            f"the nearest it can: width: {better[0]}, height: {better[1]}",
        )
    elif longest := beyond_places(model, (width, height)):
        yield no_places(
            settings,
            (width, height),
            look.where("width" if width > longest else "height", "width", "aspect") or place,
            f"write {longest}, or less",
        )
    elif min(width, height) < min(native) * model.traits.least or max(width, height) > 4 * max(
        native
    ):
        at = "x".join(map(str, native))
        yield settings.context.finding(
            "size",
            f"{model.source} was trained at {at}; {width}x{height} is too far from it",
            look.where("width", "height", "aspect") or place,
            f"leave width and height out for {at}, or write aspect: 16:9",
        )


def beyond_places(model: ModelFacts, size: tuple[int, int]) -> int:
    """The longest side in px that a model has places for, where a size is beyond it; 0 where none is."""
    longest = model.traits.longest(model.configs)
    return longest if longest and max(size) > longest else 0


def no_places(
    settings: RenderSettings, size: tuple[int, int], place: Place, hint: str
) -> Diagnostic:
    """That a size is beyond those places."""
    model, sides = settings.model, "x".join(map(str, size))
    longest = beyond_places(model, size)
    return settings.context.finding(
        "size",
        f"{model.source} cannot draw {sides}: it has places for {longest} px a side at the most",
        place,
        hint,
    )


def check_guidance(
    settings: RenderSettings, looks: Iterable[ImageSettings]
) -> Iterator[Diagnostic]:
    """Warn of negative prompts that a model without guidance of its own never meets.

    A guidance scale that is written is looked at where it stands, in the language's checks.
    """
    drawn: dict[Place, list[ImageSettings]] = {}
    given = list(looks)
    if not settings.model.traits.guidable(settings.model.configs):
        scales = (look.where("guidance_scale") for look in given if look.guidance_scale)
        for place in dict.fromkeys(filter(None, scales)):
            yield settings.context.finding(
                "no-effect",
                f"guidance_scale has no effect: {settings.model.source} was distilled to draw without",
                place,
                "remove it",
                warning=True,
            )
    for look in given:
        at = look.where("negative_prompt")
        if at is not None and look.negative_prompt:
            drawn.setdefault(at, []).append(look)
    for place, those in drawn.items():
        model = settings.model
        if model.traits.negative and any(settings.guided(look) for look in those):
            continue
        if not model.traits.negative:
            yield settings.context.finding(
                "no-effect",
                f"negative_prompt has no effect: {model.traits.title} is never told what not to show",
                place,
                "remove it, and say in the prompt what stands there instead",
                warning=True,
            )
        elif any(look.guidance_scale is None for look in those):
            scale = f"{settings.model.guidance_scale:g}"
            yield settings.context.finding(
                "no-effect",
                f"negative_prompt has no effect: {settings.model.source} draws at guidance_scale: {scale}",
                place,
                f"write a guidance_scale above {settings.model.traits.guided_above:g}, "
                "or remove the negative prompt",
                warning=True,
            )


def clip_skip(
    asked: int, model: ModelFacts, place: Place, context: Context
) -> Iterator[Diagnostic]:
    """More layers left out than a text encoder has, or any where none can be."""
    if asked and model.traits.clip_layers is None:
        yield context.finding(
            "clip-skip",
            f"clip_skip: {asked} is for models that read with CLIP alone; {model.source} is "
            f"{model.traits.title}",
            place,
            "remove it",
        )
        return
    most = clip_skip_limit(model.text_shapes, model.traits)
    if most is not None and asked > most:
        yield context.finding(
            "clip-skip",
            f"clip_skip: {asked} leaves out more layers than {model.source}'s text encoder has",
            place,
            f"write clip_skip: {most}, or less",
        )


def check_scheduler(
    settings: RenderSettings, look: ImageSettings, place: Place
) -> Iterator[Diagnostic]:
    """Karras sigmas with a scheduler that has none would be passed over; some need more steps to begin."""
    name = look.scheduler or schedulers.DEFAULT
    if settings.model.traits.predicts == "flow" and name != schedulers.DEFAULT:
        yield settings.context.finding(
            "scheduler",
            f"scheduler: {name} is for models that predict noise; {settings.model.source} is "
            f"{settings.model.traits.title}, which draws by flow matching on its own schedule",
            look.where("scheduler") or place,
            "remove it, or write scheduler: default",
        )
        return
    fewest = settings.model.traits.least_steps
    if settings.steps(look) < fewest:
        yield settings.context.finding(
            "no-steps",
            f"{settings.model.traits.title} has no schedule of fewer than {fewest} steps",
            look.where("num_inference_steps") or place,
            f"write num_inference_steps: {fewest} or more",
        )
    steps, least = settings.steps(look), schedulers.LEAST_TO_WARM_UP
    if steps < least and schedulers.warms_up(name, settings.model.scheduler):
        yield settings.context.finding(
            "no-steps",
            f"pndm begins with {least} steps by Runge-Kutta with this model, and {steps} are fewer",
            look.where("num_inference_steps") or look.where("scheduler") or place,
            f"write num_inference_steps: {least} or more, or another scheduler",
        )
    row = schedulers.SCHEDULERS.get(name)
    if look.use_karras_sigmas is None or (row is not None and row.karras):
        return
    able = [other for other, scheduler in schedulers.SCHEDULERS.items() if scheduler.karras]
    said = f"scheduler: {name}" if row else "the model's own scheduler, which may have none"
    yield settings.context.finding(
        "no-effect",
        f"use_karras_sigmas has no effect beside {said}",
        look.where("use_karras_sigmas") or place,
        f"write scheduler: {', '.join(able[:-1])} or {able[-1]} beside it, or remove it",
    )


def check_strength(
    settings: RenderSettings, look: ImageSettings, strength: float, place: Place
) -> Iterator[Diagnostic]:
    """A strength that leaves no step would hand on the picture before unchanged, or none."""
    if settings.effective_steps(look, strength) < 1:
        steps = settings.steps(look)
        least = -(-100 // steps) / 100
        more = f"num_inference_steps: {math.ceil(1 / strength)} or more"
        yield settings.context.finding(
            "no-steps",
            f"strength {strength:g} of {steps} num_inference_steps leaves no step: "
            f"int({steps} * {strength:g}) is 0",
            place,
            f"write strength: {least:g} or more, or {more}" if steps > 1 else f"write {more}",
        )


def check_chained(
    settings: RenderSettings,
    look: ImageSettings,
    strength: float,
    written: Place | None,
    place: Place,
) -> Iterator[Diagnostic]:
    """A frame that begins from another, as this family can; `written` is where its strength is, if it is."""
    model = settings.model
    if "image" in model.traits.pipelines:
        at = written or look.where("num_inference_steps")
        yield from check_strength(settings, look, strength, at or place)
    elif strength < 1 and not model.traits.references:
        yield settings.context.finding(
            "chain",
            f"{model.source} is {model.traits.title}, which draws from words alone: "
            "no frame can begin from another",
            place,
            "write chain: {from: noise}, whose frames share their first noise",
        )
    elif strength < 1 and written is not None:
        yield settings.context.finding(
            "chain",
            f"strength has no meaning with {model.source}: {model.traits.title} is shown the frame before "
            "as a reference, and changes of it what the sentence says",
            written,
            "remove it; strength: 1 begins anew, from the words alone",
        )


def check_color(settings: RenderSettings, chain: Chain, place: Place) -> Iterator[Diagnostic]:
    """Colours of a start, with a model whose frames start from none."""
    model = settings.model
    if chain.color == "anchor" and "image" not in model.traits.pipelines:
        yield settings.context.finding(
            "chain",
            f"color: anchor is for models that begin from other frames; {model.source} is "
            f"{model.traits.title}",
            chain.color_place or place,
            "remove it",
        )


def check_attention(settings: RenderSettings, chain: Chain, place: Place) -> Iterator[Diagnostic]:
    """Attention that is shared between frames, with a model whose denoiser has no such layers."""
    model = settings.model
    if chain.attention == "shared" and not model.traits.waves:
        instead = "frames are shown the ones before" if model.traits.references else ""
        yield settings.context.finding(
            "chain",
            f"attention: shared is for Stable Diffusion and SDXL; {model.source} is {model.traits.title}",
            chain.attention_place or place,
            f"remove it{f': its {instead} as pictures' if instead else ''}",
        )
    elif chain.mask == "character" and not model.traits.waves:
        yield settings.context.finding(
            "chain",
            f"mask: character is for attention that is shared, by Stable Diffusion and SDXL; {model.source} "
            f"is {model.traits.title}",
            chain.mask_place or place,
            "remove it",
        )
