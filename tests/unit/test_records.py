"""Our `dataclass` gives what the library's does."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field, replace
from typing import Any

import pytest

from lorakit import records
from lorakit.records import dataclass


@dataclass(frozen=True, slots=True)
class Base:
    name: str
    size: int = 3
    shown: tuple[str, ...] = field(default=(), repr=False, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Derived(Base):
    parts: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Open:
    name: str
    parts: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class WithDict:
    name: str


def twin(cls: Any, **options: bool) -> Any:
    """The same class, as the library makes it."""
    bare = {"__annotations__": cls.__annotations__, "__qualname__": cls.__qualname__}
    own = {f.name: f for f in dataclasses.fields(cls) if f.name in cls.__annotations__}
    for name, each in own.items():
        given = {"compare": each.compare, "repr": each.repr, "kw_only": each.kw_only}
        bare[name] = field(default=each.default, default_factory=each.default_factory, **given)
    bases = tuple(twin(base, **options) for base in cls.__bases__ if base is not object)
    return dataclasses.dataclass(**options)(type(cls.__name__, bases, bare))


KINDS = [
    (Base, {"frozen": True, "slots": True}),
    (Derived, {"frozen": True, "slots": True}),
    (Open, {"slots": True}),
    (WithDict, {"frozen": True}),
]
CALLS: list[Callable[[Any], Any]] = [
    lambda cls: cls("a"),
    lambda cls: cls(),
    lambda cls: cls("a", 4),
    lambda cls: cls("a", size=4),
    lambda cls: cls("a", 4, [5]),
    lambda cls: cls("a", 4, [5], ("x",)),
    lambda cls: cls("a", shown=("x",)),
    lambda cls: cls("a", other=1),
    lambda cls: cls("a", parts=[1]),
]


@pytest.mark.parametrize(("cls", "options"), KINDS)
@pytest.mark.parametrize("call", CALLS)
def test_a_class_is_made_and_shown_as_the_library_s(cls: Any, options: Any, call: Any) -> None:
    """Or refused in the same words."""
    said = []
    for each in (cls, twin(cls, **options)):
        try:
            said.append(repr(call(each)))
        except TypeError as error:
            said.append(str(error))
    assert said[0] == said[1]


@pytest.mark.parametrize(("cls", "options"), KINDS)
def test_it_compares_and_hashes_as_the_library_s(cls: Any, options: Any) -> None:
    for each in (cls, twin(cls, **options)):
        assert each("a") == each("a") != each("b")
        assert each("a") != "a"
        assert [each("a")] == [each("a")]
    if options.get("frozen") and cls is not Derived:
        assert hash(cls("a")) == hash(twin(cls, **options)("a"))
    elif cls is Open:
        with pytest.raises(TypeError, match="unhashable"):
            hash(cls("a"))


def test_what_is_not_compared_is_not_hashed_either() -> None:
    assert Base("a", shown=("x",)) == Base("a")
    assert hash(Base("a", shown=("x",))) == hash(Base("a"))


def test_a_class_and_one_derived_from_it_are_never_equal() -> None:
    assert Base("a") != Derived("a")


@pytest.mark.parametrize("cls", [Base, Derived, WithDict])
def test_frozen_fields_can_neither_be_set_nor_deleted(cls: Any) -> None:
    made = cls("a")
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'name'"):
        made.name = "b"
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'name'"):
        del made.name
    with pytest.raises((FrozenInstanceError, AttributeError)):
        made.more = 1
    assert made.name == "a"


@pytest.mark.parametrize("cls", [Base, Derived, Open, WithDict])
def test_the_library_copies_replaces_and_pickles_it(cls: Any) -> None:
    made = cls("a")
    assert copy.deepcopy(made) == copy.copy(made) == pickle.loads(pickle.dumps(made)) == made
    assert replace(made, name="b") == cls("b")
    assert dataclasses.asdict(made)["name"] == "a"


def test_each_has_its_own_list() -> None:
    assert Derived("a").parts is not Derived("a").parts


def test_it_matches_by_place() -> None:
    match Base("a", 4):
        case Base(name, size):
            assert (name, size) == ("a", 4)


def test_order_is_that_of_the_fields() -> None:
    @dataclass(frozen=True, slots=True, order=True)
    class Place:
        line: int
        column: int = 1

    assert sorted([Place(2), Place(1, 5), Place(1)]) == [Place(1), Place(1, 5), Place(2)]
    assert Place(1) <= Place(1) < Place(2) >= Place(2) > Place(1)
    with pytest.raises(TypeError):
        _ = Place(1) < 2  # type: ignore[operator]


def test_methods_of_the_class_s_own_stay() -> None:
    @dataclass(frozen=True, slots=True)
    class Own:
        name: str

        def __repr__(self) -> str:
            return "own"

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 7

        def __post_init__(self) -> None:
            assert self.name

    assert repr(Own("a")) == "own"
    assert Own("a") == 1
    assert hash(Own("a")) == 7
    with pytest.raises(AssertionError):
        Own("")


def test_the_first_one_made_is_as_the_second() -> None:
    """The method that makes the real one hands on what it was called with."""

    @dataclass(frozen=True, slots=True)
    class Fresh:
        name: str
        parts: tuple[str, ...] = ()

    assert Fresh("a", parts=("b",)) == Fresh("a", ("b",))


def test_a_method_is_compiled_when_it_is_called_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    monkeypatch.setattr(
        records,
        "exec",
        lambda text, known: (compiled.append(text), exec(text, known)),
        raising=False,
    )

    @dataclass(frozen=True, slots=True)
    class Fresh:
        name: str

    assert not compiled
    first, second = Fresh("a"), Fresh("b")
    assert len(compiled) == 1
    assert first != second != first
    assert len(compiled) == 2
