"""Values of two documents that differ, with their places: mappings by key, lists by what is in them."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lorakit.diff.report import ValueChange

if TYPE_CHECKING:
    from lorakit.diagnostics import Place
    from lorakit.language.yaml.nodes import Node

_NAMES = ("name", "text", "id")  # what an item of a list is called by
_LIKE = 0.5  # share of words that two texts have in common where one came of the other
_MOST = 200  # items; longer stretches are paired one by one

Path = tuple[str, ...]


def changed_values(before: Node, after: Node) -> tuple[ValueChange, ...]:
    """Every value that differs, in the order in which the newer document has them."""
    return tuple(_compare(before, after, ()))


def _compare(before: Node, after: Node, path: Path) -> Iterator[ValueChange]:
    if before is after or _untouched(before, after):
        return
    if isinstance(before.value, dict) and isinstance(after.value, dict):
        yield from _mappings(before, after, path)
    elif isinstance(before.value, list) and isinstance(after.value, list):
        yield from _lists(before.value, after.value, path)
    elif _plain(before) != _plain(after):
        prose = _is_prose(before) or _is_prose(after)
        yield ValueChange(path, said(before), said(after), after.place, before.place, prose)


def _untouched(before: Node, after: Node) -> bool:
    """Whether two lists or mappings are written alike: most of two boards is, and need not be looked into."""
    one, two = before.source.text, after.source.text
    if not isinstance(before.value, list) or "&" in one or "&" in two or "\t" in one:
        return False
    return one[before.start : before.end] == two[after.start : after.end]


def _mappings(before: Node, after: Node, path: Path) -> Iterator[ValueChange]:
    assert isinstance(before.value, dict)
    assert isinstance(after.value, dict)
    gone = [key for key in before.value if key not in after.value]
    for key, child in after.value.items():
        old = before.value.get(key)
        if old is None:
            yield _added(child, (*path, key), after.key_spot(key).place)
        else:
            yield from _compare(old, child, (*path, key))
    for key in gone:
        yield _removed(before.value[key], (*path, key), before.key_spot(key).place)


def _lists(before: Sequence[Node], after: Sequence[Node], path: Path) -> Iterator[ValueChange]:
    ours, theirs = [_identity(n) for n in before], [_identity(n) for n in after]
    matcher = difflib.SequenceMatcher(None, ours, theirs, autojunk=False)
    for what, i, k, j, m in matcher.get_opcodes():
        pairs = (
            zip(range(i, k), range(j, m), strict=True)
            if what == "equal"
            else _pairs(before[i:k], after[j:m], i, j)
        )
        for old, new in pairs:
            if old is None and new is not None:
                yield _added(after[new], _item(path, after[new], new), after[new].place)
            elif new is None and old is not None:
                yield _removed(before[old], _item(path, before[old], old), before[old].place)
            elif old is not None and new is not None:
                yield from _compare(before[old], after[new], _item(path, after[new], new))


def _pairs(
    before: Sequence[Node], after: Sequence[Node], first: int, other: int
) -> Iterator[tuple[int | None, int | None]]:
    """Which items of a stretch that was rewritten came of which, in the order of the newer ones."""
    if len(before) == len(after) or max(len(before), len(after)) > _MOST:
        both = min(len(before), len(after))
        yield from ((first + n, other + n) for n in range(both))
        yield from ((None, other + n) for n in range(both, len(after)))
        yield from ((first + n, None) for n in range(both, len(before)))
        return
    words = [_words(node) for node in before]
    start = 0
    for number, node in enumerate(after):
        mine = _words(node)
        alike = [(_alike(words[n], mine), -n) for n in range(start, len(before))]
        best, place = max(alike, default=(0.0, 0))
        if best < _LIKE:
            yield None, other + number
            continue
        for passed in range(start, -place):
            yield first + passed, None
        yield first - place, other + number
        start = -place + 1
    yield from ((first + n, None) for n in range(start, len(before)))


def _alike(one: Sequence[str], two: Sequence[str]) -> float:
    return difflib.SequenceMatcher(None, one, two, autojunk=False).ratio()


def _words(node: Node) -> list[str]:
    return json.dumps(_plain(node), ensure_ascii=False).split()


def _identity(node: Node) -> str:
    """What an item is known by: its name or text, else all of it."""
    if isinstance(node.value, str):
        return node.value
    if isinstance(node.value, dict):
        for key in _NAMES:
            child = node.value.get(key)
            if child is not None and isinstance(child.value, str):
                return f"{key} {child.value}"
    return json.dumps(_plain(node), sort_keys=True, ensure_ascii=False, default=str)


def _item(path: Path, node: Node, number: int) -> Path:
    """How an item is called: a scene by its name, a sentence by its number."""
    if isinstance(node.value, dict):
        name = node.value.get("name")
        if name is not None and isinstance(name.value, str):
            return (*path, name.value)
    return (*path, str(number + 1))


def _added(node: Node, path: Path, place: Place) -> ValueChange:
    return ValueChange(path, None, said(node), place, prose=_is_prose(node))


def _removed(node: Node, path: Path, place: Place) -> ValueChange:
    return ValueChange(path, said(node), None, None, place, prose=_is_prose(node))


def _is_prose(node: Node) -> bool:
    return isinstance(node.value, str) and " " in node.value.strip()


def said(node: Node) -> str:
    """A value as one reads it: a text as it is, whatever has parts in short."""
    value = node.value
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, dict):
        text = value.get("text")
        if text is not None and isinstance(text.value, str):
            return " ".join(text.value.split())
    return json.dumps(_plain(node), ensure_ascii=False, default=str)


def _plain(node: Node) -> object:
    value = node.value
    if isinstance(value, dict):
        return {key: _plain(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_plain(child) for child in value]
    # true is no 1, and 1.0 is
    return ("bool", value) if isinstance(value, bool) else value
