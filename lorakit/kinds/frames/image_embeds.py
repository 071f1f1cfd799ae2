"""References that frames see through an IP-Adapter: what its image encoder makes of each, made once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from lorakit.facts.models.ip_adapters import IpAdapter
from lorakit.kinds.frames.settings import RenderSettings
from lorakit.language.story.documents import Character
from lorakit.language.story.references import CharacterReference
from lorakit.plan.actions import Action, Engine, Input
from lorakit.plan.cost import Cost
from lorakit.plan.drawing_memory import BYTES, PROCESS, SCRATCH
from lorakit.plan.specs_beside import ImageEncoderSpec
from lorakit.plan.tasks.image_embeds import ImageEmbedsTask, IpAdapterUse
from lorakit.plan.workers import SEE
from lorakit.store.canonical import digest_of

_SECONDS = 2.0  # of an encoder, a picture: a first guess


class SeenEmbeds(NamedTuple):
    """What an image encoder makes of a reference, by the action that asks it, and what it weighs."""

    action: str
    scale: float


class ThroughAdapter(NamedTuple):
    """What a frame sees through an IP-Adapter."""

    adapter: IpAdapter
    seen: tuple[SeenEmbeds, ...]

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The embeds, in the order of their weights."""
        return tuple(
            Input(f"embeds_{n}", one.action, "embeds") for n, one in enumerate(self.seen, 1)
        )

    @property
    def use(self) -> IpAdapterUse:
        """What a frame's task says of it."""
        scales = tuple(one.scale for one in self.seen)
        return IpAdapterUse(self.adapter.digest, scales, str(self.adapter.weights or ""))

    def added_to(self, cost: Cost, precision: str) -> Cost:
        """What a frame costs that sees it: its weights stay beside the UNet's."""
        return replace(
            cost,
            timing=f"{cost.timing}|ip-adapter",
            memory=cost.memory + int(self.adapter.parameters * BYTES[precision]),
        )


@dataclass(slots=True)
class ImageEmbeds:
    """The embeds of one step; those of a picture that two frames see are made once."""

    settings: RenderSettings
    adapter: IpAdapter
    made: dict[tuple[str, str], Action] = field(default_factory=dict)

    def seen(
        self,
        character: Character,
        reference: CharacterReference,
        drawn: str | None,
        address: str,
        group: str,
    ) -> tuple[SeenEmbeds, list[Action]]:
        """A reference as the image encoder sees it, and the action that is new by it, at an address.

        `drawn` is the action of a reference that is a frame.
        """
        known = (drawn or "", "" if drawn else str(reference.file))
        scale = character.reference_scale
        if known in self.made:
            return SeenEmbeds(self.made[known].id, scale), []
        action = self._action(character, reference, drawn, address, group)
        self.made[known] = action
        return SeenEmbeds(action.id, scale), [action]

    def _action(
        self,
        character: Character,
        reference: CharacterReference,
        drawn: str | None,
        address: str,
        group: str,
    ) -> Action:
        adapter, settings = self.adapter, self.settings
        file: Path | None = reference.file if drawn is None else None
        own = settings.context.facts.own_pictures[file] if file is not None else None
        spec = ImageEncoderSpec(
            name=adapter.source, path=str(adapter.encoder or ""), device=settings.device
        )
        known = digest_of([adapter.encoder_digest, settings.device])
        return Action(
            id=address,
            step=address.partition("/")[0],
            group=group,
            label=f"{character.id} as in {reference.source}",
            place=reference.place or character.place,
            engine=Engine(SEE.name, spec, known if adapter.encoder_digest else ""),
            task=ImageEmbedsTask(
                encoder=adapter.encoder_digest,
                hidden_states=adapter.hidden_states,
                device_class=settings.device_class,
                picture=own.digest if own is not None else None,
                file=str(file) if file is not None else "",
            ),
            cost=Cost(
                f"{ImageEmbedsTask.kind}|{adapter.encoder_digest}",
                seconds=_SECONDS,
                memory=int(PROCESS + BYTES["fp32"] * SCRATCH * adapter.encoder_parameters),
            ),
            inputs=(Input("picture", drawn, "picture"),) if drawn is not None else (),
        )
