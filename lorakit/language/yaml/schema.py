"""The shipped JSON Schemas, compiled into a check over nodes.

It covers the part of draft-07 that our schemas use, and refuses to compile anything else; a test holds its
verdicts against the jsonschema library's. A checker of our own names the very key that is wrong in words of
our own, needs no second tree of plain data, and is ten times as fast on a board of ten thousand sentences.

    schema files --compile--> Schema objects --check(node)--> findings
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from lorakit.language.yaml import schemas, unknown_keys, wording
from lorakit.language.yaml.findings import Findings
from lorakit.language.yaml.nodes import BROKEN

if TYPE_CHECKING:
    from lorakit.language.yaml.nodes import Node

_ANNOTATIONS = frozenset(
    {"$schema", "$id", "title", "description", "default", "examples", "definitions"}
    | {"x-affects", "x-unit", "x-prose", "x-form", "x-when-missing"}
)
_KEYWORDS = frozenset(
    {"$ref", "type", "required", "additionalProperties", "patternProperties", "properties"}
    | {"propertyNames", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "multipleOf"}
    | {"minLength", "pattern", "items", "minItems", "minProperties", "allOf", "if", "then", "else"}
)
_ENDS_A_TEXT = ("", "\n", "\r", ",", "}", "]")
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}


@cache
def compiled(file: str) -> Schema:
    """The check for a whole document, by its schema's file name."""
    return _compile(schemas.load(file), file)


def definition(name: str) -> Schema:
    """The check for one of the recipe's definitions, such as `step`."""
    return _compiled_reference(f"#/definitions/{name}", "recipe.schema.json")


@cache
def _compiled_reference(reference: str, file: str) -> Schema:
    return _compile(*schemas.resolve(reference, file))


def _compile(raw: dict[str, Any] | bool, file: str) -> Schema:
    if isinstance(raw, dict) and "$ref" in raw:
        return _compiled_reference(raw["$ref"], file)
    return Schema(raw, file)


class Condition:
    """What stands under `if`: keys that are there, with values that are given; it tells nobody."""

    def __init__(self, raw: dict[str, Any], file: str) -> None:
        self.required: tuple[str, ...] = tuple(raw.get("required", ()))
        self.constants = {key: sub["const"] for key, sub in raw.get("properties", {}).items()}
        known = {
            "required": [*self.required],
            "properties": {k: {"const": v} for k, v in self.constants.items()},
        }
        if raw != {key: value for key, value in known.items() if value}:
            raise ValueError(f"{file}: a condition that this checker does not know: {raw}")

    def holds(self, node: Node) -> bool:
        """Whether a node is one that the condition speaks of."""
        value = node.value
        if not isinstance(value, dict):
            return True
        return all(key in value for key in self.required) and all(
            key not in value or _same(value[key].value, constant)
            for key, constant in self.constants.items()
        )


