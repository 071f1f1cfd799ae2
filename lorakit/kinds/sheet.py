"""Sheets of pictures: all of a step, or those of several side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lorakit.plan.actions import Action, Engine, Input
from lorakit.plan.kind import Shot

SHEET_VERSION = 1
ASSEMBLY = Engine("assemble", {}, "assemble")


def pictures_of(
    shots: Sequence[Shot], output: str = "picture"
) -> tuple[dict[str, str], tuple[Input, ...]]:
    """A role for each picture that is shown, and the inputs that bring them."""
    roles: dict[str, str] = {}
    for shot in shots:
        roles.setdefault(shot.action, f"picture_{len(roles) + 1:05d}")
    return roles, tuple(Input(role, action, output) for action, role in roles.items())


def contact_sheet(step: str, title: str, shots: Sequence[Shot], output: str = "picture") -> Action:
    """All pictures of a step on one page, a row for each group; `output` is which of an action's."""
    roles, inputs = pictures_of(shots, output)
    groups: dict[str, list[dict[str, str]]] = {}
    for shot in shots:
        entry = {"picture": roles[shot.action], "caption": shot.caption}
        groups.setdefault(shot.group, []).append(entry)
    return Action(
        id=f"{step}/contact-sheet",
        step=step,
        group="",
        kind="contact-sheet",
        version=SHEET_VERSION,
        label="contact sheet",
        place=None,
        engine=ASSEMBLY,
        params={
            "title": title,
            "groups": [{"title": g, "pictures": pictures} for g, pictures in groups.items()],
        },
        inputs=inputs,
        files={"sheet": (f"{step}/contact_sheet.png",)},
        units=max(1, len(shots)),
    )


def side_by_side(
    step: str, title: str, series: Mapping[str, Sequence[Shot]], *, down: bool = False
) -> Action:
    """Several series of pictures beside each other, first to first; `down` gives each a row, else a column.

    What a series lacks, or what was not made because it failed, stays empty.
    """
    roles, inputs = pictures_of([shot for shots in series.values() for shot in shots])
    longest = max(series.values(), key=len)
    captions = [shot.caption for shot in longest]
    pictures = [[roles[shot.action] for shot in shots] for shots in series.values()]
    return Action(
        id=f"{step}/side-by-side",
        step=step,
        group="",
        kind="side-by-side",
        version=SHEET_VERSION,
        label="side by side",
        place=None,
        engine=ASSEMBLY,
        params={"title": title, "of": list(series), "captions": captions, "pictures": pictures}
        | ({"down": True} if down else {}),
        inputs=tuple(Input(i.role, i.action, i.output, optional=True) for i in inputs),
        files={"sheet": (f"{step}/side_by_side.png",)},
        units=max(1, sum(len(shots) for shots in series.values())),
    )
