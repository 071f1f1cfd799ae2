"""What a plan says of each action, and of all of them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import Enum
from typing import TYPE_CHECKING, Literal, NamedTuple

from lorakit.diagnostics import Diagnostic, Place
from lorakit.plan.actions import Action
from lorakit.plan.memory_modes import MemoryMode
from lorakit.plan.store_view import Offers
from lorakit.records import record
from lorakit.store.manifests import Manifest, Output
from lorakit.store.sources import Sources

if TYPE_CHECKING:
    from lorakit.facts.machine.nodes import Nodes
    from lorakit.remote.account import CacheAccount


class State(Enum):
    """Where an action stands; each carries the symbol, the word and the style it is shown with."""

    NEW = ("+", "new", "green")
    CHANGED = ("~", "changed", "yellow")
    CACHED = ("=", "cached", "dim")
    REMOTE = ("<", "remote", "blue")  # in the team's cache, from where a run fetches it
    WAITS = (">", "waits", "cyan")
    PERHAPS = ("?", "perhaps", "cyan")  # made where no try before it passes its gate
    SPARED = ("-", "spared", "dim")  # a try before it has passed
    HELD = ("|", "held", "dim")  # by --only
    APPROVED = ("|", "held", "magenta")  # whatever its inputs have come to
    UNAPPROVED = (">", "waits", "magenta")  # for frames to be approved, which no run does

    def __init__(self, symbol: str, word: str, style: str) -> None:
        self.symbol = symbol
        self.word = word
        self.style = style

    @property
    def left_alone(self) -> bool:
        """Whether a run does nothing about it, not even take it from the store."""
        return self in (State.HELD, State.UNAPPROVED, State.SPARED)

    @property
    def maybe_never(self) -> bool:
        """Whether nothing may come of it in the best of cases."""
        return self in (State.PERHAPS, State.SPARED)

    @property
    def rare(self) -> bool:
        """Whether there are such actions only where gates or a team's cache are."""
        return self.maybe_never or self is State.REMOTE

    @property
    def may_run(self) -> bool:
        """Whether a run may make it, be it only perhaps."""
        return self.to_make or self is State.PERHAPS

    @property
    def to_make(self) -> bool:
        """Whether a run would make it (at most: one that waits may turn out to be cached)."""
        return self in (State.NEW, State.CHANGED, State.WAITS)


@record
class ParameterChange:
    """One parameter that differs from what was last made at the same address."""

    what: str
    before: object
    after: object
    place: Place | None = None


@record
class Planned:
    """An action with its state, the reason in words, and its key where it is known already.

    `fetch` are outputs that somebody needs and only the team's cache has, `offer` is its manifest where none
    is here.
    """

    action: Action
    state: State
    reason: str = ""
    key: str | None = None
    changes: tuple[ParameterChange, ...] = ()
    outputs: Mapping[str, str] | None = None
    forced: bool = False
    fetch: tuple[Output, ...] = ()
    offer: Manifest | None = None


@record
class Waves:
    """How the frames would share the UNet: `calls` of `batch_size` rows each, `rows` of them in use."""

    batch_size: int
    calls: int
    rows: int

    @property
    def fullness(self) -> float:
        """Share of the rows in use, 0 to 1."""
        return self.rows / (self.calls * self.batch_size) if self.calls else 1.0


@record
class Estimate:
    """What a run would cost: seconds, bytes of memory at its peak, bytes of disk.

    `measured` says whether the seconds come from this machine's history or from a first guess; `by_worker`
    says which of the workers would spend them.
    """

    seconds: float
    memory: int
    disk: int
    measured: bool
    by_worker: Mapping[str, float] = field(default_factory=dict)


Work = Literal["encoding", "training", "drawing"]


class CardChoice(NamedTuple):
    """What a step comes to on a card of so many `gigabytes`: the way it is kept, in words and figures.

    `work` is that part of it which this is about: what goes on at other times is a choice of its own.
    """

    gigabytes: int
    step: str
    work: Work
    words: str
    mode: MemoryMode


class CardTable(NamedTuple):
    """The `choices`, card by card, with the `seconds` of all steps on one, and the models they are about.

    `models` are their sources with the parameters of each part.
    """

    choices: tuple[CardChoice, ...]
    seconds: float
    models: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]


@record
class Plan:
    """All actions in an order in which they can be made (inputs first), and the sums.

    `notes` are lines to be said of a step, such as why it makes no film; `cards` is what it would be on
    others, where that was asked. `cache` is what is said of the team's, whose `offers` were looked at.
    `nodes` are the machines of a cluster that it is for.
    """

    recipe: str
    actions: tuple[Planned, ...]
    waves: tuple[Waves, ...]
    estimate: Estimate
    warnings: tuple[Diagnostic, ...] = ()
    machine: str = ""
    timings: Mapping[str, float] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    sources: Sources = field(default_factory=Sources, repr=False)
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cards: CardTable | None = None
    cache: CacheAccount | None = None
    offers: Offers | None = field(default=None, repr=False, compare=False)
    nodes: Nodes | None = field(default=None, repr=False)

    @property
    def to_fetch(self) -> tuple[Output, ...]:
        """The objects that a run would fetch from the team's cache."""
        return tuple({o.digest: o for p in self.actions for o in p.fetch}.values())

    def count(self, state: State) -> int:
        """How many actions are in a state, or in another that is called the same."""
        return sum(p.state.word == state.word for p in self.actions)

    @property
    def to_make(self) -> tuple[Planned, ...]:
        """The actions that a run would make."""
        return tuple(p for p in self.actions if p.state.to_make)

    @property
    def complete(self) -> bool:
        """Whether nothing is to be made, and nothing waits for approval."""
        return not any(p.state.to_make or p.state is State.UNAPPROVED for p in self.actions)
