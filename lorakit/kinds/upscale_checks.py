"""What can be wrong with how a board's frames are made larger."""

from __future__ import annotations

import math
from collections.abc import Iterator

from lorakit.diagnostics import Diagnostic, Place
from lorakit.kinds.frames.checks import beyond_places, check_strength, no_places
from lorakit.kinds.frames.prompts import check_plain_words
from lorakit.kinds.frames.settings import RenderSettings
from lorakit.language.story.documents import Sentence, Storyboard
from lorakit.language.story.upscales import IMG2IMG, LANCZOS, Upscale
from lorakit.language.yaml import names

_MOST = 16_384  # px of a side
# how far beyond its own size a model draws on what is there, and how much it may draw anew there
_FAR, _ANEW = 1.5, 0.3


def check_upscales(settings: RenderSettings, board: Storyboard) -> Iterator[Diagnostic]:
    """What cannot be made, each upscale and size told of once."""
    told: set[object] = set()
    for sentence in (s for scene in board.scenes for s in scene.sentences if not s.repeat):
        how, size = sentence.upscale, settings.size(sentence.look)
        if how is None or settings.draft:
            continue
        if how.method == IMG2IMG:
            yield from check_plain_words(settings, sentence, sentence.prompt, sentence.place)
        if (how, size) in told:
            continue
        told.add((how, size))
        yield from _checked(settings, sentence, how, size)


def _checked(
    settings: RenderSettings, sentence: Sentence, how: Upscale, size: tuple[int, int]
) -> Iterator[Diagnostic]:
    place = how.where("with", "by") or sentence.place
    sides = "x".join(map(str, how.size(size)))

    def wrong(message: str, key: str, *hints: str) -> Diagnostic:
        return settings.context.finding("upscale", message, how.where(key) or place, *hints)

    if max(how.size(size)) > _MOST:
        yield wrong(
            f"a frame of {sides} px is too large: {_MOST} px a side at the most",
            "by",
            f"write by: {_MOST // max(size)}, or less",
        )
    elif how.method == IMG2IMG:
        yield from _drawn(settings, sentence, how, size)
    elif how.model:
        yield from _by_model(settings, how, size, place)
    if how.method == LANCZOS:
        for key in ("strength", "num_inference_steps", "guidance_scale"):
            if dict(how.places).get(key):
                yield settings.context.finding(
                    "no-effect",
                    f"{key} has no effect: lanczos interpolates and draws nothing",
                    how.where(key) or place,
                    "remove it, or write with: img2img",
                    warning=True,
                )


def _drawn(
    settings: RenderSettings, sentence: Sentence, how: Upscale, size: tuple[int, int]
) -> Iterator[Diagnostic]:
    model, place = settings.model, how.where("with", "by") or sentence.place
    if "image" not in model.traits.pipelines:
        yield settings.context.finding(
            "upscale",
            f"{model.source} is {model.traits.title}, which begins from no picture of its own size alone",
            place,
            "write with: lanczos, or a model of the recipe that upscales",
        )
        return
    width, height = how.size(size)
    if width % model.unit or height % model.unit:
        yield settings.context.finding(
            "size",
            f"{model.source} cannot draw {width}x{height}: sides are multiples of {model.unit} px",
            how.where("by") or place,
            f"write by: {_nearest(how, size, model.unit):g}",
        )
        return
    if longest := beyond_places(model, (width, height)):
        by = math.floor(longest / max(size) * 4) / 4
        hint = f"write by: {by:g}, or with: lanczos" if by > 1 else "write with: lanczos"
        yield no_places(settings, (width, height), how.where("by") or place, hint)
        return
    at = how.where("strength") or place
    look = sentence.look
    if how.num_inference_steps is None:
        yield from check_strength(settings, look, how.strength, at)
    elif model.traits.steps_left(how.num_inference_steps, how.strength) < 1:
        yield settings.context.finding(
            "no-steps",
            f"strength {how.strength:g} of {how.num_inference_steps} num_inference_steps leaves no step",
            at,
            "write more of either",
        )
    yield from _far(settings, how, (width, height), at)


def _far(
    settings: RenderSettings, how: Upscale, size: tuple[int, int], place: Place
) -> Iterator[Diagnostic]:
    """Warn of a model that draws much anew at a size far beyond the one that it was trained at."""
    model, sides = settings.model, "x".join(map(str, size))
    times = math.sqrt(math.prod(size) / math.prod(model.native))
    if times <= _FAR or how.strength <= _ANEW:
        return
    native = "x".join(map(str, model.native))
    yield settings.context.finding(
        "size",
        f"{model.source} was trained at {native}; drawn anew at {sides} by a strength of {how.strength:g}, "
        "frames may fall to pieces",
        place,
        f"write strength: {_ANEW:g} or less, with: lanczos, or a model of the recipe that upscales",
        warning=True,
    )


def _nearest(how: Upscale, size: tuple[int, int], unit: int) -> float:
    """How many times as large a frame may become, near what was asked for; twice always goes."""
    times = max(1, round(how.by * size[0] / unit)) * unit / size[0]
    return times if times > 1 and not size[1] * times % unit else 2


def _by_model(
    settings: RenderSettings, how: Upscale, size: tuple[int, int], place: Place
) -> Iterator[Diagnostic]:
    context = settings.context
    known = list(context.project.recipe.models)
    model = context.facts.upscale_models.get(how.model)
    if model is None:
        ways = names.did_you_mean(how.model, [LANCZOS, IMG2IMG, *known])
        yield context.finding(
            "unknown-model",
            f"the recipe has no model {how.model}",
            how.where("with") or place,
            ways
            or "write with: lanczos or img2img, or name it in the recipe, "
            'models: {x4: {from: "hub:stabilityai/stable-diffusion-x4-upscaler"}}',
        )
        return
    one = model.upscaler
    if one is None:
        return  # not here yet
    if how.by != one.by:
        yield context.finding(
            "upscale",
            f"{model.source} is {one.title}: it makes pictures {one.by} times as wide, and no {how.by:g}",
            how.where("by") or place,
            f"write by: {one.by}",
        )
    elif any(side % one.unit for side in size):
        nearest = "x".join(str(max(1, round(s / one.unit)) * one.unit) for s in size)
        yield context.finding(
            "size",
            f"{one.title} takes pictures whose sides are multiples of {one.unit} px, and the frame has "
            f"{size[0]}x{size[1]}",
            place,
            f"draw at {nearest}, by width: and height: of its look",
        )