class Schema:
    """One schema object; its attributes are the keywords it has."""

    def __init__(self, raw: dict[str, Any] | bool, file: str) -> None:
        self.forbidden = raw is False
        raw = raw if isinstance(raw, dict) else {}
        unknown = raw.keys() - _KEYWORDS - _ANNOTATIONS
        if unknown:
            raise ValueError(
                f"{file}: schema keywords that this checker does not know: {sorted(unknown)}"
            )
        self.raw = raw
        kinds = raw.get("type", ())
        self.type_names: tuple[str, ...] = (kinds,) if isinstance(kinds, str) else tuple(kinds)
        self.types = frozenset(t for name in self.type_names for t in _TYPES[name])
        self.required: tuple[str, ...] = tuple(raw.get("required", ()))
        self.properties: dict[str, Schema] = {
            key: _compile(sub, file) for key, sub in raw.get("properties", {}).items()
        }
        self.prefixes = [
            (re.compile(key), _compile(sub, file))
            for key, sub in raw.get("patternProperties", {}).items()
        ]
        rest = raw.get("additionalProperties", True)
        self.closed = rest is False
        self.additional = _compile(rest, file) if isinstance(rest, dict) else None
        names = raw.get("propertyNames")
        self.names = _compile(names, file) if names is not None else None
        self.pattern = re.compile(raw["pattern"]) if "pattern" in raw else None
        self.prose = bool(raw.get("x-prose"))
        self.items = _compile(raw["items"], file) if "items" in raw else None
        self.all_of = [_compile(sub, file) for sub in raw.get("allOf", ())]
        self.condition = Condition(raw["if"], file) if "if" in raw else None
        self.then = _compile(raw["then"], file) if "then" in raw else None
        self.otherwise = _compile(raw["else"], file) if "else" in raw else None
        self.min_length = raw.get("minLength", 0)
        self.bounded = any(
            k in raw for k in ("minimum", "maximum", "exclusiveMinimum", "multipleOf")
        )

    def check(self, node: Node, name: str, findings: Findings) -> None:
        """Add what is wrong with `node`, which its parent calls `name`."""
        value = node.value
        kind = type(value)
        if value is BROKEN:
            return
        if self.types and kind not in self.types and not self._whole(node):
            wording.wrong_type(self, node, name, findings)
            return
        if kind is str:
            self._text(node, name, findings)
        elif kind is dict:
            self._mapping(node, name, findings)
        elif kind is list:
            self._list(node, name, findings)
        elif self.bounded and kind is not bool and value is not None:
            self._number(node, name, findings)
        if "enum" in self.raw and not any(_same(value, one) for one in self.raw["enum"]):
            wording.not_one_of(self, node, name, findings)
        if "const" in self.raw and not _same(value, self.raw["const"]):
            wording.not_the_version(self, node, name, findings)
        for sub in self.all_of:
            sub.check(node, name, findings)
        if self.condition is not None:
            branch = self.then if self.condition.holds(node) else self.otherwise
            if branch is not None:
                branch.check(node, name, findings)

    def accepts(self, node: Node) -> bool:
        """Whether there is nothing wrong with `node`."""
        scratch = Findings()
        self.check(node, "", scratch)
        return not scratch

    def _whole(self, node: Node) -> bool:
        """Whether a float may pass as an integer, as JSON Schema has it: 20.0."""
        return int in self.types and isinstance(node.value, float) and node.value.is_integer()

    def _text(self, node: Node, name: str, findings: Findings) -> None:
        text = node.value
        assert isinstance(text, str)
        if self.min_length and not text.strip():
            hint = wording.example(self, name) or (
                "remove it, or write it out" if " " in name else ""
            )
            findings.error("empty", f"{name} is empty", node, hint)
            return
        if self.prose and not node.style:
            # nearly all sentences end with their line; only what goes on may be a trap
            after = node.source.text[node.end : node.end + 1]
            if after not in _ENDS_A_TEXT or node.anchor is not None:
                from lorakit.language.yaml import traps

                traps.check_prose(node, findings)
        if self.pattern is not None and not self.pattern.search(text):
            wording.wrong_form(self, node, name, findings)

    def _number(self, node: Node, name: str, findings: Findings) -> None:
        number = node.value
        raw = self.raw
        assert isinstance(number, (int, float))
        if (
            number < raw.get("minimum", number)
            or number > raw.get("maximum", number)
            or ("exclusiveMinimum" in raw and number <= raw["exclusiveMinimum"])
        ):
            wording.out_of_range(self, node, name, findings)
        elif "multipleOf" in raw and number % raw["multipleOf"]:
            wording.not_a_multiple(self, node, name, findings)

    def _list(self, node: Node, name: str, findings: Findings) -> None:
        value = node.value
        assert isinstance(value, list)
        if len(value) < self.raw.get("minItems", 0):
            wording.empty_collection(self, node, name, findings)
        if self.items is not None:
            item = f"an item of {name}"
            check = self.items.check
            for child in value:
                check(child, item, findings)

    def _mapping(self, node: Node, name: str, findings: Findings) -> None:
        value = node.value
        assert isinstance(value, dict)
        if self.prose and wording.is_a_sentence_that_yaml_split(self, node, findings):
            return
        if len(value) < self.raw.get("minProperties", 0):
            wording.empty_collection(self, node, name, findings)
        meant: set[str] = set()
        for key, child in value.items():
            sub = self.properties.get(key)
            if sub is not None:
                if sub.forbidden:
                    wording.excluded(node, key, findings)
                else:
                    sub.check(child, key, findings)
                continue
            prefixed = next((sub for pattern, sub in self.prefixes if pattern.search(key)), None)
            if prefixed is not None:
                prefixed.check(child, key, findings)
            elif self.closed:
                meant.add(unknown_keys.report(self, node, key, findings))
            else:
                if self.names is not None and node.keys and key in node.keys:
                    self.names.check(node.keys[key].like(key), f"a name in {name}", findings)
                if self.additional is not None:
                    self.additional.check(child, key, findings)
        for key in self.required:
            if key not in value and key not in meant:
                wording.missing_key(self, node, name, key, findings)


def _same(value: object, other: object) -> bool:
    """JSON's equality: 1 and 1.0 are one number, true is none."""
    return value == other and isinstance(value, bool) == isinstance(other, bool)
