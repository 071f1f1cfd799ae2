"""Dataclasses as plain JSON and back: what a worker is told, and what a key is made of."""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, TypeVar, cast

T = TypeVar("T")
_ATOMS = frozenset({str, int, float, bool, type(None)})


# metadata of a field that reaches the worker and decides nothing about the result: no key has it
BESIDE: Mapping[str, object] = {"keyed": False}
# of one that a key has only where it differs from its default: what came later moves no older key
OMITTED: Mapping[str, object] = {"omitted": True}


def keyed_as(name: str) -> dict[str, object]:
    """Metadata of a field that keys know by another name, which it had before."""
    return {"key": name}


def to_json(value: Any) -> Any:
    """All fields, by their own names."""
    if type(value) in _ATOMS:
        return value
    if is_dataclass(value):
        return {f.name: to_json(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {name: to_json(inner) for name, inner in value.items()}
    return [to_json(inner) for inner in value]


def key_of(value: Any) -> Any:
    """The fields that decide a result, by the names that keys know them by."""
    if type(value) in _ATOMS:
        return value
    if is_dataclass(value):
        key = {}
        for attribute, name, default in _keyed(cast("type", type(value))):
            inner = getattr(value, attribute)
            if default is MISSING or inner != default:
                key[name] = inner if type(inner) in _ATOMS else key_of(inner)
        return key
    if isinstance(value, Mapping):
        return {name: key_of(inner) for name, inner in value.items()}
    return [key_of(inner) for inner in value]


@functools.cache
def _keyed(kind: type) -> tuple[tuple[str, str, object], ...]:
    """Of each field of a key its own name, the key's name for it, and what it is left out for."""

    def told(one: Field[Any]) -> tuple[str, str, object]:
        default = one.default if one.metadata.get("omitted") else MISSING
        return one.name, one.metadata.get("key", one.name), default

    return tuple(told(one) for one in fields(kind) if one.metadata.get("keyed", True))


def from_json(kind: type[T], data: Any) -> T:
    """What `to_json` wrote, as the dataclass it was; tuples and dataclasses within it too."""
    return cast("T", _read(kind, data))


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _read(kind: Any, data: Any) -> Any:
    if data is None or type(data) in _ATOMS:
        return data
    if is_dataclass(kind):
        hints = _hints(cast("type", kind))
        return cast("Any", kind)(**{name: _read(hints[name], v) for name, v in data.items()})
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return _read(_arm(arguments, data), data)
    if origin is tuple and isinstance(data, list):
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(_read(arguments[0], inner) for inner in data)
        return tuple(_read(inner, item) for inner, item in zip(arguments, data, strict=True))
    return data


def _arm(arguments: tuple[Any, ...], data: Any) -> Any:
    """The member of a union that a list or a mapping is of."""
    for member in arguments:
        is_tuple = typing.get_origin(member) is tuple
        if is_tuple if isinstance(data, list) else is_dataclass(member):
            return member
    return object
