"""The last word on whether a document meets its schema: a validator library's.

Our own walk (`schema.py`) finds the place and the words, and what prose hides. Where it finds nothing wrong,
the library is asked; what only it objects to is told in its terms, at the place it names. It is
jsonschema-rs: to import jsonschema takes longer than to validate.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from lorakit.language.yaml import schemas

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node

_FILES = ("recipe.schema.json", "storyboard.schema.json")


@cache
def _validator(file: str) -> Any:
    from jsonschema_rs import Draft7, Draft7Validator, Registry

    loaded = map(schemas.load, _FILES)
    known = Registry([(schema["$id"], schema) for schema in loaded], draft=Draft7)
    return Draft7Validator(schemas.load(file), registry=known)


def plain(node: Node) -> Any:
    """A tree of nodes as plain data."""
    value = node.value
    if isinstance(value, dict):
        return {key: plain(child) for key, child in value.items()}
    if isinstance(value, list):
        return [plain(child) for child in value]
    return value


def _at(root: Node, path: Iterable[str | int]) -> Node:
    node = root
    for part in path:
        node = node.value[part]  # type: ignore[index, assignment]
    return node


def confirm(root: Node, file: str, findings: Findings) -> None:
    """Add what the library objects to in a document in which nothing was found wrong so far."""
    if findings:
        return
    for error in _validator(file).iter_errors(plain(root)):
        where = ".".join(map(str, error.instance_path)) or "the document"
        node = _at(root, error.instance_path)
        findings.error("invalid", f"{where} does not meet the schema: {error.message}", node)
