"""What pages of pictures and of texts share: their head, what stands in the way, how long texts are. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lorakit.diagnostics import in_order
from lorakit.pages.findings import finding
from lorakit.pages.parts import Curve, Fact, Page, Section, Series
from lorakit.plan import numbers
from lorakit.preview.seen import Seen

_BINS = 24
_FEW = 12  # texts, whose lengths need no curve


def page(seen: Seen, facts: Sequence[Fact], sections: Sequence[Section]) -> Page:
    """A page of a data set with its findings first."""
    look = seen.look
    errors = len(seen.errors)
    by = f"as the step {look.step.name} sees it" if look.asked else "before a training"
    prior = ", what it shall not forget" if look.prior else ""
    return Page(
        title=f"{look.called}, a data set",
        kicker=f"Data set, {by}{prior}",
        heading=look.called,
        lead=f"A training would stop: {numbers.count(errors, 'error')}"
        if errors
        else "A training can begin",
        tone="failed" if errors else "made",
        facts=facts,
        sections=[section for section in _in_order(seen, sections) if section.parts],
        foot=look.source.texts or look.source.images,
    )


def _in_order(seen: Seen, sections: Sequence[Section]) -> Iterator[Section]:
    """What would stop a training, what there is to see, what its author may not expect."""
    warnings = [one for one in seen.findings if one.severity != "error"]
    if seen.errors:
        # the ways out of those without a caption have a section of their own
        told = (
            replace(d, hints=()) if d.code == "no-caption" else d for d in in_order(seen.errors)
        )
        shown = [finding(one) for one in told]
        yield Section("errors", "To mend", shown, "To mend", "A training stops at each of these")
    yield from sections
    if warnings:
        yield Section(
            "warnings", "To know", [finding(one) for one in in_order(warnings)], "To know"
        )


def lengths(title: str, tokens: Sequence[int], read: int, what: str) -> Iterator[Curve]:
    """How many texts have how many tokens, as a curve; of a few there is none."""
    if len(tokens) < _FEW or min(tokens) == max(tokens):
        return
    low, high = min(tokens), max(tokens)
    width = max(1, -(-(high - low + 1) // _BINS))
    counts = [0] * (-(-(high - low + 1) // width))
    for one in tokens:
        counts[(one - low) // width] += 1
    points = [(low + width * (n + 0.5) - 0.5, float(count)) for n, count in enumerate(counts)]
    middle = sorted(tokens)[len(tokens) // 2]
    longer = sum(one > read for one in tokens)
    facts = [
        Fact("Shortest", f"{low:,}"),
        Fact("In the middle", f"{middle:,}"),
        Fact("Longest", f"{high:,}"),
        Fact("Are read", f"{read:,}"),
        Fact("Longer than that", f"{longer:,}", tone="failed" if longer else ""),
    ]
    yield Curve(title, [Series(what, points, ends=False)], "tokens", what, facts)
