"""Latents of pictures and embeds of captions as actions of their own: made once for what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lorakit.diagnostics import Place
from lorakit.facts.models import ModelFacts
from lorakit.facts.pictures import Picture
from lorakit.plan.actions import Action, Engine
from lorakit.plan.kind import Context
from lorakit.store.canonical import digest_of

ENCODE_SLOT = "encode"
LATENTS_VERSION = EMBEDS_VERSION = 1
View = tuple[int, float, float]  # mirrored or not; where it is cut out, 0 (left, top) to 1


class Encodings:
    """The encoding actions of one step; what is asked for twice is one action."""

    def __init__(self, step: str, place: Place, model: ModelFacts, context: Context) -> None:
        self._step, self._place, self._model = step, place, model
        machine = context.facts.machine
        self._device_class = machine.device_class
        spec = {
            "path": str(model.path),
            "family": model.family,
            "device": machine.device,
            "name": model.source,
        }
        known = [model.vae, model.texts, model.family, machine.device]
        self._engine = Engine(ENCODE_SLOT, spec, digest_of(known) if model.digest else "")
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
            params: dict[str, object] = {
                "vae": self._model.vae,
                "picture": picture.digest,
                "width": width,
                "height": height,
                "views": [list(view) for view in views],
                "device_class": self._device_class,
            }
            if masked is not None:
                params["mask"] = masked
            if picture.converted:  # other pictures keep their keys
                params["colours"] = "srgb"
            positions = width * height / self._model.vae_factor**2
            self.latents[name] = self._action(
                f"latents-{len(self.latents) + 1:04d}",
                "latents",
                LATENTS_VERSION,
                picture.name or picture.file.name,
                params,
                # a VAE's encoder takes about 2 million operations a pixel at SD's width
                {
                    "file": str(picture.file),
                    "mask": str(mask) if mask is not None else None,
                    "operations": 1.4e8 * positions * len(views),
                },
            )
        return self.latents[name]

    def caption(self, text: str, *, empty: bool = False) -> Action:
        """The embeds of a caption; `empty` is how a model is told nothing."""
        name = (text, empty)
        if name not in self.embeds:
            params: dict[str, object] = {
                "text_encoders": self._model.texts,
                "text": text,
                "empty": empty,
                "device_class": self._device_class,
            }
            label = text or "no caption"
            self.embeds[name] = self._action(
                f"captions-{len(self.embeds) + 1:04d}", "embeds", EMBEDS_VERSION, label, params, {}
            )
        return self.embeds[name]

    def _action(
        self,
        name: str,
        kind: str,
        version: int,
        label: str,
        params: dict[str, object],
        extra: dict[str, object],
    ) -> Action:
        return Action(
            id=f"{self._step}/{name}",
            step=self._step,
            group="captions" if kind == "embeds" else kind,
            kind=kind,
            version=version,
            label=label,
            place=self._place,
            engine=self._engine,
            params=params,
            extra={"operations": 2e10, **extra},
        )
