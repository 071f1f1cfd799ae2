"""`dataclass` as the library has it, but for when its methods are made: at their first use, or once for all.

    @dataclass(frozen=True, slots=True)
    class Place: ...

dataclasses writes and compiles six methods for a frozen class, which takes half a millisecond; a command
meets 150 classes and makes things of a third of them. Fields, slots and `match` are the library's doing, and
so its `fields`, `replace` and `asdict` know these classes. What nobody asks for here (`InitVar`,
`field(init=False)`) is the library's alone.
"""

from __future__ import annotations

import dataclasses
from dataclasses import MISSING, Field, FrozenInstanceError, fields
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - re-exported
else:

    def dataclass(
        cls: type | None = None,
        /,
        *,
        frozen: bool = False,
        slots: bool = False,
        kw_only: bool = False,
        order: bool = False,
        repr: bool = True,  # noqa: A002 - as the library calls it
    ) -> Any:
        """A class whose annotations are its fields; options as in the library."""

        def made(bare: type) -> type:
            shaped = dataclasses.dataclass(
                init=False, repr=False, eq=False, slots=slots, kw_only=kw_only
            )(bare)
            return _with_methods(shaped, frozen=frozen, order=order, shown=repr)

        return made if cls is None else made(cls)


_Known = dict[str, Any]  # what a written method finds by its names
_Written = tuple[str, _Known]


def _with_methods(cls: type, *, frozen: bool, order: bool, shown: bool) -> type:
    methods: dict[str, Any] = {
        "__init__": _late(cls, "__init__", _frozen_init if frozen else _init),
        "__eq__": _late(cls, "__eq__", partial(_comparison, "__eq__")),
        "__hash__": _late(cls, "__hash__", _hash) if frozen else None,
    }
    if order:
        for name in ("__lt__", "__le__", "__gt__", "__ge__"):
            methods[name] = _late(cls, name, partial(_comparison, name))
    if shown:
        methods["__repr__"] = _repr
    if frozen:
        methods |= {"__setattr__": _refuse, "__delattr__": _refuse}
        methods |= {"__getstate__": _getstate, "__setstate__": _setstate}
    own = cls.__dict__
    for name, method in methods.items():
        if own.get(name) is None:
            setattr(cls, name, method)
    return cls


def _late(cls: type, name: str, written: Callable[[type], _Written]) -> Callable[..., Any]:
    """A method that makes the real one at its first call, and puts it into its own place."""

    def method(self: object, *args: Any, **kwargs: Any) -> Any:
        text, known = written(cls)
        exec(text, known)  # noqa: S102 - of names of ours
        real = known[name]
        real.__qualname__, real.__module__ = f"{cls.__qualname__}.{name}", cls.__module__
        setattr(cls, name, real)
        return real(self, *args, **kwargs)

    method.__name__, method.__qualname__ = name, f"{cls.__qualname__}.{name}"
    return method


def _init(cls: type) -> _Written:
    """`def __init__(self, a, b=_default_b, *, c)`."""
    head, values, known = _head(cls)
    lines = [f" self.{name} = {value}" for name, value in values.items()]
    return "\n".join([head, *lines, *_afterwards(cls), " return"]), known


def _frozen_init(cls: type) -> _Written:
    """The same, past what keeps everyone else from setting fields."""
    head, values, known = _head(cls)
    known["_set"] = object.__setattr__
    lines = []
    for name, value in values.items():
        slot = getattr(cls, name, None)
        if hasattr(slot, "__objclass__"):
            known[f"_set_{name}"] = slot.__set__  # type: ignore[union-attr]
            lines.append(f" _set_{name}(self, {value})")
        else:
            lines.append(f" _set(self, {name!r}, {value})")
    return "\n".join([head, *lines, *_afterwards(cls), " return"]), known


def _head(cls: type) -> tuple[str, dict[str, str], _Known]:
    """The first line of an `__init__`, what each field is set to, and the defaults."""
    known: _Known = {"_MISSING": MISSING}
    heads: dict[bool, list[str]] = {False: ["self"], True: []}
    values = {}
    for each in _fields(cls):
        name = values[each.name] = each.name
        default = ""
        if each.default_factory is not MISSING:
            known[f"_make_{name}"] = each.default_factory
            values[name] = f"_make_{name}() if {name} is _MISSING else {name}"
            default = "=_MISSING"
        elif each.default is not MISSING:
            known[f"_default_{name}"] = each.default
            default = f"=_default_{name}"
        heads[each.kw_only is True].append(name + default)
    keywords = ["*", *heads[True]] if heads[True] else []
    return f"def __init__({', '.join([*heads[False], *keywords])}):", values, known


def _afterwards(cls: type) -> list[str]:
    return [" self.__post_init__()"] if hasattr(cls, "__post_init__") else []


_SIGNS = {"__eq__": "==", "__lt__": "<", "__le__": "<=", "__gt__": ">", "__ge__": ">="}


def _comparison(name: str, cls: type) -> _Written:
    own, others = (_compared(cls, of) for of in ("self", "other"))
    text = f"""def {name}(self, other):
 if other.__class__ is not self.__class__:
  return NotImplemented
 return {own} {_SIGNS[name]} {others}"""
    return text, {}


def _hash(cls: type) -> _Written:
    return f"def __hash__(self):\n return hash({_compared(cls, 'self')})", {}


def _compared(cls: type, of: str) -> str:
    names = [each.name for each in _fields(cls) if each.compare]
    return f"({''.join(f'{of}.{name}, ' for name in names)})"


def _fields(cls: Any) -> tuple[Field[Any], ...]:
    return fields(cls)


def _repr(self: Any) -> str:
    shown = (f"{each.name}={getattr(self, each.name)!r}" for each in fields(self) if each.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse(self: Any, name: str, *value: Any) -> None:
    """Neither set nor delete a field of a frozen class."""
    if name in type(self).__dataclass_fields__ or "__dataclass_fields__" in type(self).__dict__:
        raise FrozenInstanceError(f"cannot {'assign to' if value else 'delete'} field {name!r}")
    if value:
        object.__setattr__(self, name, *value)
    else:
        object.__delattr__(self, name)


def _getstate(self: Any) -> list[Any]:
    return [getattr(self, each.name) for each in fields(self)]


def _setstate(self: Any, state: list[Any]) -> None:
    for each, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, each.name, value)
