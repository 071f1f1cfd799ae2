"""The JSON Schemas that ship with lorakit: the one source of keys, types, ranges and defaults."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

from lorakit import resources

JSON = dict[str, Any]
RECIPE = "recipe.schema.json"
STORYBOARD = "storyboard.schema.json"
FILES = (RECIPE, STORYBOARD)


@cache
def load(file: str) -> JSON:
    """A schema by its file name, such as `recipe.schema.json`."""
    text = (resources.path("schemas") / file).read_text(encoding="utf-8")
    loaded: JSON = json.loads(text)
    return loaded


def resolve(reference: str, file: str) -> tuple[Any, str]:
    """What a `$ref` in `file` points to, and the file that holds it; never the network."""
    other, _, pointer = reference.partition("#")
    target = other or file
    schema: Any = load(target)
    for part in pointer.strip("/").split("/"):
        if part:
            schema = schema[part.replace("~1", "/").replace("~0", "~")]
    return schema, target


class Subschema(NamedTuple):
    """A schema inside a schema: its keywords, with those beside a `$ref` laid over what it points to."""

    raw: JSON
    file: str

    @property
    def types(self) -> tuple[str, ...]:
        """JSON's names of the types that a value may have; empty where all are allowed."""
        kinds = self.raw.get("type", ())
        return (kinds,) if isinstance(kinds, str) else tuple(kinds)

    @property
    def required(self) -> tuple[str, ...]:
        """The keys that must be there."""
        return tuple(self.raw.get("required", ()))

    @property
    def keys(self) -> JSON:
        """The keys that a mapping may have, each with its schema as it is written."""
        shared = [sub for sub in self.raw.get("allOf", ()) if "if" not in sub]
        keys: JSON = dict(self.raw.get("properties", {}))
        for sub in shared:
            keys |= {key: _from(self.file, sub, key) for key in subschema(sub, self.file).keys}
        return keys

    @property
    def closed(self) -> bool:
        """Whether other keys are refused."""
        return False in (
            self.raw.get("additionalProperties"),
            self.raw.get("unevaluatedProperties"),
        )

    @property
    def prose(self) -> bool:
        """Whether it is of a text for people or for the model."""
        return bool(self.raw.get("x-prose"))

    def key(self, name: str) -> Subschema | None:
        """The schema of a key's value."""
        return subschema(self.keys[name], self.file) if name in self.keys else None

    def branches(self) -> Iterator[tuple[str, Subschema]]:
        """Each kind of step with the schema that it adds."""
        for sub in (part for part in self.raw.get("allOf", ()) if "if" in part):
            yield sub["if"]["properties"]["kind"]["const"], subschema(sub["then"], self.file)

    def below(self, path: Iterable[str | int]) -> Subschema:
        """The schema at the end of an evaluation path, whose `$ref`s are followed already."""
        sub = self
        raw: Any = self.raw
        for part in path:
            if part == "$ref":
                continue
            raw = raw[part]
            if isinstance(raw, dict):
                sub = subschema(raw, sub.file)
                raw = sub.raw
        return sub


def _from(file: str, shared: JSON, key: str) -> JSON:
    """A key's schema among those that several mappings share, as a reference."""
    reference: str = shared["$ref"]
    path = reference if not reference.startswith("#") else f"{file}{reference}"
    return {"$ref": f"{path}/properties/{key}"}


def subschema(raw: Any, file: str) -> Subschema:
    """A schema as it stands in `file`, with its `$ref` followed."""
    if not isinstance(raw, dict):
        return Subschema({}, file)
    while "$ref" in raw:
        beside = {key: value for key, value in raw.items() if key != "$ref"}
        target, file = resolve(raw["$ref"], file)
        raw = {**target, **beside}
    return Subschema(raw, file)


@cache
def _all_keys() -> dict[str, list[Subschema]]:
    """Each key of both formats with the schemas that it has."""
    keys: dict[str, list[Subschema]] = {}

    def walk(raw: Any, file: str) -> None:
        if isinstance(raw, dict):
            for key, sub in raw.get("properties", {}).items():
                if isinstance(sub, dict) and sub:
                    keys.setdefault(key, []).append(subschema(sub, file))
            for key, sub in raw.items():
                if key not in ("examples", "default", "enum", "const", "if"):
                    walk(sub, file)
        elif isinstance(raw, list):
            for sub in raw:
                walk(sub, file)

    for file in FILES:
        walk(load(file), file)
    return keys


def known_keys() -> frozenset[str]:
    """Every key of both formats."""
    return frozenset(_all_keys())


@cache
def prose_keys() -> frozenset[str]:
    """The keys whose values are texts for people or for the model."""
    return frozenset(key for key, subs in _all_keys().items() if any(sub.prose for sub in subs))


def any_key(name: str) -> Subschema | None:
    """A schema that a key has somewhere."""
    return next(iter(_all_keys().get(name, ())), None)


@cache
def defaults(file: str, *path: str) -> dict[str, Any]:
    """The defaults of the keys below a definition, such as `video`, or one of its keys; lists as tuples.

    They stand in the schemas alone: classes of documents take theirs from here.
    """
    schema = subschema(load(file), file)
    if path:
        schema = subschema(schema.raw["definitions"][path[0]], file)
    for key in path[1:]:
        found = schema.key(key)
        assert found is not None
        schema = found
    subs = {key: schema.key(key) for key in schema.keys}
    given = {key: sub.raw["default"] for key, sub in subs.items() if sub and "default" in sub.raw}
    return {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
