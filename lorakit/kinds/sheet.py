"""The contact sheet of a step's pictures."""

from __future__ import annotations

from collections.abc import Sequence

from lorakit.plan.actions import Action, Engine, Input
from lorakit.plan.kind import Shot

SHEET_VERSION = 1
ASSEMBLY = Engine("assemble", {}, "assemble")


def pictures_of(shots: Sequence[Shot]) -> tuple[dict[str, str], tuple[Input, ...]]:
    """A role for each picture that is shown, and the inputs that bring them."""
    roles: dict[str, str] = {}
    for shot in shots:
        roles.setdefault(shot.action, f"picture_{len(roles) + 1:05d}")
    return roles, tuple(Input(role, action, "picture") for action, role in roles.items())


def contact_sheet(step: str, title: str, shots: Sequence[Shot]) -> Action:
    """All pictures of a step on one page, a row for each group."""
    roles, inputs = pictures_of(shots)
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
