"""A plan on the terminal: steps, their scenes with frames folded or not, reasons, and the sums."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from lorakit.plan import numbers
from lorakit.plan.frame_names import FRAME_TASKS, frame_address
from lorakit.plan.states import State
from lorakit.plan.tasks.clip import ClipTask
from lorakit.plan.tasks.film import FilmTask
from lorakit.plan.tasks.finished_film import FinishedFilmTask, SignedFilmTask
from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.tasks.gate import ScoreTask
from lorakit.plan.tasks.task import WorkerTask
from lorakit.ui.outline import TreeNode, lines_of, show
from lorakit.ui.plan_footer import footer
from lorakit.ui.plan_json import plan_as_json
from lorakit.ui.theme import FAINT, STRONG, clean, glyphs_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console

    from lorakit.plan.states import Plan, Planned
    from lorakit.ui.outline import Line

__all__ = ["groups_of", "plan_as_json", "show_plan"]

# whose symbol a folded scene carries: what a reader looks for first
_FOREMOST = (
    State.CHANGED,
    State.NEW,
    State.WAITS,
    State.APPROVED,
    State.REMOTE,
    State.CACHED,
    State.UNAPPROVED,
    State.HELD,
    State.PERHAPS,
    State.SPARED,
)
_OF_A_FRAME = (*FRAME_TASKS, ScoreTask, ClipTask)
_REASONS = 3  # lines of reasons under a folded scene


def show_plan(plan: Plan, console: Console, *, frames: bool = False) -> None:
    """Draw a plan; `frames` unfolds every frame with its prompt and what it is drawn with."""
    glyphs = glyphs_for(console)
    show(console, lines_of(_steps(plan, frames=frames), glyphs))
    show(console, (("", "  ", line) for line in footer(plan)))


@dataclass(slots=True)
class Group:
    """Actions that a plan folds: the frames of one scene."""

    name: str
    title: str
    members: list[Planned] = field(default_factory=list)


def groups_of(actions: Iterable[Planned]) -> Iterator[tuple[str, list[Group | Planned]]]:
    """Sort a plan's actions by step; within it the groups, in the place of their first action."""
    for step, members in groupby(actions, key=lambda p: p.action.step):
        rows: dict[str, Group | Planned] = {}
        for planned in members:
            name = planned.action.group
            if not name:
                rows[planned.action.id] = planned
                continue
            group = rows.get(f"group {name}")
            if not isinstance(group, Group):
                group = Group(name, title_of(planned))
                rows[f"group {name}"] = group
            group.members.append(planned)
        yield step, list(rows.values())


def title_of(planned: Planned) -> str:
    """Name the scene of a frame, from its address `step/scene/number`; empty where it has none."""
    action = planned.action
    scene = frame_address(action).scene.removeprefix(action.step).removeprefix("/")
    return "" if f"{scene}/".startswith(f"{action.group}/") else scene


def _steps(plan: Plan, *, frames: bool) -> Iterator[TreeNode]:
    for step, rows in groups_of(plan.actions):
        node = TreeNode([(step, STRONG)])
        node.notes = [[(clean(note), FAINT)] for note in plan.notes.get(step, ())]
        width = max((len(_heading(r)) for r in rows if isinstance(r, Group)), default=0)
        for row in rows:
            branch = _group(row, width, frames=frames) if isinstance(row, Group) else _single(row)
            node.branches.append(branch)
        yield node


def _heading(group: Group) -> str:
    return clean(f"{group.name} {group.title}".rstrip())


def _group(group: Group, width: int, *, frames: bool) -> TreeNode:
    counts = {state: sum(p.state is state for p in group.members) for state in State}
    foremost = next(state for state in _FOREMOST if counts[state])
    line: list[tuple[str, str]] = [
        (f"{foremost.symbol} ", foremost.style),
        (f"{_heading(group).ljust(min(width, 40))}  ", ""),
        (f"{numbers.count(len(group.members), _noun(group.members))}{_length(group)}: ", ""),
    ]
    shown = [(state, number) for state, number in counts.items() if number]
    for place, (state, number) in enumerate(shown):
        line += [(", ", "")] * bool(place) + [(f"{number} {state.word}", state.style)]
    node = TreeNode(line)
    if frames:
        node.branches = [
            _frame(planned, planned.action.task)
            if isinstance(planned.action.task, FrameTask)
            else _single(planned, _number(planned))
            for planned in group.members
        ]
    else:
        node.notes = list(_reasons(group.members))
    return node


def _length(group: Group) -> str:
    """How long clips are together."""
    tasks = [planned.action.task for planned in group.members]
    clips = [task for task in tasks if isinstance(task, ClipTask)]
    if len(clips) < len(tasks):
        return ""
    return f", {numbers.count(sum(task.frames for task in clips), ClipTask.unit)}"


def _noun(members: Iterable[Planned]) -> str:
    nouns = {p.action.task.noun for p in members}
    return nouns.pop() if len(nouns) == 1 else WorkerTask.noun


