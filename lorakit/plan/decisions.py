"""Decisions on frames, as a plan obeys them: results that are held, picks, and what waits for approval."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from lorakit.diagnostics import Diagnostic, Place
from lorakit.plan.states import Planned, State
from lorakit.plan.tasks.pick import PickTask

if TYPE_CHECKING:
    from lorakit.plan.actions import Action
    from lorakit.plan.store_view import StoreView
    from lorakit.store.manifests import Manifest, Output

_SHOWN = 3  # frames that are named


def frame_name(action: Action) -> str:
    """A frame as users call it: meadow/2 of film/meadow/2/pick."""
    from lorakit.plan.tasks.gate import GateTask

    name = action.id.removeprefix(f"{action.step}/")
    return action.task.frame if isinstance(action.task, PickTask | GateTask) else name


def held_result(action: Action, key: str | None, view: StoreView) -> Manifest | None:
    """What was approved at an action's address, where its inputs have changed since and it is there."""
    if action.held is None or action.held.key == key:
        return None
    manifest = view.manifest(action.held.key)
    picture = manifest.outputs.get("picture") if manifest is not None else None
    if picture is None or picture.digest != action.held.picture or not view.has(picture):
        return None
    return manifest


def unapproved(
    actions: Sequence[Action],
    by_id: Mapping[str, Action],
    outputs: Mapping[str, Mapping[str, Output]],
) -> dict[str, str]:
    """Why actions wait that are made of approved frames alone, or of what waits for that."""
    waiting: dict[str, str] = {}
    for action in actions:
        why = _why_it_waits(action, by_id, outputs)
        why = why or next((waiting[i.action] for i in action.inputs if i.action in waiting), "")
        if why:
            waiting[action.id] = why
    return waiting


def _why_it_waits(
    action: Action,
    actions: Mapping[str, Action],
    outputs: Mapping[str, Mapping[str, Output]],
) -> str:
    if not action.needs_approval:
        return ""
    missing = [
        actions[id_]
        for id_ in dict.fromkeys(_frame_of(one.action, actions) for one in action.inputs)
        # what waits itself says for what
        if not actions[id_].needs_approval
        if not _is_approved(actions[id_], outputs.get(id_, {}))
    ]
    if not missing:
        return ""
    names = [frame_name(one) for one in missing]
    if len(names) > _SHOWN:
        names = list(dict.fromkeys(name.rpartition("/")[0] for name in names))
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    place = missing[0].place
    board = place.file if place is not None else "BOARD"
    words = " ".join(_word(name) for name in (board, *names[:_SHOWN]))
    return f"for approval of {', '.join(names[:_SHOWN])}{more}: lorakit approve {words}"


def _frame_of(address: str, actions: Mapping[str, Action]) -> str:
    """The frame that an action edits or makes larger, else that action: who approves one approves both."""
    if actions[address].needs_approval:
        return address
    from lorakit.plan.frame_names import edited_by, smaller_of

    before = edited_by(actions[address]) or smaller_of(actions[address])
    return _frame_of(before, actions) if before is not None else address


def _word(text: str) -> str:
    """A text as one word of a command."""
    return f'"{text}"' if " " in text else text


def _is_approved(action: Action, outputs: Mapping[str, Output]) -> bool:
    from lorakit.plan.tasks.encode import LatentsTask
    from lorakit.plan.tasks.painted import PaintedTask

    picture = outputs.get("picture")
    if isinstance(action.task, PaintedTask | LatentsTask):
        return True  # it is the user's own
    return action.held is not None and picture is not None and picture.digest == action.held.picture


def findings(
    planned: Sequence[Planned],
    view: StoreView,
    last: Mapping[str, str],
    excerpt: Callable[[Place], str | None],
) -> Iterator[Diagnostic]:
    """Warn of picks that are stale or will be, and of approved frames whose picture is not here."""
    outputs = {one.action.id: one for one in planned}
    for one in planned:
        action = one.action
        if isinstance(action.task, PickTask) and one.state is not State.HELD:
            task = action.task
            take = next(
                outputs[i.action] for i in action.inputs if i.role == f"picture_{task.take}"
            )
            found = (take.outputs or {}).get("picture")
            if found is not None and found != task.picture:
                yield _warning(action, stale_pick(task), excerpt)
            elif found is None and _was(take, task, view, last):
                message = (
                    f"take {task.take} of {task.frame} is drawn anew, "
                    "and may be no longer what was picked"
                )
                yield _warning(
                    action, message, excerpt, "where it is another, take 1 stands for it"
                )
        held = action.held
        if held is not None and one.state.to_make and one.key != held.key:
            yield Diagnostic(
                "approval",
                f"{frame_name(action)} is approved, and its picture is not in this store: it is drawn anew",
                held.place,
                excerpt(held.place) if held.place else None,
                ("copy .lorakit from where it was approved, or release it with approve --release",),
                severity="warning",
            )


def stale_pick(task: PickTask) -> str:
    """What is said of a pick whose take has changed."""
    return f"the pick of {task.frame} is stale: take {task.take} has changed since, so take 1 stands for it"


def _was(take: Planned, task: PickTask, view: StoreView, last: Mapping[str, str]) -> bool:
    """Whether a take that is drawn anew was the picked one when it was last made here."""
    if take.state is not State.CHANGED or take.action.id not in last:
        return False
    before = view.manifest(last[take.action.id])
    picture = before.outputs.get("picture") if before is not None else None
    return picture is not None and picture.digest == task.picture


def _warning(
    action: Action, message: str, excerpt: Callable[[Place], str | None], *more: str
) -> Diagnostic:
    place = action.place
    hint = "look at its takes and pick again: lorakit pick"
    line = excerpt(place) if place else None
    return Diagnostic("stale-pick", message, place, line, (*more, hint), severity="warning")
