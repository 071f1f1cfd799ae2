"""`--set path=value`: one value of a document, given on the command line.

    --set seed=9   --set steps.film.model=sd14   --set scenes.meadow.chain.strength=0.4

The value is read by the loader that reads the files, so `1e-4` is a number and `[a, b]` a list; nothing
after the sign deletes the key. In lists an item is its name, or its number from 1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lorakit.language import access, names, source
from lorakit.language.findings import Unreadable
from lorakit.language.nodes import Node, Source

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lorakit.language.findings import Findings

NAME = "--set"
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# below these, keys are names that the author chose: a setting never makes a new one by a slip
_CHOSEN_NAMES = frozenset({"steps", "models", "datasets", "adapters", "characters", "profiles"})


def as_source(settings: Sequence[str], document: Path) -> Source:
    """All settings as one text, a line each; relative paths in them count from the document."""
    # a shell may hand over bytes that are no text
    texts = (setting.encode("utf-8", "replace").decode("utf-8") for setting in settings)
    lines = (_CONTROL.sub("\ufffd", " ".join(text.splitlines())) for text in texts)
    return Source(document, NAME, "\n".join(lines))


def applied(root: Node, text: Source, findings: Findings) -> Node:
    """Lay the settings over a document, in their order."""
    for number, line in enumerate(text.lines, start=1):
        path, sign, _ = line.partition("=")
        if not sign or not path.strip(" ."):
            findings.error(
                "bad-setting",
                "a setting is path=value",
                text.spot(number, 1, len(line)),
                "for example: --set steps.film.model=studio",
            )
            continue
        try:
            value = _value(text, number, len(path) + 1, findings)
        except Unreadable:
            continue
        setting = _Setting(text, number, value, findings)
        root = setting.placed(root, list(re.finditer(r"[^.]+", path)))
    return root


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


@dataclass(slots=True)
class _Setting:
    """One setting on its way to its place; `number` is its line among the settings."""

    text: Source
    number: int
    value: Node
    findings: Findings

    def placed(self, parent: Node, path: list[re.Match[str]], above: str = "the document") -> Node:
        """Return `parent` with the value put where the path leads."""
        if isinstance(parent.value, list):
            return self._in_list(parent, parent.value, path, above)
        if isinstance(parent.value, dict):
            return self._in_mapping(parent, parent.value, path, above)
        self._wrong(path, f"{above} is a single value: nothing stands below it")
        return parent

    def _in_list(
        self, parent: Node, items: list[Node], path: list[re.Match[str]], above: str
    ) -> Node:
        key = path[0][0].strip()
        index = _index(items, key)
        if index is None:
            known = [name for item in items if (name := access.text(item, "name"))]
            count = f"it has {len(items)} item{'s'[: len(items) != 1]}, counted from 1"
            hint = names.did_you_mean(key, known) or count
            self._wrong(path, f"{above} has no item {key}", hint)
            return parent
        inner = self.value if len(path) == 1 else self.placed(items[index], path[1:], key)
        if inner.value is None:
            return parent.like(items[:index] + items[index + 1 :])
        return parent.like([*items[:index], inner, *items[index + 1 :]])

    def _in_mapping(
        self, parent: Node, value: dict[str, Node], path: list[re.Match[str]], above: str
    ) -> Node:
        key = path[0][0].strip()
        column = path[0].start() + 1
        at = Node(key, self.text, column - 1, column - 1 + len(key), self.number, column)
        last = len(path) == 1
        makes_one = last and isinstance(self.value.value, dict)
        if above in _CHOSEN_NAMES and key not in value and not makes_one:
            hint = names.did_you_mean(key, value) or (
                f"there is {names.listed(value)}" if value else ""
            )
            self._wrong(path, f"{above} has no {key}", hint)
            return parent
        if last:
            return _replaced(parent, key, self.value, at)
        below = value.get(key)
        if below is None or below.value is None:
            below = at.like({})
            below.keys = {}
        else:
            at = (parent.keys or {}).get(key, at)
        return _replaced(parent, key, self.placed(below, path[1:], key), at)

    def _wrong(self, path: list[re.Match[str]], message: str, *hints: str) -> None:
        spot = self.text.spot(self.number, path[0].start() + 1, len(path[0][0]))
        self.findings.error("bad-setting", message, spot, *hints)


def _replaced(parent: Node, key: str, inner: Node, key_node: Node) -> Node:
    """A mapping with one value changed, or deleted where it is null."""
    assert isinstance(parent.value, dict)
    result = parent.like(dict(parent.value))
    result.keys = dict(parent.keys or {})
    assert isinstance(result.value, dict)
    if inner.value is None:
        result.value.pop(key, None)
        result.keys.pop(key, None)
        result.deleted = {**(parent.deleted or {}), key: key_node}
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
