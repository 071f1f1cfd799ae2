"""A comparison as plain JSON data: all that is drawn, and all that is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.diagnostics import as_json
from lorakit.ui.plan_json import place_as_json

if TYPE_CHECKING:
    from lorakit.diff.report import ActionChange, Comparison, DocumentDiff, Side, ValueChange


def comparison_as_json(comparison: Comparison) -> dict[str, object]:
    """Turn a comparison into JSON data. Times are seconds; `version` is the form's."""
    return {
        "version": 1,
        "before": comparison.before,
        "after": comparison.after,
        "to_make": comparison.to_make,
        "seconds": comparison.seconds,
        "measured": comparison.measured,
        "untouched": comparison.untouched,
        "notes": list(comparison.notes),
        "documents": [_document(one) for one in comparison.documents],
    }


def _document(document: DocumentDiff) -> dict[str, object]:
    return {
        "path": document.path,
        "before": _side(document.before),
        "after": _side(document.after),
        "values": [_value(one) for one in document.values],
        "files": list(document.files),
        "to_make": len(document.to_make)
        if document.actions
        else sum(p.state.to_make for p in document.after.actions),
        "seconds": document.seconds,
        "change_seconds": document.change_seconds,
        "measured": document.measured,
        "actions": [_action(one) for one in document.actions],
    }


def _side(side: Side) -> dict[str, object]:
    return {
        "name": side.name,
        "path": side.path,
        "there": side.there,
        "planned": side.planned,
        "problems": [as_json(one) for one in side.problems],
    }


def _value(change: ValueChange) -> dict[str, object]:
    return {
        "path": list(change.path),
        "before": change.before,
        "after": change.after,
        "place": place_as_json(change.place),
        "before_place": place_as_json(change.before_place),
    }


def _action(change: ActionChange) -> dict[str, object]:
    planned = change.planned
    return {
        "id": change.action.id,
        "step": change.action.step,
        "kind": change.action.kind,
        "became": change.relation.word,
        "reason": change.reason,
        "was": change.other or None,
        "to_make": change.to_make,
        "state": planned.state.word if planned is not None else None,
        "key": planned.key if planned is not None else None,
        "place": place_as_json(change.action.place),
    }
