"""How a run was called, with paths that hold elsewhere too: what its record keeps, and reads again."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lorakit.facts.pictures.own_pictures import files_named
from lorakit.records import record

if TYPE_CHECKING:
    from lorakit.language.recipe.project import Project
    from lorakit.plan.selection import Selection


@record
class RunRequest:
    """Which document was run, and how. An empty `document` is not known.

    `root` is the folder of the documents as seen from where outputs go; `document`, `paths` (of all
    documents, by their names), `adapters` and `pictures`, those of the user's own, are as seen from it.
    """

    document: str = ""
    root: str = "."
    paths: Mapping[str, str] = field(default_factory=dict)
    settings: tuple[str, ...] = ()
    profile: str | None = None
    adapters: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    draft: bool = False
    preview: bool = False

    @classmethod
    def of(
        cls,
        project: Project,
        names: Mapping[str, Path],
        settings: Sequence[str],
        profile: str | None,
        selection: Selection,
    ) -> RunRequest:
        """What a run is called by now; `names` are the documents' paths by their names."""
        root = project.root
        return cls(
            document=_from(project.files[0], root),
            root=_from(root, project.home),
            paths={name: _from(path, root) for name, path in names.items()},
            settings=tuple(settings),
            profile=profile,
            adapters=tuple(_from(a.path, root) for a in project.recipe.adapters.values()),
            pictures=tuple(dict.fromkeys(_from(one, root) for one in files_named(project))),
            only=selection.only,
            draft=selection.draft,
            preview=selection.preview,
        )

    @classmethod
    def read(cls, told: object) -> RunRequest:
        """As a record has it; what is of another form there is left empty."""
        known: Mapping[str, Any] = told if isinstance(told, dict) else {}
        document, root, profile = (known.get(key) for key in ("document", "root", "profile"))
        paths = known.get("paths")
        return cls(
            document=document if isinstance(document, str) else "",
            root=root if isinstance(root, str) else ".",
            paths={k: v for k, v in paths.items() if isinstance(v, str)}
            if isinstance(paths, dict)
            else {},
            settings=_texts(known.get("settings")),
            profile=profile if isinstance(profile, str) else None,
            adapters=_texts(known.get("adapters")),
            pictures=_texts(known.get("pictures")),
            only=_texts(known.get("only")),
            draft=known.get("draft") is True,
            preview=known.get("preview") is True,
        )

    def as_json(self) -> dict[str, object]:
        """As a record keeps it."""
        return asdict(self)


def _from(path: Path, start: Path) -> str:
    """A path seen from a folder, with forward slashes."""
    return Path(os.path.relpath(path, start)).as_posix()


def _texts(value: object) -> tuple[str, ...]:
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else ()
