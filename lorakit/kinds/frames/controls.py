"""What frames are held to by a ControlNet: the actions that make its maps, and what can be wrong with it."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from lorakit.diagnostics import Diagnostic, Place
from lorakit.kinds.frames.prompts import check_plain_words
from lorakit.kinds.frames.settings import RenderSettings
from lorakit.kinds.sheet import ASSEMBLY
from lorakit.language.story.controls import PREVIOUS, Control
from lorakit.language.story.documents import Scene, Sentence
from lorakit.language.yaml import names
from lorakit.plan.actions import Action, Engine, Input
from lorakit.plan.cost import Cost
from lorakit.plan.engine_specs import DepthSpec
from lorakit.plan.keys import action_key
from lorakit.plan.tasks.control import ControlMapTask, ControlUse
from lorakit.plan.workers import DEPTH
from lorakit.store.canonical import digest_of

_NETWORK = 0.5  # of a UNet's work, about: its first half


class HeldFrame(NamedTuple):
    """How a frame is held: the map that it is shown, by which network, and what that weighs in bytes."""

    map: Input
    use: ControlUse
    weight_bytes: int

    def added_to(self, cost: Cost) -> Cost:
        """What a frame costs that is held."""
        return replace(
            cost,
            timing=f"{cost.timing}|control",
            operations=cost.operations * (1 + _NETWORK),
            memory=cost.memory + self.weight_bytes,
        )


@dataclass(slots=True)
class ControlMaps:
    """The maps of one step; one that two frames ask for is made once."""

    settings: RenderSettings
    made: dict[str, Action] = field(default_factory=dict)

    def held(
        self, sentence: Sentence, frame: str, group: str, previous: str | None
    ) -> tuple[HeldFrame | None, list[Action]]:
        """How the frame at an address is held, and the actions that are new by it; None where it is not."""
        control = sentence.control
        if control is None or control.kind is None or sentence.image is not None:
            return None, []
        if control.source == PREVIOUS and previous is None:
            return None, []  # nothing stands before it
        facts = self.settings.context.facts
        net = facts.control_models[control.controlnet]
        action = self._map(control, sentence, frame, group, previous)
        known = action_key(action, {i.role: i.action for i in action.inputs})
        new = [] if known in self.made else [action]
        action = self.made.setdefault(known, action)
        use = ControlUse(
            net.digest, control.strength, control.start, control.end, str(net.path or "")
        )
        return HeldFrame(Input("control", action.id, "picture"), use, net.weight_bytes), new

    def _map(
        self, control: Control, sentence: Sentence, frame: str, group: str, previous: str | None
    ) -> Action:
        facts = self.settings.context.facts
        depths = facts.control_models.get(control.depth_model) if control.kind == "depth" else None
        by_frame = control.source == PREVIOUS and previous is not None
        picture = facts.own_pictures.get(control.file) if control.file is not None else None
        width, height = self.settings.size(sentence.look)
        task = ControlMapTask(
            shows=str(control.kind),
            width=width,
            height=height,
            device_class=self.settings.device_class if depths is not None else "",
            picture=picture.digest if picture is not None else None,
            depth_model=depths.digest if depths is not None else None,
            file=str(control.file) if picture is not None else "",
        )
        step, number = frame.partition("/")[0], frame.rpartition("/")[2]
        engine = ASSEMBLY
        if depths is not None:
            spec = DepthSpec(
                name=depths.source, path=str(depths.path or ""), device=self.settings.device
            )
            known = digest_of([depths.digest, self.settings.device])
            engine = Engine(DEPTH.name, spec, known if depths.digest else "")
        return Action(
            id=f"{frame}/{control.kind}",
            step=step,
            group=group,
            label=f"{control.kind} of {control.source}",
            place=control.where("from") or sentence.place,
            engine=engine,
            task=task,
            cost=Cost(f"{task.kind}|{task.shows}|{width}|{height}", float(width * height) * 1e4),
            inputs=(Input("picture", previous, "picture"),) if by_frame and previous else (),
            files={"picture": (f"{step}/{group}/control/frame_{number}_{control.kind}.png",)},
        )


def check_controls(
    settings: RenderSettings, drawn: Iterable[tuple[Scene, int, Sentence]]
) -> Iterator[Diagnostic]:
    """A control that is not whole, or whose network is of another model than the frames are drawn with."""
    every = list(drawn)
    seen: dict[Control, tuple[Scene, int, Sentence]] = {}
    for scene, number, sentence in every:
        if sentence.control is not None:
            seen.setdefault(sentence.control, (scene, number, sentence))
            if number and scene.chain.start != "noise" and sentence.strength < 1:
                seen[sentence.control] = (scene, number, sentence)
    for control, (scene, number, sentence) in seen.items():
        chained = bool(number) and scene.chain.start != "noise" and sentence.strength < 1
        yield from _checked(settings, control, scene, sentence, chained=chained)
    for _, _, sentence in every:
        if sentence.control is not None:
            yield from check_plain_words(settings, sentence, sentence.prompt, sentence.place)


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
            "pip install 'lorakit[control]'",
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
        yield settings.context.finding(
            "control",
            f"{model.source} is {model.traits.title}, which no ControlNet holds here",
            place,
            "remove the control, or draw with Stable Diffusion, SDXL or Flux.1",
        )
        return
    if net.config and net.family != model.family:
        what = "a union of several" if "Union" in net.kind else f"a {net.kind or 'model'}"
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
    channels = model.vae_config.get("latent_channels", 4)
    if chained and "control-image" not in model.traits.pipelines:
        why = f"{model.source} is {model.traits.title}, whose held frames begin from noise alone"
    elif chained and channels != 4:
        why = f"diffusers' pipeline begins from latents of 4 channels, and {model.source} has {channels}"
    else:
        return
    way = "write strength: 1 for this frame, which begins anew, or chain: {from: noise}"
    yield settings.context.finding("control", why, place, way)


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
