"""One value put at a dotted path of a tree: what `--set` and sweeps have in common.

scenes.meadow.chain.strength        in lists an item is its name, or its number from 1
scenes."St. John".seed              a name with a dot in it stands in quotes
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import normalize

from lorakit.language.yaml import access, names
from lorakit.language.yaml.nodes import Node

if TYPE_CHECKING:
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Source

# below these, keys are names that the author chose: a setting never makes a new one by a slip
CHOSEN_NAMES = frozenset({"steps", "models", "datasets", "adapters", "characters", "profiles"})
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"\s*\Z')
_KEYS = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^."])*"?[^.]*')


class Key(NamedTuple):
    """One key of a dotted path, and where in the path it stands."""

    name: str
    start: int
    length: int


Path = list[Key]


def parts(path: str) -> Path:
    """The keys of a dotted path; an empty one where a dot has nothing before or after it."""
    keys: Path = []
    at = 0
    while True:
        match = _KEYS.match(path, at)
        assert match is not None
        written = match[0]
        bare = written.strip()
        quoted = _QUOTED.match(bare)
        name = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else bare
        keys.append(Key(name, at + len(written) - len(written.lstrip()), max(1, len(bare))))
        at = match.end() + 1
        if at > len(path):
            return keys


@dataclass(slots=True)
class Override:
    """One value on its way to its place; its path begins at `line` and `column` of `text`.

    What leads nowhere is told under `code`; `chosen` are the mappings that get no new names this way.
    """

    text: Source
    line: int
    column: int
    value: Node
    findings: Findings
    code: str = "bad-setting"
    chosen: frozenset[str] = CHOSEN_NAMES

    def applied(self, parent: Node, path: Path, above: str = "the document") -> Node:
        """Return `parent` with the value put where the path leads; `parent` stays as it is."""
        if isinstance(parent.value, list):
            return self._in_list(parent, parent.value, path, above)
        if isinstance(parent.value, dict):
            return self._in_mapping(parent, parent.value, path, above)
        end = path[0].start - 1
        if above == "storyboard" and self.code == "bad-setting":
            message = "a setting does not reach into the file that storyboard names"
            hint = "change it there, or vary it by a step of kind: sweep, whose paths go on into it"
            self._wrong(path, message, hint)
            return parent
        hint = f"end the path before the dot: {self.text.lines[self.line - 1][self.column - 1 :][:end]}"
        self._wrong(path, f"{above} is a single value: nothing stands below it", hint)
        return parent

    def _in_list(self, parent: Node, items: list[Node], path: Path, above: str) -> Node:
        key = path[0].name
        index = _index(items, key)
        if index is None:
            known = [name for item in items if (name := access.text(item, "name"))]
            count = f"it has {len(items)} item{'s'[: len(items) != 1]}, counted from 1"
            hint = names.did_you_mean(key, known) or count
            self._wrong(path, f"{above} has no item {key}", hint)
            return parent
        inner = self.value if len(path) == 1 else self.applied(items[index], path[1:], key)
        if inner.value is None:
            return parent.like(items[:index] + items[index + 1 :])
        return parent.like([*items[:index], inner, *items[index + 1 :]])

    def _in_mapping(self, parent: Node, value: dict[str, Node], path: Path, above: str) -> Node:
        key = path[0].name
        column = self.column + path[0].start
        start = self.text.line_starts[self.line - 1] + column - 1
        at = Node(key, self.text, start, start + path[0].length, self.line, column)
        last = len(path) == 1
        makes_one = last and isinstance(self.value.value, dict)
        if above in self.chosen and key not in value and not makes_one:
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
        return _replaced(parent, key, self.applied(below, path[1:], key), at)

    def _wrong(self, path: Path, message: str, *hints: str) -> None:
        spot = self.text.spot(self.line, self.column + path[0].start, path[0].length)
        self.findings.error(self.code, message, spot, *hints)


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
        if access.name(item, "name") == normalize("NFC", key):
            return index
    if key.isascii() and key.isdigit() and 1 <= int(key[:9]) <= len(items):
        return int(key[:9]) - 1
    return None
