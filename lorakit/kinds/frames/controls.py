"""What frames are held to by a ControlNet: the actions that make its maps."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, NamedTuple

from lorakit.families import Family
from lorakit.kinds.frames.settings import RenderSettings
from lorakit.kinds.sheet import ASSEMBLY
from lorakit.language.story.controls import PREVIOUS, Control
from lorakit.language.story.documents import Sentence, Storyboard
from lorakit.language.story.film_moments import held_by_films
from lorakit.plan.actions import Action, Engine, Input
from lorakit.plan.cost import Cost
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
    board: Storyboard
    made: dict[str, Action] = field(default_factory=dict)
    _moments: dict[str, Fraction | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for one, _, _ in held_by_films(self.board):
            self._moments[f"{one.scene.name}/{one.number + 1}"] = one.seconds

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
            net.digest,
            control.strength,
            control.start,
            control.end,
            str(net.path or ""),
            mode_of(self.settings.model.traits, control) if net.modes else None,
        )
        return HeldFrame(Input("control", action.id, "picture"), use, net.weight_bytes), new

    def _map(
        self, control: Control, sentence: Sentence, frame: str, group: str, previous: str | None
    ) -> Action:
        facts = self.settings.context.facts
        depths = facts.control_models.get(control.depth_model) if control.kind == "depth" else None
        by_frame = control.source == PREVIOUS and previous is not None
        seen = self._seen(control, frame)
        width, height = self.settings.size(sentence.look)
        task = ControlMapTask(
            shows=str(control.kind),
            width=width,
            height=height,
            device_class=self.settings.device_class if depths is not None else "",
            depth_model=depths.digest if depths is not None else None,
            **seen,
        )
        at = f" at {task.seconds:.2f} s" if task.number is not None else ""
        step, number = frame.partition("/")[0], frame.rpartition("/")[2]
        engine = ASSEMBLY
        if depths is not None:
            from lorakit.plan.specs_beside import DepthSpec

            spec = DepthSpec(
                name=depths.source, path=str(depths.path or ""), device=self.settings.device
            )
            known = digest_of([depths.digest, self.settings.device])
            engine = Engine(DEPTH.name, spec, known if depths.digest else "")
        return Action(
            id=f"{frame}/{control.kind}",
            step=step,
            group=group,
            label=f"{control.kind} of {control.source}{at}",
            place=control.where("from") or sentence.place,
            engine=engine,
            task=task,
            cost=Cost(f"{task.kind}|{task.shows}|{width}|{height}", float(width * height) * 1e4),
            inputs=(Input("picture", previous, "picture"),) if by_frame and previous else (),
            files={"picture": (f"{step}/{group}/control/frame_{number}_{control.kind}.png",)},
        )

    def _seen(self, control: Control, frame: str) -> dict[str, Any]:
        """What the map of the frame at an address is told of a file: a picture, or a film's frame then."""
        facts = self.settings.context.facts
        if control.file is None:
            return {}
        if control.film is None:
            own = facts.own_pictures[control.file]
            return {"picture": own.digest, "file": str(control.file)}
        film = facts.own_films[control.film]
        moment = self._moments[frame.partition("/")[2]]
        number = film.at(moment) if moment is not None else None
        assert number is not None, "told in the checks"
        seconds, digest = film.frames[number]
        at = {"number": number, "seconds": float(seconds)}
        return {"picture": digest, "file": str(control.film), **at}


def mode_of(family: Family, control: Control) -> int | None:
    """The number that a control says, or that its kind has in the family's usual union."""
    if control.control_mode is not None:
        return control.control_mode
    return family.union.modes.get(str(control.kind)) if family.union else None
