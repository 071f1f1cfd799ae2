"""Every place of a document where keys may be typed, as the schemas have them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from lorakit.language.yaml import schemas

Fragment = dict[str, Any]


@dataclass(frozen=True)
class Key:
    """What the schema says of a key: its description, and a value that it takes, as JSON."""

    description: str
    value: str


@dataclass(frozen=True)
class Place:
    """The lines that lead to a place, the blanks before its keys, and the keys.

    `typed` are those of its keys that stand in the last line already.
    """

    lines: tuple[str, ...]
    indent: str = ""
    typed: tuple[str, ...] = ()
    keys: dict[str, Key] = field(default_factory=dict)

    def under(self, line: str, deeper: str = "  ", *typed: str) -> Place:
        """The place that a further line opens."""
        return Place((*self.lines, self.indent + line), self.indent + deeper, typed)


def places(kind: str) -> Iterator[Place]:
    """Of `recipe` or `storyboard`: all places, each kind of step on its own."""
    file = f"{kind}.schema.json"
    head = f"# yaml-language-server: $schema=../schemas/{file}"
    yield from _below(schemas.load(file), file, Place((head, f"{kind}: 1"), typed=(kind,)))


def _below(raw: Fragment, file: str, at: Place) -> Iterator[Place]:
    whole, file = _resolved(raw, file)
    properties = {key: (sub, file) for key, sub in whole.get("properties", {}).items()}
    for part in whole.get("allOf", ()):
        if "then" in part:
            kind = part["if"]["properties"]["kind"]["const"]
            inner, where = _resolved(part["then"], file)
            line = (*at.lines, f"{at.indent}kind: {kind}")
            kept = {**inner, "properties": {**inner["properties"], **whole["properties"]}}
            yield from _below(kept, where, replace(at, lines=line, typed=("kind",)))
        else:
            inner, where = _resolved(part, file)
            properties |= {key: (sub, where) for key, sub in inner["properties"].items()}
    if properties and not any("then" in part for part in whole.get("allOf", ())):
        keys = {key: _key(*found) for key, found in properties.items()}
        yield replace(at, keys=keys)
        for key, found in properties.items():
            yield from _below(*found, at.under(f"{key}:"))
    if isinstance(sub := whole.get("additionalProperties"), dict):
        yield from _below(sub, file, at.under("one:"))
    if isinstance(whole.get("items"), dict):  # and not a pair, whose parts are no mappings
        yield from _below(whole["items"], file, at.under("- notes: mine", "  ", "notes"))


def _resolved(raw: Fragment, file: str) -> tuple[Fragment, str]:
    """A fragment with what it refers to; its own words go before."""
    if "$ref" not in raw:
        return raw, file
    there, where = schemas.resolve(raw["$ref"], file)
    there, where = _resolved(there, where)
    return {**there, **raw}, where


def _key(raw: Fragment, file: str) -> Key:
    whole, _ = _resolved(raw, file)
    values = [whole["const"]] if "const" in whole else whole.get("examples", ["mine"])
    return Key(whole.get("description", ""), json.dumps(values[0]))
