"""What tells an editor's YAML language server which schema a document has: a comment on top of it.

# yaml-language-server: $schema=../schemas/recipe.schema.json
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from lorakit import resources
from lorakit.diagnostics import LorakitError
from lorakit.files import read_regular
from lorakit.language import document_kind
from lorakit.language.yaml.schemas import FILES
from lorakit.records import record
from lorakit.store import atomic
from lorakit.store.errors import why
from lorakit.store.store import FOLDER, Store

# as the language server reads it: in the comments before the first line of YAML
_HEAD = re.compile(r"(?:[ \t]*(?:#[^\n]*|---[ \t]*)?\r?\n)*")
_MODELINE = re.compile(r"^#\s*yaml-language-server\s*:.*?\$schema=(\S+)", re.MULTILINE)
_MOST = 64_000_000  # bytes of a document
Outcome = Literal["written", "kept", "foreign"]


@record
class Modeline:
    """A document and where its comment leads: `schema` is a file, or None for an address or no comment."""

    document: Path
    written: str
    schema: Path | None

    @property
    def resolves(self) -> bool:
        """Whether an editor finds something there; what an address has is not asked."""
        return "://" in self.written or (self.schema is not None and self.schema.is_file())


def modeline_of(document: Path) -> Modeline:
    """The modeline of a document; `written` is empty where it has none, or cannot be read."""
    try:
        text = read_regular(document, _MOST).decode("utf-8", "replace").removeprefix("\ufeff")
    except OSError:
        text = ""
    head = _HEAD.match(text + "\n")
    found = _MODELINE.search(head[0]) if head else None
    written = found[1] if found else ""
    if not written or "://" in written:
        return Modeline(document, written, None)
    return Modeline(document, written, Path(os.path.normpath(document.parent / written)))


def line_for(document: Path, folder: Path) -> str:
    """The comment that leads from a document to its schema in a folder."""
    name = f"{document_kind(document) or 'recipe'}.schema.json"
    try:
        path = Path(os.path.relpath(folder / name, document.parent)).as_posix()
    except ValueError:  # another drive
        path = (folder / name).as_posix()
    return f"# yaml-language-server: $schema={path}"


def schema_folder(home: Path) -> Path:
    """Where a project's own copies of the schemas are."""
    return home / FOLDER / "schemas"


def install(home: Path, documents: Iterable[Modeline]) -> dict[Path, Outcome]:
    """Write the schemas into a project's store, and to where its documents' comments lead in the project.

    A file that is no schema of ours stays, and is `foreign`. Raises StoreError, LorakitError.
    """
    Store(home).prepare()
    own = schema_folder(home)
    targets = {own / name: name for name in FILES}
    for one in documents:
        leads = one.schema
        if leads is not None and leads.name in FILES and leads.is_relative_to(home):
            # a schema may lean on the other beside it
            targets.update({leads.parent / name: name for name in FILES})
    return {target: _put(name, target) for target, name in targets.items()}


def differs(schema: Path) -> bool:
    """Whether a file that is a schema of ours is of another version than the one that ships."""
    ours = (resources.path("schemas") / schema.name).read_bytes()
    try:
        there = read_regular(schema, _MOST)
    except OSError:
        return False
    return there != ours and _id_of(there) == _id_of(ours)


def _put(name: str, target: Path) -> Outcome:
    data = (resources.path("schemas") / name).read_bytes()
    try:
        if target.exists():
            there = read_regular(target, _MOST)
            if there == data:
                return "kept"
            if _id_of(there) != _id_of(data):
                return "foreign"
        atomic.write_bytes(target, data, durable=False)
    except OSError as error:
        raise LorakitError(f"{target} cannot be written: {why(error)}") from error
    return "written"


def _id_of(data: bytes) -> object:
    try:
        loaded = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return loaded.get("$id") if isinstance(loaded, dict) else None
