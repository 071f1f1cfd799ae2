"""Words that both views of a run share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.plan import numbers
from lorakit.plan.workers import RENDER, WORKERS
from lorakit.ui.theme import clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lorakit.plan.states import Plan
    from lorakit.ui.progress import Progress, ProgressRow
    from lorakit.ui.worker_progress import WorkerShown


_AT_ONCE = 0.05  # s
_WARNINGS = 8  # that a run says before it begins


def warning_words(plan: Plan) -> Iterator[str]:
    """Yield what a plan warns of, a line each with its first way out, of many the first ones."""
    for warning in plan.warnings[:_WARNINGS]:
        where = f"{warning.place}: " if warning.place else ""
        way = f"; {warning.hints[0]}" if warning.hints else ""
        yield clean(f"{where}warning[{warning.code}]: {warning.message}{way}")
    more = len(plan.warnings) - _WARNINGS
    if more > 0:
        yield f"{numbers.count(more, 'more warning')}: lorakit plan shows all"


def worker_words(name: str, slot: WorkerShown, at: float) -> str:
    """Say what a worker is at: `loading lorakit:studio 1.2 s`; empty where it needs no words.

    One of several is named, and the machine that one is on if it is not here: `render 2 on nod-17: loading
    lorakit:studio`.
    """
    words = _state_words(name, slot, at)
    where = f" on {clean(slot.where)}" if slot.where else ""
    if not words or ((name in WORKERS or name in words) and not where):
        return words
    return f"{name}{where}: {words}"


def _state_words(name: str, slot: WorkerShown, at: float) -> str:
    detail = clean(slot.detail)
    if slot.state in ("loading", "ready") and not detail:
        return ""  # it has no model: nothing that takes time
    if slot.state == "loading":
        gone = f" {numbers.duration(at - slot.since)}" if at > slot.since else ""
        return f"loading {detail}{gone}"
    if slot.state == "waiting":
        return f"waiting for another run{f' ({detail})' if detail else ''}"
    if slot.state == "sending":
        return f"sending {detail}, {numbers.duration(slot.seconds)} left"
    if slot.state == "fetching":
        gone = f" {numbers.duration(at - slot.since)}" if at > slot.since else ""
        return f"fetching {detail} from the hub{gone}"
    if slot.state == "ready":
        # a training's worker loads its model with the training itself
        at_once = slot.seconds < _AT_ONCE
        return "" if at_once else f"{detail} ready after {numbers.duration(slot.seconds)}"
    return f"starting the {name} worker" if slot.state == "starting" else ""


def done_words(row: ProgressRow) -> str:
    """Say how a row stands: `3 of 5 frames`, `5 frames done, 2 cached`, `written`, `waits`."""
    if row.single:
        if not row.over:
            begun = row.active or row.units_done
            return f"{row.units_done} of {numbers.count(row.units, row.noun)}" if begun else "waits"
        words = (
            "failed" if row.failed else "skipped" if row.skipped else "cached" * bool(row.cached)
        )
        return words or f"written {row.file}".rstrip()
    if not row.done and not row.active:
        return f"{numbers.count(row.total, row.thing)} wait"
    if not row.over:
        return f"{row.done} of {numbers.count(row.total, row.thing)}"
    frames = numbers.count(row.total, row.thing)
    if row.cached == row.total:
        return f"{frames} cached"
    whole = row.made + row.cached
    parts = [("failed", row.failed), ("skipped", row.skipped), ("cached", row.cached)]
    phrases = [f"{number} {word}" for word, number in parts if number]
    first = f"{frames} done" if whole == row.total else f"{whole} of {frames}"
    return ", ".join([first, *phrases])


def figure_words(figures: Mapping[str, float]) -> Iterator[str]:
    """Yield what a training told of its last step: `loss 0.412`, `learning rate 5e-05`, `780 MB`."""
    if "loss" in figures:
        yield f"loss {figures['loss']:.3f}"
    if "held_out_loss" in figures:
        yield f"held out {figures['held_out_loss']:.3f}"
    if "learning_rate" in figures:
        yield f"learning rate {figures['learning_rate']:.2g}"
    if "memory" in figures:
        yield numbers.size(figures["memory"])


def speed_words(progress: Progress) -> Iterator[str]:
    """Yield speed and time left, as far as they are known."""
    current = progress.current
    at = RENDER.name if current is None else current.engine.slot
    slot = progress.slots.get(at if WORKERS[at].steps else RENDER.name)
    rate = slot.rate() if slot is not None and slot.left else 0.0
    if rate:
        yield numbers.rate(rate, "step")
    yield from figure_words(progress.figures)
    left = progress.seconds_left()
    if progress.finishing:
        yield "measures and checks what it saved"
    elif left:
        yield f"{numbers.about(left)} left"
