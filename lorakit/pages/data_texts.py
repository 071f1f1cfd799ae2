"""A data set of labelled texts as a page: labels, lengths, what is there twice. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from lorakit.pages import data_parts
from lorakit.pages.parts import Fact, Page, PageTable, Section
from lorakit.plan import numbers
from lorakit.preview.seen_texts import SeenTexts

_LONGEST = 300  # letters of a text
_MOST_REPEATED = 100


def texts_page(seen: SeenTexts) -> Page:
    """The page of a data set of texts."""
    trained, scored = seen.train.tokens, seen.test.tokens
    return data_parts.page(
        seen,
        list(_facts(seen)),
        [
            Section("labels", "Labels", [_labels(seen)], "Labels"),
            Section(
                "lengths",
                "Lengths",
                [
                    *data_parts.lengths("Texts that are trained on", trained, seen.read, "texts"),
                    *data_parts.lengths("Texts that it is scored by", scored, seen.read, "texts"),
                ],
                "Lengths",
                seen.model.source if seen.model else "",
            ),
            Section("texts", "Texts", list(_samples(seen)), "Texts"),
            Section("repeated", "There several times", list(_repeated(seen)), "Repeated"),
        ],
    )


def _facts(seen: SeenTexts) -> Iterator[Fact]:
    yield Fact("Trained on", f"{seen.train.texts:,}")
    yield Fact("Scored by", f"{seen.test.texts:,}")
    yield Fact("Labels", f"{len(seen.labels):,}")
    if seen.train.tokens:
        yield Fact("Longest", numbers.count(seen.train.tokens[0], "token"))
        yield Fact("Are read", numbers.count(seen.read, "token"))
    if seen.repeated:
        yield Fact("Repeated", numbers.count(len(seen.repeated), "text"))


def _labels(seen: SeenTexts) -> PageTable:
    every = max(1, seen.train.texts)
    rows = [
        (label, f"{train:,}", f"{train / every:.1%}", f"{test:,}")
        for label, train, test in zip(seen.labels, seen.train.counts, seen.test.counts, strict=True)
    ]
    head = ("Label", "Trained on", "Share", "Scored by")
    note = "What it is scored by was cut off, of each label the same share" if seen.cut else ""
    return PageTable("Labels and their texts", head, rows, frozenset((1, 2, 3)), note=note)


def _samples(seen: SeenTexts) -> Iterator[PageTable]:
    if not seen.samples:
        return
    rows = [
        (one.label, _short(one.text), "" if one.tokens is None else f"{one.tokens:,}")
        for one in sorted(seen.samples, key=lambda one: seen.labels.index(one.label))
    ]
    head = ("Label", "Text", "Tokens")
    yield PageTable("The first of each label", head, rows, frozenset((2,)))


def _repeated(seen: SeenTexts) -> Iterator[PageTable]:
    if not seen.repeated:
        return
    rows = [
        (_short(one.text), f"{one.trained:,}", f"{one.scored:,}", ", ".join(one.labels))
        for one in seen.repeated[:_MOST_REPEATED]
    ]
    more = len(seen.repeated) - len(rows)
    note = "The same but for capitals and spaces" + (
        f"; {more:,} more are not shown" if more else ""
    )
    head = ("Text", "Trained on", "Scored by", "Labels")
    strong = frozenset(
        n for n, one in enumerate(seen.repeated[: len(rows)]) if one.trained and one.scored
    )
    yield PageTable("Texts", head, rows, frozenset((1, 2)), strong, note)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
