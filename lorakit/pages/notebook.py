"""What a notebook shows of a plan and of a run that is over: fragments of a page, all of it escaped.

Plans and runs are made where nobody looks at them, too: what shows them is imported once one is shown.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Self

from lorakit.diagnostics import LorakitError, render_text
from lorakit.execute.events import RunFinished
from lorakit.plan import numbers
from lorakit.plan.states import Plan, Planned, State
from lorakit.ui.plan_view import Group, count_line, groups_of

if TYPE_CHECKING:
    from lorakit.execute.past_action import PastAction

_ROWS = 60  # of a plan's table
_PICTURES = 24  # of a run's strip
_SIDE = 192  # px of a thumbnail's longer side; 24 of them are a few hundred kB at most
_WORDS = 200  # characters of a reason or a caption
_FAILURES = 8


@dataclass(frozen=True, slots=True, repr=False)
class ShownPlan(Plan):
    """A plan that a notebook shows as a table."""

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """The same plan."""
        return cls(**{field.name: getattr(plan, field.name) for field in fields(plan)})

    def __repr__(self) -> str:
        left = f", {numbers.about(self.estimate.seconds)}" if self.to_make else ""
        return f"<Plan {self.recipe!r}: {count_line(self)}{left}>"

    def _repr_html_(self) -> str:
        from lorakit.pages.render import fragment

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


@dataclass(frozen=True, slots=True)
class _Row:
    """Actions of a plan that stand in one line of the table."""

    step: str
    name: str
    states: str
    reason: str


def _rows(plan: Plan) -> Iterator[_Row]:
    for step, rows in groups_of(plan.actions):
        for row in rows:
            members = row.members if isinstance(row, Group) else [row]
            counts = {state: sum(p.state is state for p in members) for state in State}
            name = (
                f"{row.name} {row.title}".rstrip()
                if isinstance(row, Group)
                else row.action.task.title or row.action.label
            )
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


@dataclass(frozen=True, slots=True, repr=False)
class ShownRun(RunFinished):
    """A run that is over, which a notebook shows with its pictures."""

    @classmethod
    def of(cls, finished: RunFinished) -> Self:
        """The same event."""
        return cls(**{field.name: getattr(finished, field.name) for field in fields(finished)})

    @property
    def _counts(self) -> str:
        every = {
            "made": self.made,
            "cached": self.cached,
            "failed": self.failed,
            "skipped": self.skipped,
        }
        return ", ".join(f"{n:,} {word}" for word, n in every.items() if n) or "nothing to make"

    def __repr__(self) -> str:
        return f"<Run {self.folder!r}: {self.ending}, {self._counts}>"

    def _repr_html_(self) -> str:
        from lorakit.execute import past_run
        from lorakit.pages.render import fragment

        folder = Path(self.folder)
        try:
            actions = past_run.read(folder, self).actions
        except LorakitError:  # its folder was removed
            actions = ()
        pictured = [action for action in actions if action.frame.prompt and action.file("picture")]
        failed = [f"{a.id}: {a.detail}" for a in actions if a.outcome == "failed"]
        shown = [one for a in pictured[:_PICTURES] if (one := _thumbnail(folder, a)) is not None]
        return fragment(
            "run_strip.html",
            pictures=shown,
            more=len(pictured) - _PICTURES,
            ending=self.ending,
            time=numbers.duration(self.seconds),
            counts=self._counts,
            failures=failed[:_FAILURES],
            films=self.films,
            folder=self.folder,
        )


@dataclass(frozen=True, slots=True)
class _Thumbnail:
    src: str
    text: str


def _thumbnail(folder: Path, action: PastAction) -> _Thumbnail | None:
    """A frame as a small picture that is part of the page; None where it is not there any more."""
    from lorakit.facts.pictures.open_picture import PictureError, rgb

    try:
        picture = rgb(folder / action.file("picture"))
    except PictureError:
        return None
    picture.thumbnail((_SIDE, _SIDE))
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=85)
    words = f"{action.id}: {action.frame.prompt}"
    return _Thumbnail(
        f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode()}", words[:_WORDS]
    )


def problems(error: LorakitError) -> str:
    """Why there is no plan, as it is told in a terminal."""
    from lorakit.pages.render import fragment

    return fragment("problems.html", words=str(error))
