"""Sheets of pictures: all of a step, or those of several side by side."""

from __future__ import annotations

from collections.abc import Sequence

from lorakit.facts.fonts.fallbacks import fallbacks
from lorakit.facts.fonts.font_files import Face
from lorakit.plan.actions import Action, Engine, Input
from lorakit.plan.cost import assembly_cost
from lorakit.plan.kind import Clip
from lorakit.plan.tasks.sheet import OWN_LETTERS, ContactSheetTask, SheetPicture, SheetRows
from lorakit.plan.workers import ASSEMBLE

ASSEMBLY = Engine(ASSEMBLE.name, id=ASSEMBLE.name)


def pictures_of(
    clips: Sequence[Clip], output: str = "picture"
) -> tuple[dict[str, str], tuple[Input, ...]]:
    """A role for each picture that is shown, and the inputs that bring them."""
    roles: dict[str, str] = {}
    for frame in (frame for clip in clips for frame in clip.frames):
        roles.setdefault(frame, f"picture_{len(roles) + 1:05d}")
    return roles, tuple(Input(role, action, output) for action, role in roles.items())


def contact_sheet(
    step: str,
    title: str,
    clips: Sequence[Clip],
    output: str = "picture",
    face: Face | None = None,
) -> Action:
    """All pictures of a step on one page, a row for each group; `output` is which of an action's.

    Its letters are those of `face`, where one is chosen.
    """
    roles, inputs = pictures_of(clips, output)
    groups: dict[str, list[SheetPicture]] = {}
    for clip in clips:
        groups.setdefault(clip.group, []).append(SheetPicture(roles[clip.picture], clip.caption))
    rows = tuple(SheetRows(name, tuple(pictures)) for name, pictures in groups.items())
    units = max(1, len(clips))
    fonts = fallbacks([title, *groups, *(clip.caption for clip in clips), OWN_LETTERS], face)
    return Action(
        id=f"{step}/contact-sheet",
        step=step,
        group="",
        label="contact sheet",
        place=None,
        engine=ASSEMBLY,
        task=ContactSheetTask(title, rows, fonts),
        cost=assembly_cost(ContactSheetTask.kind, units),
        inputs=inputs,
        files={"sheet": (f"{step}/{ContactSheetTask.file}",)},
        units=units,
    )
