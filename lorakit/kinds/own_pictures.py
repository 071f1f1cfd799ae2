"""Pictures of the user's own as frames: each cut to its size, and encoded where a frame begins from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lorakit.kinds.frames.settings import RenderSettings
from lorakit.kinds.sheet import ASSEMBLY
from lorakit.language.recipe.documents import StoryboardStep
from lorakit.language.story.documents import PictureFile
from lorakit.plan.actions import Action
from lorakit.plan.cost import Cost

if TYPE_CHECKING:
    from lorakit.facts.pictures.own_pictures import OwnPicture
    from lorakit.facts.pictures.picture import Picture
    from lorakit.kinds.encoded import EncodingActions

_AS_IT_IS = (0, 0.5, 0.5)  # not mirrored, cut out of the middle
_MUCH = 0.02  # of a picture, that is cut away


class OwnPictures:
    """The pictures that stand for frames of one step."""

    def __init__(self, step: StoryboardStep, settings: RenderSettings) -> None:
        self._step, self._settings = step, settings
        self._encoding: EncodingActions | None = None  # begun where a picture is encoded
        self._pictures: dict[str, tuple[Picture, tuple[int, int]]] = {}

    @property
    def encodings(self) -> tuple[Action, ...]:
        """What makes the latents of those that frames begin from."""
        return self._encoding.actions if self._encoding is not None else ()

    def encoded(self, file: Path, size: tuple[int, int]) -> str:
        """The action that makes the latents of a picture, cut to `size` (width, height) px."""
        return self._latents(self._known(file), size)

    def _known(self, file: Path) -> Picture:
        from lorakit.facts.pictures.picture import Picture

        own = self._settings.context.facts.own_pictures[file]
        return Picture(file, "", own.size, file.name, own.digest, converted=own.converted)

    def _latents(self, picture: Picture, size: tuple[int, int]) -> str:
        if self._encoding is None:
            from lorakit.kinds.encoded import EncodingActions

            step, settings = self._step, self._settings
            begun = EncodingActions(step.name, step.place, settings.model, settings.context)
            self._encoding = begun
        return self._encoding.picture(picture, size, (_AS_IT_IS,)).id

    def action(
        self,
        address: str,
        group: str,
        picture: PictureFile,
        size: tuple[int, int],
        files: Sequence[str] = (),
    ) -> Action:
        """What cuts a picture to `size` (width, height) px, in the place of the frame at an address."""
        from lorakit.plan.tasks.painted import PaintedTask

        own = self._settings.context.facts.own_pictures[picture.path]
        self._pictures[address] = (self._known(picture.path), size)
        return Action(
            id=address,
            step=self._step.name,
            group=group,
            label=picture.path.name,
            place=picture.place,
            engine=ASSEMBLY,
            task=PaintedTask(own.digest, *size, str(picture.path)),
            cost=Cost(f"{PaintedTask.kind}|{size[0]}|{size[1]}", disk=int(size[0] * size[1] * 1.6)),
            files={"picture": tuple(files)},
            notes=tuple(_notes(own, size)),
        )

    def latents_of(self, address: str) -> str:
        """The action that makes the latents of the frame at an address."""
        if address not in self._pictures:
            return address
        return self._latents(*self._pictures[address])


def _notes(own: OwnPicture, size: tuple[int, int]) -> Iterator[str]:
    from lorakit.facts.pictures.cut_picture import cut_of

    cut = cut_of(own.size, size)
    sides = f"{own.size[0]}x{own.size[1]} to {size[0]}x{size[1]}"
    if cut.lost > _MUCH:
        yield f"cut from {sides}: {cut.lost:.0%} of it falls off"
    if cut.scale > 1:
        yield f"enlarged {cut.scale:.1f} times, from {sides}"
