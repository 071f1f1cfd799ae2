"""What the views of a comparison say alike: counts, values, the time."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lorakit.diff.report import Relation, noun_of
from lorakit.diff.words import compared
from lorakit.plan import numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lorakit.diff.report import ActionChange, Comparison, DocumentDiff, Side, ValueChange
    from lorakit.diff.words import Piece

MOST_VALUES = 40  # lines of a document's changed values; all are in the JSON
_LONG, _KEPT = 60, 24  # characters of a stretch that stays, and of its ends that are shown


def became(change: ActionChange) -> str:
    """Say what became of an action: frames are drawn, all else is made."""
    if change.relation is Relation.AGAIN and noun_of(change.action) != "frame":
        return "made again"
    return change.relation.word


def counted(nouns: Mapping[str, int]) -> str:
    """Say how many of what: `3 frames, 1 film`."""
    return ", ".join(numbers.count(number, noun) for noun, number in nouns.items())


def sums(document: DocumentDiff) -> Iterator[str]:
    """Yield what became of a document's actions: `2 frames drawn again`, `7 frames stay`."""
    for relation in Relation:
        nouns = document.counts(relation)
        frames = nouns.get("frame", 0)
        others = {noun: number for noun, number in nouns.items() if noun != "frame"}
        if relation is Relation.SAME:
            whole = {"frame": frames} | others if frames else others
            if whole:
                yield f"{counted(whole)} {'stays' if sum(whole.values()) == 1 else 'stay'}"
        elif relation is Relation.AGAIN:
            if frames:
                yield f"{counted({'frame': frames})} drawn again"
            if others:
                yield f"{counted(others)} made again"
        elif nouns:
            yield f"{counted(nouns)} {relation.word}"


def to_make(document: DocumentDiff) -> str:
    """Say what a run makes, and for how long: `3 of 27 to make: 1 frame, 1 film, about 8 s`."""
    todo = [one.action for one in document.to_make]
    every = [one for one in document.actions if one.relation is not Relation.GONE]
    if not todo:
        return "nothing to make"
    what = counted(Counter(noun_of(action) for action in todo))
    alone = ""
    changed = any(document.having(Relation.AGAIN, Relation.NEW))
    if changed and not document.all_else_made and document.before.planned:
        alone = f"; the change alone {numbers.about(document.change_seconds)}"
    return f"{len(todo):,} of {len(every):,} to make: {what}, {time_of(document)}{alone}"


def kept_words(document: DocumentDiff) -> str:
    """Say how much is in the store although it differs, or missing although it does not; maybe empty."""
    there = Counter(
        noun_of(one.action)
        for one in document.having(Relation.AGAIN, Relation.NEW)
        if not one.to_make
    )
    missing = Counter(
        noun_of(one.action) for one in document.having(Relation.SAME, Relation.MOVED) if one.to_make
    )
    parts = []
    if there:
        parts.append(f"in the store already: {counted(there)}")
    if missing:
        parts.append(f"not made yet, although nothing changes: {counted(missing)}")
    return "; ".join(parts)


def one_side(side: Side) -> str:
    """Say what a side comes to that has nothing to be compared with."""
    nouns = Counter(noun_of(p.action) for p in side.actions)
    todo = sum(p.state.to_make for p in side.actions)
    return f"{counted(nouns)}; {todo:,} to make"


def time_of(counted_one: DocumentDiff | Comparison) -> str:
    """Say how long that takes."""
    guess = "" if counted_one.measured else " (a first guess: no history on this machine yet)"
    return f"{numbers.about(counted_one.seconds)}{guess}"


def path_of(change: ValueChange) -> str:
    """Name a value by the keys that lead to it."""
    return ".".join(change.path) or "the document"


def pieces_of(change: ValueChange) -> list[Piece]:
    """Compare a value's words, long stretches that stay cut in their middle."""
    before, after = change.before, change.after
    if before is None:
        return [("new", after or "")]
    if after is None:
        return [("gone", before)]
    if not change.prose:
        return [("gone", before), ("new", after)]
    pieces = list(compared(before, after))
    return [
        (what, _cut(text, first=n == 0, last=n + 1 == len(pieces)) if what == "same" else text)
        for n, (what, text) in enumerate(pieces)
    ]


def _cut(text: str, *, first: bool, last: bool) -> str:
    if len(text) <= _LONG:
        return text
    start = "" if first else text[:_KEPT].rpartition(" ")[0]
    end = "" if last else text[-_KEPT:].partition(" ")[2]
    return f"{start} … {end}".lstrip() if first else f"{start} … {end}".rstrip()


def marked(pieces: Iterable[Piece]) -> str:
    """Write a comparison of words in one line, as git's --word-diff does."""
    signs = {"same": "{}", "gone": "[-{}-]", "new": "{{+{}+}}"}
    return "".join(signs[what].format(text) for what, text in pieces)
