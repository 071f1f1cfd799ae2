"""`--set path=value`: one value of a document, given on the command line.

    --set seed=9   --set steps.film.model=sd14   --set scenes.meadow.chain.strength=0.4

The value is read by the loader that reads the files, so `1e-4` is a number and `[a, b]` a list; nothing
after the sign deletes the key. In lists an item is its name, or its number from 1.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from lorakit.language import access, names, source
from lorakit.language.findings import Unreadable
from lorakit.language.nodes import Node, Source

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lorakit.language.findings import Findings

NAME = "--set"
# below these, keys are names that the author chose: a setting never makes a new one by a slip
_CHOSEN_NAMES = frozenset({"steps", "models", "adapters", "characters", "profiles"})


def as_source(settings: Sequence[str], document: Path) -> Source:
    """All settings as one text, a line each; relative paths in them count from the document."""
    lines = (" ".join(setting.splitlines()) for setting in settings)
    return Source(document, NAME, "\n".join(lines))


def applied(root: Node, text: Source, findings: Findings) -> Node:
    """A document with the settings laid over it, in their order."""
    for number, line in enumerate(text.lines, start=1):
        if line.strip() or len(text.lines) > 1:
            root = _applied_one(root, text, number, line, findings)
    return root


def _applied_one(root: Node, text: Source, number: int, line: str, findings: Findings) -> Node:
    path, sign, _ = line.partition("=")
    if not sign or not path.strip():
        findings.error(
            "bad-setting",
            "a setting is path=value",
            text.spot(number, 1, len(line)),
            "for example: --set steps.film.model=studio",
        )
        return root
    try:
        value = _value(text, number, len(path) + 1, findings)
    except Unreadable:
        return root
    keys = [match for match in re.finditer(r"[^.]+", path)]
    return _placed(root, text, number, keys, value, findings)


def _value(text: Source, number: int, start: int, findings: Findings) -> Node:
    """The value after the sign; composed as a text of its own that is blank up to there."""
    line = text.lines[number - 1]
    written = line[start:]
    blank = Source(text.path, text.name, "\n" * (number - 1) + " " * start + written)
    if not written.strip():
        return Node(None, text, 0, 0, number, start + 1)
    before = len(findings.all)
    try:
        node = source.compose(blank, findings)
    except Unreadable:
        # the excerpt should show the whole setting
        findings.all[before:] = [replace(found, excerpt=line) for found in findings.all[before:]]
        if written.strip() in ("null", "''", '""'):
            findings.all[before:] = []
            return Node(None, text, 0, 0, number, start + 1)
        raise
    _adopt(node, blank, text)
    return node


def _adopt(node: Node, blank: Source, text: Source) -> None:
    """Let the nodes of a value stand in the text of all settings."""
    shift = text.line_starts[node.line - 1] - blank.line_starts[node.line - 1]
    stack = [node]
    while stack:
        one = stack.pop()
        if one.source is text:
            continue
        one.source = text
        one.start += shift
        one.end += shift
        if isinstance(one.value, list):
            stack.extend(one.value)
        elif isinstance(one.value, dict):
            stack.extend(one.value.values())
            stack.extend((one.keys or {}).values())


def _placed(
    parent: Node,
    text: Source,
    number: int,
    keys: list[re.Match[str]],
    value: Node,
    findings: Findings,
    above: str = "",
) -> Node:
    key = keys[0][0].strip()
    spot = text.spot(number, keys[0].start() + 1, len(keys[0][0]))
    key_node = Node(key, text, 0, len(key), number, spot.column)
    last = len(keys) == 1
    if isinstance(parent.value, list):
        index = _index(parent.value, key)
        if index is None:
            known = [access.text(item, "name") or str(n) for n, item in enumerate(parent.value, 1)]
            findings.error(
                "bad-setting",
                f"{above} has no item {key}",
                spot,
                names.did_you_mean(key, known) or f"its items: {names.listed(known)}",
            )
            return parent
        inner = (
            value
            if last
            else _placed(parent.value[index], text, number, keys[1:], value, findings, key)
        )
        if inner.value is None:
            return parent.like([item for n, item in enumerate(parent.value) if n != index])
        return parent.like([inner if n == index else item for n, item in enumerate(parent.value)])
    if not isinstance(parent.value, dict):
        findings.error("bad-setting", f"{above} is a single value: nothing stands below it", spot)
        return parent
    known_keys = list(parent.value)
    if (
        above in _CHOSEN_NAMES
        and key not in parent.value
        and not (last and isinstance(value.value, dict))
    ):
        findings.error(
            "bad-setting",
            f"{above} has no {key}",
            spot,
            names.did_you_mean(key, known_keys) or f"there is {names.listed(known_keys)}",
        )
        return parent
    below = parent.value.get(key)
    if last:
        return _replaced(parent, key, value, key_node)
    if below is None or below.value is None:
        below = key_node.like({})
        below.keys = {}
        inner = _placed(below, text, number, keys[1:], value, findings, key)
        return _replaced(parent, key, inner, key_node)
    inner = _placed(below, text, number, keys[1:], value, findings, key)
    return _replaced(parent, key, inner, (parent.keys or {}).get(key, key_node))


def _replaced(parent: Node, key: str, inner: Node, key_node: Node) -> Node:
    """A mapping with one value changed, or deleted where it is null."""
    assert isinstance(parent.value, dict)
    result = parent.like(dict(parent.value))
    result.keys = dict(parent.keys or {})
    assert isinstance(result.value, dict)
    if inner.value is None:
        result.value.pop(key, None)
        result.keys.pop(key, None)
    else:
        result.value[key] = inner
        result.keys[key] = key_node
    return result


def _index(items: list[Node], key: str) -> int | None:
    for index, item in enumerate(items):
        if access.text(item, "name") == key:
            return index
    if key.isascii() and key.isdigit() and 1 <= int(key[:9]) <= len(items):
        return int(key[:9]) - 1
    return None
