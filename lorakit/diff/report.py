"""What a comparison found, as plain data: views draw it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import field
from enum import Enum

from lorakit.diagnostics import Diagnostic, Place
from lorakit.plan.actions import Action
from lorakit.plan.frame_names import frame_address
from lorakit.plan.states import Planned
from lorakit.records import record
from lorakit.store.store import Store


class Relation(Enum):
    """What became of an action; each carries the symbol, the word and the style it is shown with."""

    AGAIN = ("~", "drawn again", "yellow")
    NEW = ("+", "new", "green")
    MOVED = (">", "moved", "cyan")
    HELD = ("|", "held", "magenta")  # approved, whatever became of its inputs
    SAME = ("=", "stays", "dim")
    GONE = ("-", "gone", "red")

    def __init__(self, symbol: str, word: str, style: str) -> None:
        self.symbol = symbol
        self.word = word
        self.style = style


@record
class ValueChange:
    """One value of a document that differs; None where it is not there on one side.

    `path` leads to it; `place` is where it stands after, `before_place` where it stood. Of `prose` the words
    are compared.
    """

    path: tuple[str, ...]
    before: str | None
    after: str | None
    place: Place | None
    before_place: Place | None = None
    prose: bool = False

    @property
    def shown_place(self) -> Place | None:
        """Where it stands, or stood where it is gone."""
        return self.place or self.before_place


@record
class ActionChange:
    """An action of either side: what became of it, why, and whether a run would make it.

    `other` is the address that it had before, where it moved.
    """

    action: Action
    relation: Relation
    reason: str = ""
    planned: Planned | None = None
    before: Planned | None = None
    other: str = ""

    @property
    def scene(self) -> str:
        """The address of what it is shown under: a frame's scene, and itself where it is in none."""
        action = self.action
        return frame_address(action).scene if action.group else action.id

    @property
    def to_make(self) -> bool:
        """Whether a run would make it now; what the store has is not drawn."""
        return self.planned is not None and self.planned.state.to_make


@record
class Side:
    """A document on one side: how it is called there, and what is wrong with it.

    `there` says whether it is there at all, `planned` whether it could be planned.
    """

    name: str
    path: str
    there: bool = True
    problems: tuple[Diagnostic, ...] = ()
    planned: bool = False
    actions: tuple[Planned, ...] = ()


@record
class DocumentDiff:
    """One recipe or storyboard on both sides.

    `seconds` is what making all that is missing would take, `change_seconds` what the change alone would.
    `files` are others that it is made of and that differ; `store` is where its pictures are.
    """

    path: str
    before: Side
    after: Side
    values: tuple[ValueChange, ...] = ()
    files: tuple[str, ...] = ()
    actions: tuple[ActionChange, ...] = ()
    seconds: float = 0.0
    change_seconds: float = 0.0
    measured: bool = True
    store: Store | None = field(default=None, compare=False, repr=False)

    @property
    def renamed(self) -> bool:
        """Whether it is called otherwise on the two sides."""
        return self.before.there and self.after.there and self.before.path != self.after.path

    @property
    def planned_alone(self) -> tuple[Side, ...]:
        """The side that could be planned, where the other is wrong."""
        both = (self.before, self.after)
        return tuple(
            one
            for one, other in zip(both, both[::-1], strict=True)
            if one.planned and other.problems
        )

    def having(self, *relations: Relation) -> Iterator[ActionChange]:
        """The actions that one of these things became of."""
        return (one for one in self.actions if one.relation in relations)

    @property
    def all_else_made(self) -> bool:
        """Whether the store has all that stays or moves."""
        return not any(one.to_make for one in self.having(Relation.SAME, Relation.MOVED))

    @property
    def to_make(self) -> tuple[ActionChange, ...]:
        """What a run would make."""
        return tuple(one for one in self.actions if one.to_make)

    def counts(self, relation: Relation) -> Mapping[str, int]:
        """How many frames, films and so on a thing became of."""
        return Counter(noun_of(one.action) for one in self.having(relation))


@record
class Comparison:
    """Two states of a project. `before` and `after` are names; `untouched` counts documents that are equal.

    `seconds` and `to_make` count what several documents share once.
    """

    before: str
    after: str
    documents: tuple[DocumentDiff, ...] = ()
    untouched: int = 0
    to_make: int = 0
    seconds: float = 0.0
    measured: bool = True
    notes: tuple[str, ...] = ()


def noun_of(action: Action) -> str:
    """What an action is counted as: frame, film, film's pictures, contact sheet."""
    return action.name if action.task.title else action.task.noun
