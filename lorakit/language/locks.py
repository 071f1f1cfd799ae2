"""The lock of a project: which commit of each model and data set its recipes stand on.

`lorakit.lock` stands beside the documents, is kept in git, and is merged like them: one line a file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lorakit.diagnostics import InvalidDocument, in_order
from lorakit.language.recipe.documents import ModelSource
from lorakit.language.recipe.project import Project
from lorakit.language.recipe.trainings import DataSource
from lorakit.language.trees import Trees
from lorakit.language.yaml import validation
from lorakit.language.yaml.findings import Findings, Unreadable
from lorakit.language.yaml.reader import FolderReader
from lorakit.records import record

if TYPE_CHECKING:
    from lorakit.language.yaml.reader import Reader

FILE = "lorakit.lock"
SCHEMA = "lock.schema.json"
_HUB = "hub:"
_HEAD = (
    "# What the recipes here stand on. Written by lorakit lock and lorakit run; keep it in git.\n"
)


@record
class Pin:
    """One model or data set at one state.

    `revision` is the hub's commit, or empty; `version` the lorakit that shipped it, or empty; `license` is
    as its card states it; `files` are SHA-256 digests by path.
    """

    files: Mapping[str, str]
    revision: str = ""
    version: str = ""
    license: str = ""


@record
class Lock:
    """Pins by what a recipe calls their source (see `name_of`)."""

    models: Mapping[str, Pin] = field(default_factory=dict)
    datasets: Mapping[str, Pin] = field(default_factory=dict)

    def with_missing(self, other: Lock) -> Lock:
        """Add what only the other has: no pin is moved."""
        return Lock({**other.models, **self.models}, {**other.datasets, **self.datasets})

    def moved(self, other: Lock) -> Lock:
        """Put all that the other has in the place of what is here."""
        return Lock({**self.models, **other.models}, {**self.datasets, **other.datasets})


def name_of(source: ModelSource | DataSource) -> str:
    """What a lock calls a source: as the recipe writes it, with @revision if it names one."""
    told = (
        source.hub or source.source
        if isinstance(source, ModelSource)
        else source.texts or source.images
    )
    return f"{told}@{source.revision}" if source.revision else told


def read(folder: Path, reader: Reader | None = None) -> Lock:
    """The lock of a project's folder; empty where it has none. Raises InvalidDocument."""
    reader = reader or FolderReader()
    path = folder / FILE
    if not reader.exists(path):
        return Lock()
    findings = Findings()
    try:
        root = Trees(reader, findings).tree(path)
        validation.check(root, SCHEMA, findings, "a lock")
    except Unreadable:
        raise InvalidDocument(in_order(findings.all)) from None
    if findings:
        raise InvalidDocument(in_order(findings.all))
    value = validation.plain(root, [])
    return Lock(
        *({name: Pin(**pin) for name, pin in (value.get(key) or {}).items()} for key in _PARTS)
    )


_PARTS = ("models", "datasets")


def write(lock: Lock) -> str:
    """The text of a lock, in an order that does not depend on who writes it."""
    lines = [_HEAD, "lock: 1\n"]
    for part in _PARTS:
        pins: Mapping[str, Pin] = getattr(lock, part)
        lines += [f"{part}:\n"] if pins else []
        for name, pin in sorted(pins.items()):
            lines.append(f"  {_quoted(name)}:\n")
            lines += [
                f"    {key}: {_quoted(value)}\n"
                for key in ("revision", "version", "license")
                if (value := getattr(pin, key))
            ]
            lines.append("    files:\n" if pin.files else "    files: {}\n")
            lines += [
                f"      {_quoted(file)}: {_quoted(pin.files[file])}\n" for file in sorted(pin.files)
            ]
    return "".join(lines)


def _quoted(text: str) -> str:
    """A text as YAML and JSON both read it: an all-digit digest is no number."""
    return json.dumps(text, ensure_ascii=False)


def pinned(project: Project, lock: Lock) -> Project:
    """The project with the commit that the lock names for each source of the hub."""

    def settle(sources: Mapping[str, Any], pins: Mapping[str, Pin]) -> dict[str, Any]:
        settled = {}
        for name, source in sources.items():
            pin = pins.get(name_of(source))
            settled[name] = (
                replace(source, revision=pin.revision) if pin and pin.revision else source
            )
        return settled

    recipe = replace(
        project.recipe,
        models=settle(project.recipe.models, lock.models),
        datasets=settle(project.recipe.datasets, lock.datasets),
    )
    return replace(project, recipe=recipe)


def of_hub(source: ModelSource | DataSource) -> bool:
    """Whether a source stands on the hub, where it may move."""
    return name_of(source).startswith(_HUB)
