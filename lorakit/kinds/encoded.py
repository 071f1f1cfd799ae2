"""Latents of pictures and embeds of captions as actions of their own: made once for what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lorakit.diagnostics import Place
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.facts.pictures.picture_data import Picture
from lorakit.plan.actions import Action, Engine
from lorakit.plan.cost import Cost
from lorakit.plan.engine_specs import EncodingSpec
from lorakit.plan.kind import Context
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
        machine = context.facts.machine
        self._device_class = machine.device_class
        spec = EncodingSpec(
            name=model.source,
            path=str(model.path),
            parts=str(model.parts or ""),
            family=model.family,
            device=machine.device,
        )
        known = [model.vae, model.text_encoder_digest, model.family, machine.device]
        self._engine = Engine(ENCODE.name, spec, digest_of(known) if model.digest else "")
        self.latents: dict[object, Action] = {}
        self.embeds: dict[object, Action] = {}

    @property
    def actions(self) -> tuple[Action, ...]:
        """All of them."""
        return (*self.latents.values(), *self.embeds.values())

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
            task = LatentsTask(
                vae=self._model.vae,
                picture=picture.digest,
                width=width,
                height=height,
                views=tuple(views),
                device_class=self._device_class,
                mask=masked,
                colours="srgb" if picture.converted else None,
                file=str(picture.file),
                mask_file=str(mask) if mask is not None else None,
            )
            positions = width * height / self._model.vae_factor**2
            # a VAE's encoder takes about 2 million operations a pixel at SD's width
            cost = self._cost(task, width, height, 1.4e8 * positions * len(views))
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
                self._device_class,
                self._read,
                self._clip_skip,
            )
            cost = self._cost(task, None, None, 2e10)
            label = text or "no caption"
            number = len(self.embeds) + 1
            self.embeds[name] = self._action(
                f"captions-{number:04d}", "captions", label, task, cost
            )
        return self.embeds[name]

    def _cost(
        self, task: WorkerTask, width: int | None, height: int | None, operations: float
    ) -> Cost:
        return Cost(f"{task.kind}|{self._engine.id}|{width}|{height}", operations)

    def _action(self, name: str, group: str, label: str, task: WorkerTask, cost: Cost) -> Action:
        return Action(
            id=f"{self._step}/{name}",
            step=self._step,
            group=group,
            label=label,
            place=self._place,
            engine=self._engine,
            task=task,
            cost=cost,
        )
