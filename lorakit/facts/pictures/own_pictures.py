"""Pictures of the user's own that boards name, for frames or beside them: what each is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from lorakit.facts.files.digests import Digests
from lorakit.language.recipe.project import Project
from lorakit.language.story.documents import PictureFile


class OwnPicture(NamedTuple):
    """A picture: the digest of its file, its (width, height) in px as it is seen.

    `converted` is whether its colours are not 8 bits of sRGB as they stand.
    """

    digest: str
    size: tuple[int, int]
    converted: bool


def named(project: Project) -> Iterator[PictureFile]:
    """The pictures that boards name, each as often as they do."""
    for board in project.recipe.boards:
        for scene in board.scenes:
            yield from (one for one in (scene.first,) if one is not None)
            yield from (one.image for one in scene.sentences if one.image is not None)
            for edit in (one.edit for one in scene.sentences if one.edit):
                if edit.file is not None:
                    yield PictureFile(edit.file, edit.where("mask") or scene.place)
            controls = {id(one.control): one.control for one in scene.sentences if one.control}
            for control in controls.values():
                if control.file is not None and control.film is None:
                    yield PictureFile(control.file, control.where("from") or scene.place)
        for who in board.characters:
            for one in who.references:
                if one.file is not None:
                    yield PictureFile(one.file, one.place or who.place)


def files_named(project: Project) -> Iterator[Path]:
    """The files of those pictures, and of the films that frames are held by."""
    yield from (picture.path for picture in named(project))
    for board in project.recipe.boards:
        for scene in board.scenes:
            held = (one.control for one in scene.sentences)
            yield from dict.fromkeys(one.film for one in held if one and one.film)


def own_pictures(
    project: Project, digests: Digests, problem: Callable[..., None]
) -> dict[Path, OwnPicture]:
    """Look at every picture that a board names, to its end; what cannot be read is told to `problem`."""
    pictures = list(named(project))
    if not pictures:
        return {}
    from lorakit.facts.pictures import open_picture

    found: dict[Path, OwnPicture] = {}
    for picture in pictures:
        if picture.path in found:
            continue
        try:
            with open_picture.quietly():
                header = open_picture.header(picture.path, picture.path.name, whole=True)
            digest = digests.file(picture.path)
        except open_picture.PictureError as error:
            problem("picture", str(error), picture.place)
        except OSError as error:
            problem("picture", f"{picture.path} cannot be read: {error.strerror}", picture.place)
        else:
            found[picture.path] = OwnPicture(digest, header.size, header.converted)
    return found