def _reasons(members: Sequence[Planned]) -> Iterator[Line]:
    """Yield why frames of a folded scene are made again, those with one cause in one line."""
    causes: dict[object, list[Planned]] = {}
    for planned in members:
        if planned.reason and planned.state in (State.NEW, State.CHANGED):
            changes = tuple((c.what, repr(c.before), repr(c.after)) for c in planned.changes)
            causes.setdefault((planned.state, changes or planned.reason), []).append(planned)
    for number, same in enumerate(causes.values()):
        if number == _REASONS and len(causes) > _REASONS + 1:
            rest = sum(len(c) for c in causes.values()) - sum(
                len(c) for c in list(causes.values())[:_REASONS]
            )
            more = numbers.count(rest, _noun(members))
            yield [(f"and {more} more; --frames shows each", FAINT)]
            return
        first = same[0]
        which = _number(first) if len(same) == 1 else numbers.count(len(same), _noun(same))
        yield [
            (f"{first.state.symbol} {first.state.word} ", first.state.style),
            (f"{which}: {clean(first.reason)}", ""),
        ]
    # that a frame waits for another of its own scene goes without saying
    inside = {p.action.id for p in members}
    waiting = [
        p
        for p in members
        if p.state is State.WAITS and not any(i.action in inside for i in p.action.inputs)
    ]
    if waiting:
        more = f" (and {len(waiting) - 1} more)" if len(waiting) > 1 else ""
        words = f"{_number(waiting[0])} {clean(waiting[0].reason)}{more}"
        yield [(f"{State.WAITS.symbol} {State.WAITS.word} ", State.WAITS.style), (words, FAINT)]


def _number(planned: Planned) -> str:
    address = frame_address(planned.action)
    frame = isinstance(planned.action.task, _OF_A_FRAME) and address.number.isdigit()
    return f"frame {address.last}" if frame else address.last


def _stated(planned: Planned, name: str, detail: str = "") -> Line:
    state = planned.state
    line = [(f"{state.symbol} ", state.style), (name, ""), ("  ", ""), (state.word, state.style)]
    if planned.reason:
        line.append((f" {clean(planned.reason)}", FAINT if state is State.WAITS else ""))
    if detail:
        line.append((f"  {detail}", FAINT))
    return line


def _single(planned: Planned, called: str = "") -> TreeNode:
    action = planned.action
    files = [path for paths in action.files.values() for path in paths]
    name = called or clean(action.name)
    detail = files[0] if files else ""
    if isinstance(action.task, FilmTask):
        detail = ", ".join([*filter(None, [detail]), numbers.count(action.units, FilmTask.unit)])
    if isinstance(action.task, ClipTask):
        detail = f"{action.label}, {numbers.count(action.task.frames, action.task.unit)}"
    if isinstance(action.task, FinishedFilmTask | SignedFilmTask):
        heard = any(one.role == "sound" for one in action.inputs)
        length = numbers.count(action.task.shape.frames, FilmTask.unit)
        detail = f"{detail}, {length}{', with sound' if heard else ''}"
    notes = [[(clean(line), FAINT)] for line in action.notes]
    return TreeNode(_stated(planned, name, detail), notes=list(notes))


def _frame(planned: Planned, task: FrameTask) -> TreeNode:
    node = TreeNode(_stated(planned, _number(planned)))
    node.notes.append([(clean(task.prompt), "")])
    if task.negative_prompt:
        node.notes.append([(f"not: {clean(task.negative_prompt)}", FAINT)])
    node.notes.append([(", ".join(_drawn_with(planned, task)), FAINT)])
    return node


def _drawn_with(planned: Planned, task: FrameTask) -> Iterator[str]:
    yield f"seed {task.seed}"
    yield f"noise {task.noise}"
    steps, effective = task.num_inference_steps, task.effective_steps
    start = next((i.action for i in planned.action.inputs if i.role in ("start", "smaller")), None)
    yield "from noise" if start is None else f"strength {task.strength} from {start}"
    yield f"{steps} steps" if effective == steps else f"{effective} of {steps} steps"
    yield f"guidance {task.guidance_scale}"
    by_role = {i.role: i.action for i in planned.action.inputs}
    if task.control is not None:
        yield f"held at {task.control.strength:g} by {by_role['control']}"
    seen = [one for role, one in by_role.items() if role.startswith(("shared_", "reference_"))]
    if seen or task.reference_files:
        pictures = [Path(one.file).name for one in task.reference_files]
        yield f"sees {', '.join([*pictures, *seen])}"
    if task.between is not None:
        yield f"{task.between.share:.0%} of the way to {by_role['towards']}"
    if task.ip_adapter is not None:
        weighed = (
            f"{by_role[f'embeds_{n}']} at {s:g}" for n, s in enumerate(task.ip_adapter.scales, 1)
        )
        yield f"sees {', '.join(weighed)}"
    if task.edit is not None:
        yield f"changes {by_role['edited']}"
    yield f"{task.width}x{task.height} px"
