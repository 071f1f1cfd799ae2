"""Whether a tree meets its schema: a library says where it does not, and `wording` says it to the author.

    nodes -> plain data -> jsonschema-rs -> errors (path, keyword) -> words at the node

jsonschema-rs and not jsonschema, whose import alone takes longer than to validate.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

from lorakit.language.yaml import schemas, unknown_keys, wording
from lorakit.language.yaml.nodes import BROKEN, Node
from lorakit.language.yaml.problems import Problem

if TYPE_CHECKING:
    from lorakit.language.yaml.findings import Findings

# what a keyword says when it is not met; the first of a value's is told
_WORDS = {
    "type": wording.wrong_type,
    "minLength": wording.empty_text,
    "maxLength": wording.too_long,
    "enum": wording.not_one_of,
    "const": wording.not_the_version,
    "minimum": wording.out_of_range,
    "maximum": wording.out_of_range,
    "exclusiveMinimum": wording.out_of_range,
    "exclusiveMaximum": wording.out_of_range,
    "multipleOf": wording.not_a_multiple,
    "pattern": wording.wrong_form,
    "minItems": wording.empty_collection,
    "minProperties": wording.empty_collection,
    "maxItems": wording.too_many,
    "maxProperties": wording.too_many,
}
# what is out of these reads as absent from here on: no second error about a hold at 0 fps
_UNUSABLE = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
_CLOSED = ("additionalProperties", "unevaluatedProperties")
_Path = tuple[str | int, ...]


def check(root: Node, file: str, findings: Findings, name: str, definition: str = "") -> None:
    """Add what is wrong with a tree, which messages call `name`.

    `file` is the schema; `definition` one of its definitions, such as `step`, instead of a whole document.
    """
    traps: list[Node] = []
    value = plain(root, traps)
    errors = list(_validator(file, definition).iter_errors(value))
    if errors:
        _Report(root, _root_schema(file, definition), file, name, findings).tell(errors)
    if traps:
        unseen = {id(node) for node in traps}
        _check_prose(root, _root_schema(file, definition), unseen, findings)


def accepts(root: Node, file: str, definition: str = "") -> bool:
    """Whether there is nothing wrong with a tree."""
    return bool(_validator(file, definition).is_valid(plain(root, [])))


@cache
def _validator(file: str, definition: str) -> Any:
    from jsonschema_rs import Draft201909, Draft201909Validator, Registry

    loaded = [schemas.load(name) for name in dict.fromkeys((*schemas.FILES, file))]
    known = Registry([(schema["$id"], schema) for schema in loaded], draft=Draft201909)
    schema = schemas.load(file)
    if definition:
        schema = {"$ref": f"{schema['$id']}#/definitions/{definition}"}
    return Draft201909Validator(schema, registry=known)


def _root_schema(file: str, definition: str) -> schemas.Subschema:
    raw = {"$ref": f"#/definitions/{definition}"} if definition else schemas.load(file)
    return schemas.subschema(raw, file)


def plain(node: Node, traps: list[Node]) -> Any:
    """A tree as plain data, texts without the blanks around them; adds the texts that may be cut short."""
    value = node.value
    kind = type(value)
    if kind is str:
        if node.cut or (node.anchor is not None and not node.style):
            traps.append(node)
        return value.strip()  # type: ignore[union-attr]
    if kind is dict:
        return {key: plain(child, traps) for key, child in value.items()}  # type: ignore[union-attr]
    if kind is list:
        return [plain(child, traps) for child in value]  # type: ignore[union-attr, arg-type]
    return None if value is BROKEN else value


class _Report:
    """The errors of one tree on their way to the author, value by value, from the outside in."""

    def __init__(
        self, root: Node, schema: schemas.Subschema, file: str, name: str, findings: Findings
    ) -> None:
        self._root = root
        self._schema = schema
        self._file = file
        self._name = name
        self._findings = findings

    def tell(self, errors: Iterable[Any]) -> None:
        """Add a finding for each error, but for those that follow from another."""
        by_place: dict[_Path, list[Any]] = {}
        for error in errors:
            by_place.setdefault(tuple(error.instance_path), []).append(error)
        settled: set[_Path] = set()
        for path in sorted(by_place, key=len):
            if any(path[:end] in settled for end in range(len(path) + 1)):
                continue
            node = self._at(path)
            if node.value is BROKEN or self._of_one_value(path, node, by_place[path]):
                settled.add(path)

    def _of_one_value(self, path: _Path, node: Node, errors: list[Any]) -> bool:
        """Tell what is wrong with one value; whether that settles what is below it."""
        kinds = {error.kind.name: error for error in errors}
        schema = self._schema_of(errors[0])
        if isinstance(node.value, dict) and schema.prose:
            split = wording.is_a_sentence_that_yaml_split(schema, node, self._findings)
            if split:
                return True
        for keyword, words in _WORDS.items():
            if keyword in kinds:
                schema = self._schema_of(kinds[keyword])
                words(Problem(schema, node, self._called(path), self._file), self._findings)
                if keyword in _UNUSABLE:
                    node.value = BROKEN
                return keyword == "type"
        meant: set[str] = set()
        for error in errors:
            if error.kind.name in _CLOSED:
                problem = self._problem(error, node, path)
                # a key of ours counts as unevaluated where its own value is wrong
                for key in (
                    unexpected
                    for unexpected in error.kind.unexpected
                    if unexpected not in problem.schema.keys
                ):
                    meant.add(unknown_keys.report(problem, key, self._findings))
        for error in errors:
            problem = self._problem(error, node, path)
            if error.kind.name == "required":
                if error.kind.property not in meant:
                    self._missing(problem, error.kind.property)
            elif error.kind.name == "falseSchema":
                self._excluded(path)
            elif error.kind.name == "propertyNames":
                self._name_of_key(problem, error)
            elif error.kind.name not in _CLOSED:
                wording.of_the_library(problem, error.message, self._findings)
        return False

    def _problem(self, error: Any, node: Node, path: _Path) -> Problem:
        return Problem(self._schema_of(error), node, self._called(path), self._file)

    def _missing(self, problem: Problem, key: str) -> None:
        node = problem.node
        assert isinstance(node.value, dict)
        for given in () if problem.schema.closed else node.value:
            # a closed mapping has told of its unknown keys already
            if unknown_keys.means(given, key):
                unknown_keys.report(problem, given, self._findings)
                return
        wording.missing_key(problem, key, self._findings)

    def _excluded(self, path: _Path) -> None:
        wording.excluded(self._at(path[:-1]), str(path[-1]), self._findings)

    def _name_of_key(self, problem: Problem, error: Any) -> None:
        """The library names no key of those that are wrong: each is asked for by itself."""
        rule = self._schema.below(self._below(error, "propertyNames"))
        for key, node in (problem.node.keys or {}).items():
            named = Problem(rule, node.like(key), f"a name in {problem.name}", self._file)
            if not wording.has_form(rule, key):
                wording.wrong_form(named, self._findings)
            elif len(key) > rule.raw.get("maxLength", len(key)):
                wording.too_long(named, self._findings)

    def _at(self, path: _Path) -> Node:
        node = self._root
        for part in path:
            if not isinstance(node.value, dict | list):
                break
            node = node.value[part]  # type: ignore[index]
        return node

    def _called(self, path: _Path) -> str:
        """How a message names a value: by its key, or by the list that it is in."""
        if not path:
            return self._name
        if isinstance(path[-1], str):
            return path[-1]
        return f"an item of {self._called(path[:-1])}"

    def _schema_of(self, error: Any) -> schemas.Subschema:
        path = list(error.evaluation_path)
        if error.kind.name != "falseSchema":
            path = path[:-1]
        return self._schema.below(path)

    @staticmethod
    def _below(error: Any, keyword: str) -> list[str | int]:
        path = list(error.evaluation_path)
        return path[: path.index(keyword) + 1]


def _check_prose(
    root: Node, schema: schemas.Subschema, unseen: set[int], findings: Findings
) -> None:
    """Find the texts that may be cut short among those that are for people or for the model."""
    from lorakit.language.yaml import prose

    stack = [(root, schema)]
    while stack:
        node, rule = stack.pop()
        if id(node) in unseen and rule.prose:
            prose.check_prose(node, findings)
        if isinstance(node.value, list):
            items = schemas.subschema(rule.raw.get("items"), rule.file)
            stack += [(child, items) for child in node.value]
        elif isinstance(node.value, dict):
            kind = node.value.get("kind")
            rules = [rule] + [
                branch
                for name, branch in rule.branches()
                if kind is not None and kind.value == name
            ]
            for key, child in node.value.items():
                subs = [sub for sub in (each.key(key) for each in rules) if sub is not None]
                rest = schemas.subschema(rule.raw.get("additionalProperties"), rule.file)
                stack.append((child, subs[-1] if subs else rest))
