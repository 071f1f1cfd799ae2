"""Checks of the names that an author gives: to steps, models, data sets, adapters and profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.language.recipe.folders import folder_name
from lorakit.language.recipe.sweeps import own_steps
from lorakit.language.yaml import access
from lorakit.language.yaml.hidden import hidden_letters

if TYPE_CHECKING:
    from lorakit.language.recipe.documents import Recipe
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node

_NAMED = ("steps", "models", "datasets", "adapters", "profiles")


def names_can_be_seen(_recipe: Recipe, root: Node, findings: Findings) -> None:
    """A name is letters that can be seen."""
    for key in _NAMED:
        owner = access.child(root, key)
        for name in access.mapping(root, key) if owner is not None else ():
            assert owner is not None
            if not name.isascii():
                hidden_letters(name, f"a name in {key}", owner.key_spot(name), findings)


def steps_have_folders_of_their_own(_recipe: Recipe, root: Node, findings: Findings) -> None:
    """Two steps whose names differ in capitals alone would share a folder on Windows and macOS."""
    owner = access.child(root, "steps")
    taken: dict[str, str] = {}
    for name in own_steps(root):
        first = taken.setdefault(folder_name(name).casefold(), name)
        if first != name and owner is not None:
            same = folder_name(name) == folder_name(first)
            where = "" if same else " on Windows and macOS"
            findings.error(
                "duplicate-name",
                f"{name} and {first} would share a folder{where}",
                owner.key_spot(name),
                "give one of them a name that differs in more than capitals or accents",
            )
