"""What stands below a plan: what it comes to, on which cards, and what the team's cache brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.diagnostics import render_text
from lorakit.facts.machine.environment import OF_GPUS
from lorakit.plan import numbers
from lorakit.plan.elsewhere import workers_at_once
from lorakit.plan.states import State
from lorakit.plan.waves import by_batch_size
from lorakit.ui.theme import FAINT, STRONG, WARN, clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorakit.facts.machine.nodes import Room
    from lorakit.plan.states import CardTable, Plan
    from lorakit.remote.account import CacheAccount
    from lorakit.ui.outline import Line


def count_line(plan: Plan) -> str:
    """Count the actions in each state: the last line of a plan, for people and for grep."""
    words = {state: plan.count(state) for state in State}
    counts = ", ".join(
        f"{number} {state.word}"
        for state, number in {s.word: (s, n) for s, n in words.items()}.values()
        if number or not state.rare
    )
    return f"{numbers.count(len(plan.actions), 'action')}: {counts}"


def footer(plan: Plan) -> Iterator[Line]:
    """The lines below a plan's tree."""
    yield []
    estimate = plan.estimate
    if plan.to_make:
        card, driver = (plan.environment.get(name) for name in OF_GPUS)
        if card:
            words = f"equal on {clean(card)} with driver {clean(driver or '')} and these libraries alone"
            yield [("bytes   ", STRONG), (f"{words}; fp32 without TF32", "")]
        known = "" if estimate.measured else " (a first guess: no history on this machine yet)"
        yield [("time    ", STRONG), (numbers.about(estimate.seconds), ""), (known, FAINT)]
        yield [("memory  ", STRONG), (f"about {numbers.size(estimate.memory)} at the peak", "")]
        yield [("disk    ", STRONG), (f"about {numbers.size(estimate.disk)}", "")]
        for waves in by_batch_size(plan.waves):
            calls = f"{numbers.count(waves.calls, 'call')} of the network"
            if waves.batch_size == 1:
                yield [("calls   ", STRONG), (f"{calls}, one row each", "")]
                continue
            rows = waves.calls * waves.batch_size
            words = f"{waves.rows} of {rows} rows in use ({waves.fullness:.0%})"
            yield [("waves   ", STRONG), (f"{words}: {calls}, {waves.batch_size} rows each", "")]
        yield []
    if plan.nodes is not None:
        yield [("nodes   ", STRONG), (clean(plan.nodes.where), "")]
        yield [("        ", ""), (_workers(plan, plan.nodes.room), "")]
        yield [("        ", ""), (clean(plan.nodes.policy), FAINT)]
        yield []
    if plan.cache is not None:
        yield from _cache(plan.cache, plan)
        yield []
    if plan.cards is not None:
        yield from _cards(plan.cards)
        yield []
    for warning in plan.warnings:
        for number, text in enumerate(render_text([warning]).splitlines()):
            yield [(text, WARN if number == 0 else "")]
        yield []
    yield [(count_line(plan), STRONG)]


def _cache(cache: CacheAccount, plan: Plan) -> Iterator[Line]:
    """What a run would fetch from the team's cache, and whose results that takes."""
    fetch = plan.to_fetch
    told = "nothing to fetch"
    if fetch:
        told = f"{numbers.size(sum(o.size for o in fetch))} to fetch"
        told += f" for {numbers.count(plan.count(State.REMOTE), 'action')}"
    yield [
        ("cache   ", STRONG),
        (f"{clean(cache.url)}: ", ""),
        (f"{told}", State.REMOTE.style if fetch else ""),
        (f" ({cache.why or 'read and written'}; named in {clean(cache.source)})", FAINT),
    ]
    yield [("        ", ""), (cache.policy, FAINT)]


def _cards(table: CardTable) -> Iterator[Line]:
    """What a recipe would be on cards that are not here, one line a step."""
    for source, parts in table.models:
        counted = ", ".join(f"{part} {count:,}" for part, count in parts)
        if counted:
            total = sum(count for _, count in parts)
            yield [
                ("model   ", STRONG),
                (f"{clean(source)}: {total:,} parameters", ""),
                (f" ({counted})", FAINT),
            ]
    width = max((len(choice.step) for choice in table.choices), default=0)
    shown = None
    for choice in table.choices:
        name = f"{choice.gigabytes} GB" if choice.gigabytes != shown else ""
        shown = choice.gigabytes
        style = "" if choice.mode.enough else WARN
        yield [
            (f"{name:<8}", STRONG),
            (f"{clean(choice.step):<{width}}  {choice.work:<8}  ", ""),
            (choice.words, style),
        ]
    yield [
        ("on one  ", STRONG),
        (numbers.about(table.seconds), ""),
        (" (a low guess: no history)", FAINT),
    ]


def _workers(plan: Plan, room: Room) -> str:
    """Say how many workers there will be elsewhere, as far as anybody knows."""
    words = f"at most {numbers.count(room.workers, 'worker')} of a kind at once"
    if room.now is not None and room.machines is not None:
        machines = numbers.count(room.machines, "machine")
        words += f", and room for {room.now} now, on {machines}" if room.now else ", no room now"
    work = ", ".join(f"{number} of {kind}" for kind, number in workers_at_once(plan).items())
    return f"{words}; this plan has work for {work or 'none'}"
