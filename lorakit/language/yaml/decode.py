"""From the nodes of a mapping to a dataclass, by the names and types of its fields.

    @dataclass
    class Train:                     train: {batch_size: 4}   ->   Train(batch_size=4, precision="auto")
        batch_size: int = 8
        precision: Literal["auto", "fp32"] = "auto"

What is absent, or of another type, has the field's default: the schema has said what is wrong with it. A
field of another name than its key says so, `field(metadata={"key": "from"})`. A class with a classmethod
`decoded(node)` reads itself. `places` are those of the keys that are given, `NAME_place` that of one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from lorakit.language.yaml import access

if TYPE_CHECKING:
    from lorakit.diagnostics import Place
    from lorakit.language.yaml.nodes import Node

T = TypeVar("T")
_Reader = Callable[["Node", str], Any]
_PLAIN: dict[Any, _Reader] = {
    int: access.integer,
    float: access.number,
    bool: access.boolean,
    str: access.text,
}
_EMPTY: dict[Any, Any] = {str: "", tuple: (), int: 0, float: 0.0, bool: False}


def decode(cls: type[T], node: Node | None, **given: Any) -> T:
    """A `cls` with what `node` says, and with what is `given` in any case."""
    kind: type = cls
    values = {name: value for name, value in values_of(kind, node).items() if name not in given}
    absent = {
        name: empty
        for name, empty in _required(kind).items()
        if name not in values and name not in given
    }
    return cls(**values, **absent, **given)


def values_of(cls: type, node: Node | None) -> dict[str, Any]:
    """The fields of `cls` that `node` gives, with their values."""
    if node is None or not isinstance(node.value, dict):
        return {}
    values = {name: read(node, key) for name, key, read in _readers(cls)}
    return {name: value for name, value in values.items() if value is not None}


def places(node: Node | None) -> tuple[tuple[str, Place], ...]:
    """Where the values of a mapping's keys stand; `key.0` is a list's item, `key.sub` a mapping's value."""
    if node is None or not isinstance(node.value, dict):
        return ()
    spots = []
    for key, value in node.value.items():
        if value.value is not None:
            spots.append((key, value.place))
        inner = value.value if isinstance(value.value, list | dict) else ()
        below = inner.items() if isinstance(inner, dict) else enumerate(inner)
        spots += [
            (f"{key}.{name}", inside.place) for name, inside in below if inside.value is not None
        ]
    return tuple(spots)


@cache
def _readers(cls: type) -> tuple[tuple[str, str, _Reader], ...]:
    hints = get_type_hints(cls)
    readers: list[tuple[str, str, _Reader]] = []
    for each in fields(cls):
        key = each.metadata.get("key", each.name)
        if each.name == "places":
            readers.append((each.name, key, lambda node, _: places(node)))
        elif each.name.endswith("_place"):
            readers.append((each.name, key.removesuffix("_place"), _place_of))
        elif (read := _reader(hints[each.name])) is not None:
            readers.append((each.name, key, read))
    return tuple(readers)


@cache
def _required(cls: type) -> dict[str, Any]:
    """What stands in the fields that have no default, where a document lacks what it needs."""
    hints = get_type_hints(cls)
    return {
        each.name: _EMPTY.get(get_origin(hints[each.name]) or hints[each.name])
        for each in fields(cls)
        if each.default is MISSING and each.default_factory is MISSING
    }


def _place_of(node: Node, key: str) -> Place | None:
    value = access.child(node, key)
    return value.place if value is not None else None


def _reader(hint: Any) -> _Reader | None:
    """How a value of a type is read; None for types that come from elsewhere."""
    kinds = [arm for arm in get_args(hint) if arm is not NoneType]
    if get_origin(hint) in (Union, UnionType):
        readers = [read for kind in kinds if (read := _reader(kind)) is not None]
        return _first(readers) if readers else None
    if hint in _PLAIN:
        return _PLAIN[hint]
    if get_origin(hint) is Literal:
        return lambda node, key: access.choice(node, key, tuple(kinds))
    if get_origin(hint) is tuple and kinds[-1] is Ellipsis:
        return _items(kinds[0])
    if hasattr(hint, "decoded"):
        return lambda node, key: _by_itself(hint, access.child(node, key))
    if is_dataclass(hint) and isinstance(hint, type):
        return lambda node, key: _mapping(hint, access.child(node, key))
    return None


def _first(readers: list[_Reader]) -> _Reader:
    def read(node: Node, key: str) -> Any:
        return next((value for each in readers if (value := each(node, key)) is not None), None)

    return read


def _items(kind: Any) -> _Reader | None:
    """How a list is read: of texts, or of what reads itself."""
    if kind is str:
        return lambda node, key: _given_list(
            node,
            key,
            [text for one in access.items(node, key) if (text := _text_of(one)) is not None],
        )
    if not hasattr(kind, "decoded"):
        return None

    def read(node: Node, key: str) -> Any:
        values = [kind.decoded(item) for item in access.items(node, key)]
        return _given_list(node, key, [value for value in values if value is not None])

    return read


def _text_of(node: Node) -> str | None:
    return node.value if isinstance(node.value, str) else None


def _given_list(node: Node, key: str, values: list[Any]) -> tuple[Any, ...] | None:
    link = access.child(node, key)
    return tuple(values) if link is not None and isinstance(link.value, list) else None


def _by_itself(kind: Any, node: Node | None) -> Any:
    return kind.decoded(node) if node is not None else None


def _mapping(kind: type, node: Node | None) -> Any:
    return decode(kind, node) if node is not None and isinstance(node.value, dict) else None
