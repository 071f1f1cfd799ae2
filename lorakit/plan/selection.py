"""What of a plan is asked for, and what is made anew though it is there."""

from __future__ import annotations

from collections.abc import Iterable

from lorakit.plan.actions import Action
from lorakit.records import record


@record
class Selection:
    """What a command asks for: all of a recipe or only some steps; what to make again by force."""

    only: tuple[str, ...] = ()
    force: tuple[str, ...] = ()
    force_all: bool = False
    draft: bool = False
    rebuild: bool = False  # make again what was made with other versions of the libraries
    preview: bool = False  # films small and quickly

    def forces(self, action: Action) -> bool:
        """Whether this action is made again although it is there."""
        return self.force_all or _named(action, self.force)

    def wants(self, action: Action) -> bool:
        """Whether this action is asked for."""
        return not self.only or _named(action, self.only)


def _named(action: Action, names: Iterable[str]) -> bool:
    return any(action.id == name or action.id.startswith(f"{name}/") for name in names)


EVERYTHING = Selection()
