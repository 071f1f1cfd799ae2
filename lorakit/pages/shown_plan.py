"""What a notebook shows of a plan: a fragment of a page, all of it escaped.

Plans are made where nobody looks at them, too: what shows them is imported once one is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, Self

from lorakit.diagnostics import render_text
from lorakit.plan import numbers
from lorakit.plan.states import Plan, Planned, State
from lorakit.records import record

if TYPE_CHECKING:
    from lorakit.diagnostics import LorakitError

_ROWS = 60  # of a plan's table
_WORDS = 200  # characters of a reason


@record(shows=False)
class ShownPlan(Plan):
    """A plan that a notebook shows as a table."""

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """The same plan."""
        return cls(**{field.name: getattr(plan, field.name) for field in fields(plan)})

    def __repr__(self) -> str:
        from lorakit.ui.plan_footer import count_line

        left = f", {numbers.about(self.estimate.seconds)}" if self.to_make else ""
        return f"<Plan {self.recipe!r}: {count_line(self)}{left}>"

    def _repr_html_(self) -> str:
        from lorakit.pages.render import fragment
        from lorakit.ui.plan_footer import count_line

        rows = list(islice(_rows(self), _ROWS + 1))
        return fragment(
            "plan_table.html",
            rows=rows[:_ROWS],
            more=len(rows) > _ROWS,
            counts=count_line(self),
            time=numbers.about(self.estimate.seconds) if self.to_make else "",
            guess=not self.estimate.measured,
            warnings=render_text(self.warnings),
        )


class _Row(NamedTuple):
    """Actions of a plan that stand in one line of the table."""

    step: str
    name: str
    states: str
    reason: str


def _rows(plan: Plan) -> Iterator[_Row]:
    from lorakit.ui.plan_view import Group, groups_of

    for step, rows in groups_of(plan.actions):
        for row in rows:
            members = row.members if isinstance(row, Group) else [row]
            counts = {state: sum(p.state is state for p in members) for state in State}
            name = f"{row.name} {row.title}".rstrip() if isinstance(row, Group) else row.action.name
            told = ", ".join(
                f"{number:,} {state.word}" for state, number in counts.items() if number
            )
            yield _Row(step, name[:_WORDS], told, _reason(members)[:_WORDS])


def _reason(members: Sequence[Planned]) -> str:
    """Why the first of some actions is made; one that only waits says for what."""
    first = next((p for p in members if p.reason and p.state in (State.NEW, State.CHANGED)), None)
    if first is not None:
        return first.reason
    # that a frame waits for another of its own scene goes without saying
    inside = {p.action.id for p in members}
    return next(
        (
            f"waits {p.reason}"
            for p in members
            if p.state is State.WAITS and not any(i.action in inside for i in p.action.inputs)
        ),
        "",
    )


def problems(error: LorakitError) -> str:
    """Why there is no plan, as it is told in a terminal."""
    from lorakit.pages.render import fragment

    return fragment("problems.html", words=str(error))
