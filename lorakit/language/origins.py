"""A merged document with the origin of each value: as lines of YAML, or as plain data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from lorakit import terminal

if TYPE_CHECKING:
    from lorakit.language.yaml.nodes import Node

_WIDEST = 60  # columns that origins may stand behind
_NEEDS_QUOTES = re.compile(r'[."=\\]|^\s|\s$|^$')
_LEFT_OUT = "profiles"  # they were laid over it, or were not asked for


class Valued(NamedTuple):
    """A value that holds no others: its path as `--set` writes it, and where it stands."""

    path: str
    value: object
    file: str
    line: int
    column: int


def profiles_of(root: Node) -> tuple[str, ...]:
    """The profiles that a recipe has."""
    node = root.value.get(_LEFT_OUT) if isinstance(root.value, dict) else None
    return tuple(node.value) if node is not None and isinstance(node.value, dict) else ()


def values(root: Node) -> list[Valued]:
    """Every value of a merged document that holds no others, from top to bottom."""
    return list(_values(root, ()))


def plain(root: Node) -> Any:
    """A merged document as JSON has it."""
    return _plain(root, top=True)


def as_yaml(root: Node, *, origins: bool = False) -> str:
    """A merged document as YAML, each value on a line of its own; with `origins` in comments behind them."""
    rows = list(_rows(root, "", top=True)) or [("{}", None)]
    if not origins:
        return "".join(f"{text}\n" for text, _ in rows)
    widths = [len(text) for text, node in rows if node is not None]
    wide = max((width for width in widths if width <= _WIDEST), default=0)
    lines = []
    for text, node in rows:
        origin = "" if node is None else f"{text:{wide}}  # {_origin(node)}"
        lines.append(f"{origin or text}\n")
    return "".join(lines)


def _origin(node: Node) -> str:
    return f"{terminal.quoted(node.source.name)}:{node.line}"


def _children(node: Node, *, top: bool) -> Iterator[tuple[str, Node]]:
    assert isinstance(node.value, dict)
    for key, child in node.value.items():
        if not (top and key == _LEFT_OUT):
            yield key, child


def _values(node: Node, path: tuple[str, ...]) -> Iterator[Valued]:
    if isinstance(node.value, dict) and node.value:
        for key, child in _children(node, top=not path):
            yield from _values(child, (*path, _key(key)))
    elif isinstance(node.value, list) and node.value:
        names = [_name(item) for item in node.value]
        for number, item in enumerate(node.value, 1):
            name = names[number - 1]
            alone = name and names.count(name) == 1
            yield from _values(item, (*path, _key(name) if alone else str(number)))
    else:
        yield Valued(".".join(path), _plain(node), node.source.name, node.line, node.column)


def _name(item: Node) -> str:
    """What an item of a list may be called by."""
    named = item.value.get("name") if isinstance(item.value, dict) else None
    return named.value if named is not None and isinstance(named.value, str) else ""


def _key(name: str) -> str:
    if not _NEEDS_QUOTES.search(name):
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _plain(node: Node, *, top: bool = False) -> Any:
    if isinstance(node.value, dict):
        return {key: _plain(child) for key, child in _children(node, top=top)}
    if isinstance(node.value, list):
        return [_plain(item) for item in node.value]
    return node.value


def _rows(node: Node, indent: str, *, top: bool = False) -> Iterator[tuple[str, Node | None]]:
    """Lines, each with the node whose value it ends with."""
    if isinstance(node.value, dict):
        for key, child in _children(node, top=top):
            yield from _row(f"{indent}{_scalar(key)}:", child, f"{indent}  ")
    elif isinstance(node.value, list):
        for item in node.value:
            if isinstance(item.value, dict) and item.value:
                # the first key stands behind the dash
                rows = list(_rows(item, f"{indent}  "))
                (first, owner), rest = rows[0], rows[1:]
                yield f"{indent}- {first[len(indent) + 2 :]}", owner
                yield from rest
            else:
                yield from _row(f"{indent}-", item, f"{indent}  ")


def _row(head: str, node: Node, below: str) -> Iterator[tuple[str, Node | None]]:
    if isinstance(node.value, dict | list) and node.value:
        yield head, None
        yield from _rows(node, below)
    else:
        yield f"{head} {_scalar(_plain(node))}", node


def _scalar(value: object) -> str:
    """A value on one line."""
    if isinstance(value, str) and (len(value.splitlines()) > 1 or value.endswith("\n")):
        return json.dumps(value, ensure_ascii=False)
    dumped = yaml.safe_dump(value, allow_unicode=True, width=1_000_000, default_flow_style=True)
    return dumped.removesuffix("\n").removesuffix("...").rstrip("\n")
