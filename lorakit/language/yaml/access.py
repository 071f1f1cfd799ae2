"""Tolerant reading of nodes: a value of the wrong type reads as absent.

The schema has reported it already; what follows goes on, so that one run tells an author everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import normalize

if TYPE_CHECKING:
    from lorakit.language.yaml.nodes import Node


def child(node: Node | None, key: str) -> Node | None:
    """The value of a mapping's key, if there is one that is not null."""
    if node is None or not isinstance(node.value, dict):
        return None
    found = node.value.get(key)
    return None if found is None or found.value is None else found


def mapping(node: Node | None, key: str) -> dict[str, Node]:
    """A mapping's entries; none where it is absent or something else."""
    found = child(node, key)
    return found.value if found is not None and isinstance(found.value, dict) else {}


def items(node: Node | None, key: str) -> list[Node]:
    """A list's items; none where it is absent or something else."""
    found = child(node, key)
    return found.value if found is not None and isinstance(found.value, list) else []


def text(node: Node | None, key: str) -> str | None:
    """A text, without the blanks around it."""
    found = child(node, key)
    return found.value.strip() if found is not None and isinstance(found.value, str) else None


def name(node: Node | None, key: str) -> str | None:
    """A name, with its accents composed: one name, however a keyboard or file system writes it."""
    found = text(node, key)
    return normalize("NFC", " ".join(found.split())) if found is not None else None


def integer(node: Node | None, key: str) -> int | None:
    """A whole number, as 20 or 20.0."""
    found = child(node, key)
    if found is None or isinstance(found.value, bool):
        return None
    if isinstance(found.value, int):
        return found.value
    if isinstance(found.value, float) and found.value.is_integer():
        return int(found.value)
    return None


def number(node: Node | None, key: str) -> float | None:
    """A number."""
    found = child(node, key)
    if found is None or isinstance(found.value, bool) or not isinstance(found.value, (int, float)):
        return None
    try:
        return float(found.value)
    except OverflowError:
        return None


def boolean(node: Node | None, key: str) -> bool | None:
    """True or false."""
    found = child(node, key)
    return found.value if found is not None and isinstance(found.value, bool) else None


def choice(node: Node | None, key: str, choices: tuple[str, ...]) -> str | None:
    """One of a few words."""
    found = text(node, key)
    return found if found in choices else None
