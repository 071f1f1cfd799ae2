"""How a project's documents stand: what a run of each would make."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from lorakit.diagnostics import InvalidDocument, LorakitError
from lorakit.plan.states import State
from lorakit.records import record
from lorakit.session import load

if TYPE_CHECKING:
    from lorakit.plan.states import Plan
    from lorakit.session import Session

_REASONS = 3  # that are told of each document


@record
class Standing:
    """A document by its plan: `to_make` of `actions` in about so many `seconds`, for some `reasons`.

    `held` are approved frames whose inputs have changed, `waiting` what waits for approval.
    `trouble` says why there is no plan.
    """

    document: Path
    recipe: str = ""
    actions: int = 0
    to_make: int = 0
    seconds: float = 0.0
    reasons: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    trouble: str = ""


def opened(documents: Iterable[Path]) -> Iterator[tuple[Path, Session | str]]:
    """Yield each document loaded, or in words why it cannot be."""
    for path in documents:
        try:
            yield path, load(path)
        except InvalidDocument as error:
            yield path, in_short(error)


def planned(session: Session | str) -> Plan | str:
    """The plan of a document, or in words why there is none."""
    if isinstance(session, str):
        return session
    try:
        return session.plan()
    except InvalidDocument as error:
        return in_short(error)
    except LorakitError as error:
        return str(error)


def standing(document: Path, session: Session | str) -> Standing:
    """How one document stands."""
    recipe = "" if isinstance(session, str) else session.project.recipe.name
    plan = planned(session)
    if isinstance(plan, str):
        return Standing(document, recipe, trouble=plan)
    told = [f"{p.action.id}: {p.reason or p.state.word}" for p in plan.to_make]
    return Standing(
        document,
        recipe,
        len(plan.actions),
        len(told),
        round(plan.estimate.seconds, 1),
        tuple(told[:_REASONS]),
        tuple(p.action.id for p in plan.actions if p.state is State.APPROVED),
        tuple(
            f"{p.action.id}: waits {p.reason}" for p in plan.actions if p.state is State.UNAPPROVED
        ),
    )


def _in_use(
    documents: Iterable[tuple[Path, Session | str]], recipes: Collection[str]
) -> tuple[list[tuple[Path, Session | str]], int]:
    """Those documents whose recipe has runs, or that cannot be read, and how many the others are."""
    every = list(documents)
    used = [
        (path, session)
        for path, session in every
        if isinstance(session, str) or session.project.recipe.name in recipes
    ]
    return used, len(every) - len(used)


def standings(
    named: Iterable[Path], below: Iterable[Path], recipes: Collection[str]
) -> tuple[list[Standing], int]:
    """How documents stand: those `named`, or those of `below` that are in use; how many others there are."""
    found, others = list(opened(named)), 0
    if not found:
        found, others = _in_use(opened(below), recipes)
    return [standing(path, session) for path, session in found], others


def in_short(error: InvalidDocument) -> str:
    """An invalid document in one line."""
    first = error.errors[0] if error.errors else error.diagnostics[0]
    more = f", and {len(error.errors) - 1} more" if len(error.errors) > 1 else ""
    where = f"{first.place}: " if first.place else ""
    return f"{where}error[{first.code}]: {first.message}{more}"
