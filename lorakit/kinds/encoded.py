"""Latents of pictures and embeds of captions as actions of their own: made once for what is in them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from lorakit.diagnostics import Place
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.facts.pictures.picture import Picture
from lorakit.plan import mode_words
from lorakit.plan.actions import Action, Engine
from lorakit.plan.cost import Cost
from lorakit.plan.encoding_memory import EXACT, encoding_needs
from lorakit.plan.engine_specs import NOTHING
from lorakit.plan.kind import Context
from lorakit.plan.memory_modes import NONE, MemoryMode, chosen
from lorakit.plan.specs_beside import EncodingSpec
from lorakit.plan.tasks.encode import EmbedsTask, LatentsTask, View
from lorakit.plan.tasks.task import WorkerTask
from lorakit.plan.workers import ENCODE
from lorakit.store.canonical import digest_of


class EncodingActions:
    """The encoding actions of one step; what is asked for twice is one action."""

    def __init__(
        self,
        step: str,
        place: Place,
        model: ModelFacts,
        context: Context,
        max_token_length: int = 75,
        clip_skip: int = 0,
    ) -> None:
        """Of captions so many tokens are read, and so many of the text encoders' layers are left out."""
        self._step, self._place, self._model = step, place, model
        self._read, self._clip_skip = max_token_length, clip_skip
        if model.traits.flow is not None:
            self._read = model.token_limit
        self._machine = context.facts.machine
        self._precision = _precision(model, context)
        self._largest = (0, 0)
        self.latents: dict[object, Action] = {}
        self.embeds: dict[object, Action] = {}

    @property
    def actions(self) -> tuple[Action, ...]:
        """All of them, in one engine: how that is kept in memory the largest picture decides."""
        engine, mode = self._engine(), self._mode()
        return tuple(
            replace(
                action,
                engine=engine,
                cost=replace(
                    action.cost,
                    timing=f"{action.kind}|{engine.id}|{action.cost.timing}",
                    memory=mode.card,
                    mode=mode,
                    precision=self._precision if action.kind == EmbedsTask.kind else EXACT,
                ),
            )
            for action in (*self.latents.values(), *self.embeds.values())
        )

    @property
    def lines(self) -> Iterator[str]:
        """What a plan says of it, where text encoders are large."""
        if self._model.traits.flow is not None and (self.latents or self.embeds):
            told = mode_words.drawing(self._mode(), self._precision, self._machine.card)
            yield f"captions and pictures encoded before: {told}"

    def _mode(self) -> MemoryMode:
        needs = encoding_needs(self._model, self._precision, self._largest)
        return chosen(needs, (0,), self._machine.card)

    def _engine(self) -> Engine:
        model, offload = self._model, self._mode().offload
        spec = EncodingSpec(
            name=model.source,
            path=str(model.path),
            parts=str(model.parts or ""),
            family=model.family,
            device=self._machine.device,
            precision=self._precision,
            offload=offload,
        )
        known = [model.vae, model.text_encoder_digest, model.family, self._machine.device]
        known += [self._precision] if self._precision != EXACT else []
        known += [offload] if offload != NONE else []
        return Engine(ENCODE.name, spec, digest_of(known) if model.digest else "")

    def picture(
        self,
        picture: Picture,
        size: tuple[int, int],
        views: Sequence[View],
        mask: Path | None = None,
    ) -> Action:
        """The latents of a picture's views at `size` (width, height) px, with their masks."""
        masked = picture.mask_digest if mask is not None else None
        # the same file may stand in two data sets, with a mask beside it in one of them
        name = (picture.name, picture.digest, masked, size, tuple(views))
        if name not in self.latents:
            width, height = size
            self._largest = max(self._largest, size, key=math.prod)
            task = LatentsTask(
                vae=self._model.vae,
                picture=picture.digest,
                width=width,
                height=height,
                views=tuple(views),
                device_class=self._machine.device_class,
                mask=masked,
                colours="srgb" if picture.converted else None,
                file=str(picture.file),
                mask_file=str(mask) if mask is not None else None,
            )
            positions = width * height / self._model.vae_factor**2
            # a VAE's encoder takes about 2 million operations a pixel at SD's width
            cost = Cost(f"{width}|{height}", 1.4e8 * positions * len(views))
            label = picture.name or picture.file.name
            number = len(self.latents) + 1
            self.latents[name] = self._action(f"latents-{number:04d}", "latents", label, task, cost)
        return self.latents[name]

    def caption(self, text: str, *, empty: bool = False) -> Action:
        """The embeds of a caption; `empty` is how a model is told nothing."""
        name = (text, empty)
        if name not in self.embeds:
            task = EmbedsTask(
                self._model.text_encoder_digest,
                text,
                empty,
                self._machine.device_class,
                self._read,
                self._clip_skip,
                self._precision,
            )
            cost = Cost("None|None", 2e10)
            label = text or "no caption"
            number = len(self.embeds) + 1
            self.embeds[name] = self._action(
                f"captions-{number:04d}", "captions", label, task, cost
            )
        return self.embeds[name]

    def _action(self, name: str, group: str, label: str, task: WorkerTask, cost: Cost) -> Action:
        return Action(
            id=f"{self._step}/{name}",
            step=self._step,
            group=group,
            label=label,
            place=self._place,
            engine=Engine(ENCODE.name, NOTHING, ""),  # until all are known
            task=task,
            cost=cost,
        )


def _precision(model: ModelFacts, context: Context) -> str:
    """What text encoders are kept in: of a UNet fp32, of a transformer bf16 where it is drawn with in that.

    In fp16 T5's numbers grow beyond its largest.
    """
    drawn = context.facts.machine.precision(context.project.recipe.models[model.name].dtype)
    return drawn if model.traits.flow is not None and drawn == "bf16" else EXACT
