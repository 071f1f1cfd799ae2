"""The pictures of a comparison, before and after, out of the store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lorakit.diff.report import Relation
from lorakit.plan.frame_names import frame_address
from lorakit.plan.tasks.frame import FrameTask
from lorakit.records import record
from lorakit.store.manifests import is_digest

if TYPE_CHECKING:
    from lorakit.diff.report import ActionChange, DocumentDiff
    from lorakit.plan.states import Planned
    from lorakit.store.store import Store

_MOST = 12  # of a strip; its neighbours say where a frame belongs


@record
class Strip:
    """A scene's frames as they were and as they are, one above the other; None where there is no picture."""

    title: str
    before: tuple[Path | None, ...]
    after: tuple[Path | None, ...]


def strips(document: DocumentDiff, store: Store) -> Iterator[Strip]:
    """The scenes in which a frame changes, with the frames around those that do."""
    scenes: dict[str, list[ActionChange]] = {}
    for one in document.actions:
        task = one.action.task
        if isinstance(task, FrameTask) and not (task.between or task.upscaled):
            scenes.setdefault(one.scene, []).append(one)
    for name, frames in scenes.items():
        shown = _around_changes(sorted(frames, key=_number))
        if not shown:
            continue
        before = tuple(_picture(one.before, store) for one in shown)
        after = tuple(_picture(one.planned, store) for one in shown)
        if any(before) or any(after):
            first, last = (frame_address(one.action).last for one in (shown[0], shown[-1]))
            which = first if first == last else f"{first} to {last}"
            yield Strip(f"{name} {which}", before, after)


def _around_changes(frames: Sequence[ActionChange]) -> list[ActionChange]:
    still = (Relation.SAME, Relation.MOVED, Relation.HELD)
    changed = [n for n, one in enumerate(frames) if one.relation not in still]
    near = {at for n in changed for at in (n - 1, n, n + 1) if 0 <= at < len(frames)}
    return [frames[n] for n in sorted(near)][:_MOST]


def _number(change: ActionChange) -> tuple[int, bool]:
    last = frame_address(change.action).number
    return (int(last) if last.isdecimal() else 0), change.relation is Relation.GONE


def _picture(planned: Planned | None, store: Store) -> Path | None:
    digest = (planned.outputs or {}).get("picture", "") if planned is not None else ""
    if not is_digest(digest):
        return None
    path = store.object_path(digest)
    return path if path.is_file() else None
