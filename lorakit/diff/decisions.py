"""Picks and approvals of two documents that differ, with their places."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lorakit.diff.report import ValueChange

if TYPE_CHECKING:
    from lorakit.language.story.decisions import Approval, Decisions, Pick


def changed_decisions(before: Decisions, after: Decisions) -> Iterator[ValueChange]:
    """Every frame of which something else was decided, as in picks.meadow/2: take 1 -> take 3."""
    for name, ours, theirs in (
        ("picks", before.picks, after.picks),
        ("approved", before.approved, after.approved),
    ):
        for frame in sorted({*ours, *theirs}):
            old, new = ours.get(frame), theirs.get(frame)
            if old == new:
                continue
            same = old is not None and new is not None and old.take == new.take
            yield ValueChange(
                (name, str(frame)),
                _said(old, exact=same),
                _said(new, exact=same),
                new.place if new is not None else None,
                old.place if old is not None else None,
            )


def _said(one: Pick | Approval | None, *, exact: bool) -> str | None:
    if one is None:
        return None
    return f"take {one.take} ({one.picture[:8]})" if exact else f"take {one.take}"
