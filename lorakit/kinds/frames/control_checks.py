"""What can be wrong with what frames are held to, and with the models that it names."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lorakit.diagnostics import Diagnostic, Place
from lorakit.families import FAMILIES
from lorakit.kinds.frames.controls import mode_of
from lorakit.kinds.frames.prompts import check_plain_words
from lorakit.kinds.frames.settings import RenderSettings
from lorakit.language.story.controls import Control
from lorakit.language.story.documents import Scene, Sentence, Storyboard
from lorakit.language.story.film_moments import held_by_films
from lorakit.language.yaml import names

if TYPE_CHECKING:
    from lorakit.facts.models.control_models import ControlModel


def check_controls(
    settings: RenderSettings, drawn: Iterable[tuple[Scene, int, Sentence]]
) -> Iterator[Diagnostic]:
    """A control that is not whole, or whose network is of another model than the frames are drawn with."""
    every = list(drawn)
    seen: dict[Control, tuple[Scene, int, Sentence]] = {}
    for scene, number, sentence in every:
        if sentence.control is not None:
            # how strongly is no matter here, and may be another for each frame
            control = replace(sentence.control, strength=1.0)
            seen.setdefault(control, (scene, number, sentence))
            if number and scene.chain.start != "noise" and sentence.strength < 1:
                seen[control] = (scene, number, sentence)
    for control, (scene, number, sentence) in seen.items():
        chained = bool(number) and scene.chain.start != "noise" and sentence.strength < 1
        yield from _checked(settings, control, scene, sentence, chained=chained)
    for _, _, sentence in every:
        if sentence.control is not None:
            yield from check_plain_words(settings, sentence, sentence.prompt, sentence.place)


def check_films(settings: RenderSettings, board: Storyboard) -> Iterator[Diagnostic]:
    """Films that end before the frames that they hold, or frames that nobody knows the time of."""
    told: set[tuple[str, Path]] = set()
    for one, control, film in held_by_films(board):
        sentence = one.sentence
        if sentence.image is not None or sentence.repeat:
            continue
        place = control.where("from") or sentence.place
        name, number = one.scene.name, one.number + 1
        read = settings.context.facts.own_films.get(film)
        if (name, film) in told or read is None:
            continue
        if one.seconds is None:
            told.add((name, film))
            yield settings.context.finding(
                "control",
                f"a frame of {film.name} is taken at the time of each frame, and when frame {number} of "
                f"scene {name} stands is known once words are spoken or music is fitted",
                place,
                "write hold: in seconds for the frames before it, and no fit:, or at: for this frame",
            )
        elif read.at(one.seconds) is None:
            told.add((name, film))
            yield settings.context.finding(
                "control",
                f"{film.name} lasts {float(read.seconds):.2f} s, {len(read.frames)} frames, and frame "
                f"{number} of the {len(one.scene.sentences)} of scene {name} stands at "
                f"{float(one.seconds):.2f} s",
                place,
                "name a longer film, hold the frames before it shorter, or free those behind its end: "
                "control: {strength: 0}",
            )


def _checked(
    settings: RenderSettings,
    control: Control,
    scene: Scene,
    sentence: Sentence,
    *,
    chained: bool,
) -> Iterator[Diagnostic]:
    place = control.where("from") or sentence.place

    def wrong(message: str, at: Place | None, *hints: str) -> Diagnostic:
        return settings.context.finding("control", message, at or place, *hints)

    if control.kind is None:
        yield wrong(
            "control has from: and no kind:", place, "write kind: canny, depth, pose or scribble"
        )
    if not control.controlnet:
        yield wrong(
            "control has no controlnet:",
            place,
            "name a ControlNet in the recipe, models: {lines: {from: models/controlnet-canny}}, "
            "and write controlnet: lines",
        )
    if control.kind == "depth" and not control.depth_model:
        yield wrong(
            "kind: depth has no depth_model:",
            control.where("kind"),
            "name a model that tells depths in the recipe, models: {depths: {from: "
            "hub:depth-anything/Depth-Anything-V2-Small-hf}}, and write depth_model: depths",
        )
    if control.depth_model and control.kind not in (None, "depth"):
        yield wrong(
            f"depth_model has no effect with kind: {control.kind}",
            control.where("depth_model"),
            "remove it",
        )
    if control.end <= control.start:
        yield wrong(
            f"a control that starts at {control.start:g} of the steps cannot end at {control.end:g}",
            control.where("end", "start"),
            "write start: below end:",
        )
    if control.kind == "canny" and importlib.util.find_spec("cv2") is None:
        yield wrong(
            "edges are found by OpenCV, which is not here",
            control.where("kind"),
            "pip install opencv-python-headless",
        )
    if scene.chain.attention == "shared":
        yield wrong(
            "a frame that is held by a ControlNet is drawn by diffusers' own pipeline, whose attention is "
            "not shared",
            place,
            "write chain: {attention: own} for this scene, or remove the control",
        )
    if control.controlnet:
        yield from _network(settings, control, place, chained=chained)
    if control.depth_model and control.kind == "depth":
        yield from _depths(settings, control, place)


def _network(
    settings: RenderSettings, control: Control, place: Place, *, chained: bool
) -> Iterator[Diagnostic]:
    at = control.where("controlnet") or place
    net = settings.context.facts.control_models.get(control.controlnet)
    if net is None:
        yield _unknown(settings, control.controlnet, at)
        return
    model = settings.model
    if not model.traits.controlnet:
        held = names.listed([one.title for one in FAMILIES.values() if one.controlnet])
        yield settings.context.finding(
            "control",
            f"{model.source} is {model.traits.title}, which no ControlNet holds here",
            place,
            f"remove the control, or draw with {held}",
        )
        return
    if net.config and net.family != model.family:
        what = f"a {net.kind or 'model'}"
        told = f" for {net.family}" if net.family else ""
        yield settings.context.finding(
            "control",
            f"{net.source} is {what}{told}; frames of {model.source} are held by a "
            f"{model.traits.controlnet} for {model.traits.title}",
            at,
            "name one that was trained for this model",
        )
        return
    for key in ("cross_attention_dim", "in_channels"):
        ours, theirs = model.unet.get(key), net.config.get(key)
        if net.config and model.unet and ours != theirs and theirs is not None:
            yield settings.context.finding(
                "control",
                f"{net.source} is for another {model.traits.title}: its {key} is {theirs}, "
                f"{model.source} has {ours}",
                at,
                "name one that was trained for this model",
            )
            return
    yield from _of_its_kinds(settings, control, net, at)
    channels = model.vae_config.get("latent_channels", 4)
    if chained and "control-image" not in model.traits.pipelines:
        why = f"{model.source} is {model.traits.title}, whose held frames begin from noise alone"
    elif chained and channels != 4:
        why = f"diffusers' pipeline begins from latents of 4 channels, and {model.source} has {channels}"
    else:
        return
    way = "write strength: 1 for this frame, which begins anew, or chain: {from: noise}"
    yield settings.context.finding("control", why, place, way)


def _of_its_kinds(
    settings: RenderSettings, control: Control, net: ControlModel, at: Place
) -> Iterator[Diagnostic]:
    """Kinds of pictures that a union does not know, or that it need not be told."""
    own = control.where("control_mode")
    mode = mode_of(settings.model.traits, control)
    if net.paints:
        yield settings.context.finding(
            "control",
            f"{net.source} is shown a mask beside its map, and paints where that is white",
            at,
            "name a ControlNet that is none for inpainting",
        )
    elif not net.modes:
        if own is not None and net.config:
            yield settings.context.finding(
                "no-effect",
                f"control_mode has no effect: {net.source} is no union of several ControlNets",
                own,
                "remove it",
                warning=True,
            )
    elif mode is None and control.kind is not None:
        yield settings.context.finding(
            "control",
            f"unions for {settings.model.traits.title} have no usual number for kind: {control.kind}",
            control.where("kind") or at,
            f"write control_mode: with one of 0 to {net.modes - 1}, from the card of {net.source}",
        )
    elif mode is not None and mode >= net.modes:
        yield settings.context.finding(
            "control",
            f"{net.source} tells {net.modes} kinds of pictures apart, 0 to {net.modes - 1}, and this is "
            f"{mode}",
            own or at,
            "write control_mode: as the model's card has it",
        )


def _depths(settings: RenderSettings, control: Control, place: Place) -> Iterator[Diagnostic]:
    at = control.where("depth_model") or place
    found = settings.context.facts.control_models.get(control.depth_model)
    if found is None:
        yield _unknown(settings, control.depth_model, at)
    elif found.config and not found.tells_depth:
        yield settings.context.finding(
            "control",
            f"{found.source} is a {found.kind or 'model'}, which tells no depths",
            at,
            "name a model for depth-estimation, such as hub:depth-anything/Depth-Anything-V2-Small-hf",
        )


def _unknown(settings: RenderSettings, name: str, at: Place) -> Diagnostic:
    known = list(settings.context.project.recipe.models)
    return settings.context.finding(
        "unknown-model",
        f"the recipe has no model {name}",
        at,
        names.did_you_mean(name, known)
        or "name it in a recipe that draws this board, models: "
        f"{{{name if name.isidentifier() else 'lines'}: {{from: models/controlnet}}}}",
    )
