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
    inner = node.value.get(key)
    return None if inner is None or inner.value is None else inner


def mapping(node: Node | None, key: str) -> dict[str, Node]:
    """A mapping's entries; none where it is absent or something else."""
    inner = child(node, key)
    return inner.value if inner is not None and isinstance(inner.value, dict) else {}


def items(node: Node | None, key: str) -> list[Node]:
    """A list's items; none where it is absent or something else."""
    inner = child(node, key)
    return inner.value if inner is not None and isinstance(inner.value, list) else []


def text(node: Node | None, key: str) -> str | None:
    """A text, without the blanks around it."""
    inner = child(node, key)
    return inner.value.strip() if inner is not None and isinstance(inner.value, str) else None


def name(node: Node | None, key: str) -> str | None:
    """A name, with its accents composed: one name, however a keyboard or file system writes it."""
    words = text(node, key)
    return normalize("NFC", " ".join(words.split())) if words is not None else None


def integer(node: Node | None, key: str) -> int | None:
    """A whole number, as 20 or 20.0."""
    inner = child(node, key)
    if inner is None or isinstance(inner.value, bool):
        return None
    if isinstance(inner.value, int):
        return inner.value
    if isinstance(inner.value, float) and inner.value.is_integer():
        return int(inner.value)
    return None


def number(node: Node | None, key: str) -> float | None:
    """A number."""
    inner = child(node, key)
    if inner is None or isinstance(inner.value, bool) or not isinstance(inner.value, (int, float)):
        return None
    try:
        return float(inner.value)
    except OverflowError:
        return None


def boolean(node: Node | None, key: str) -> bool | None:
    """True or false."""
    inner = child(node, key)
    return inner.value if inner is not None and isinstance(inner.value, bool) else None


def choice(node: Node | None, key: str, choices: tuple[str, ...]) -> str | None:
    """One of a few words."""
    word = text(node, key)
    return word if word in choices else None
