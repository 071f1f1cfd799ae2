"""Labelled texts: split, cut, numbered; what a plan counts and a training reads. Without torch."""

from __future__ import annotations

import random
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lorakit.facts.data.data_sets import HUB, DataError, no_split
from lorakit.facts.files.digests import Digests
from lorakit.facts.texts.text_files import Row, files_of, folder_of, rows_of
from lorakit.facts.texts.text_lengths import TextSample, sample_of
from lorakit.language.recipe.trainings import DataSource
from lorakit.language.yaml import names
from lorakit.records import record
from lorakit.store.canonical import digest_of


@record
class TextFacts:
    """A data set as a plan sees it; `digest` is None until it has been downloaded, and with it all else."""

    digest: str | None
    labels: tuple[str, ...] = ()
    train: int = 0
    test: int = 0
    characters: float = 100.0  # the mean length of a text
    longest: int = 1000  # characters of the longest
    sample: TextSample | None = None  # of those that are trained on
    train_counts: tuple[int, ...] = ()  # texts of each label
    test_counts: tuple[int, ...] = ()
    cut: bool = False  # what is held out was cut off by labels


# what the hub says of its most used data set, so that a plan without a network can count
_PUBLISHED = {
    "stanfordnlp/imdb": TextFacts(None, ("neg", "pos"), 25_000, 25_000, 1_300.0, 13_700),
}


@record
class Texts:
    """Texts, and for each the number of its label."""

    texts: tuple[str, ...]
    labels: tuple[int, ...]

    def counts(self, labels: int) -> tuple[int, ...]:
        """How many texts each of so many labels has."""
        found = Counter(self.labels)
        return tuple(found[number] for number in range(labels))


@record
class Splits:
    """What is trained on and what is held out; `cut` where one was cut off the other by labels."""

    labels: tuple[str, ...]
    train: Texts
    test: Texts
    cut: bool = False


def text_facts(
    source: DataSource, digests: Digests, *, seed: int = 0, download: bool = False
) -> TextFacts:
    """The facts of one data set; `seed` decides what a limit leaves of it. Raises DataError."""
    place = folder_of(source, download=download)
    if place is None:
        published = _PUBLISHED.get(source.texts.removeprefix(HUB), TextFacts(None))
        return replace(published, labels=source.labels or published.labels)
    splits = read(source, place, seed)
    try:
        whole = place.is_dir()
        return facts_of(
            splits, digests.files(place, files_of(place)) if whole else digests.file(place)
        )
    except OSError as error:
        raise DataError("data", "texts", f"{place} cannot be read: {error.strerror}") from error


def facts_of(splits: Splits, digest: str) -> TextFacts:
    """What a plan needs to know of texts that were read; `digest` is of what they were read from."""
    every = splits.train.texts + splits.test.texts
    return TextFacts(
        digest,
        splits.labels,
        len(splits.train.texts),
        len(splits.test.texts),
        sum(map(len, every)) / max(1, len(every)),
        max(map(len, every), default=0),
        sample_of(splits.train.texts),
        splits.train.counts(len(splits.labels)),
        splits.test.counts(len(splits.labels)),
        splits.cut,
    )


def read(source: DataSource, place: Path, seed: int) -> Splits:
    """All texts, split, cut to the limit, labels numbered. Raises DataError."""
    found, known = rows_of(source, place)
    *parts, cut = _parts(found, source, seed)
    # of all rows: what a limit leaves depends on the seed, and the head must not
    labels = source.labels or known or _labels_of(row for rows in parts for row in rows)
    if not source.labels and not known:
        key = "columns.label" if "columns.label" in dict(source.places) else "texts"
        _check_twins(labels, Counter(_word(row[1]) for rows in parts for row in rows), key)
    if len(labels) < 2:
        raise DataError(
            "labels",
            "columns.label",
            f"all texts have the label {names.listed(labels) or 'of nothing'}: nothing to tell apart",
        )
    train, test = (
        _limited(rows, source.limit, _rng(seed, f"limit {number}"))
        for number, rows in enumerate(parts)
    )
    return Splits(
        labels, _numbered(train, labels, source), _numbered(test, labels, source), cut=cut
    )


def _parts(
    found: Mapping[str, list[Row]], source: DataSource, seed: int
) -> tuple[list[Row], list[Row], bool]:
    """What is trained on and what is scored, and whether one was cut.

    They are two splits, or one that `test_size` cuts: the only one, or where `test_size` asks for it and no
    split is called as `test_split`.
    """
    if set(found) == {""}:
        return *_halves(found[""], source, seed), True
    named = dict(source.places)
    alone = len(found) == 1 and "test_split" not in named
    split = next(iter(found)) if alone and "split" not in named else source.split
    if split not in found:
        raise no_split(source, "split", found)
    if source.test_split in found and not alone:
        for name in (split, source.test_split):
            if not found[name]:
                raise DataError("data", "texts", f"{source.name}'s split {name} holds no texts")
        return found[split], found[source.test_split], False
    if alone or ("test_size" in named and "test_split" not in named):
        return *_halves(found[split], source, seed), True
    others = [name for name in found if name != split]
    cut = f"write test_size: {source.test_size:g}, which cuts {split}"
    raise no_split(source, "test_split", others, cut if "test_split" not in named else "")


def _halves(rows: list[Row], source: DataSource, seed: int) -> tuple[list[Row], list[Row]]:
    if len(rows) < 2:
        raise DataError(
            "test-size",
            "texts",
            f"{source.name} holds {len(rows)} text: none would be left to train on or to score",
            "add more: a training needs texts of two labels at least",
        )
    held = source.test_size
    count = round(held * len(rows)) if held < 1 else round(held)
    if not 0 < count < len(rows):
        raise DataError(
            "test-size",
            "test_size",
            f"{count} of {len(rows)} texts would be held out, which leaves "
            f"{'none to score' if count <= 0 else 'none to train on'}",
            "write a share such as test_size: 0.2",
        )
    test = set(_stratified([_word(label) for _, label in rows], count, _rng(seed, "split")))
    return (
        [row for number, row in enumerate(rows) if number not in test],
        [row for number, row in enumerate(rows) if number in test],
    )


def _stratified(labels: Sequence[str], count: int, rng: random.Random) -> list[int]:
    """The places of so many samples, of each label as large a share as of all: the largest remainders' way.

    A label of two samples or more has one on either side, where there is room for it.
    """
    members: dict[str, list[int]] = {}
    for place, label in enumerate(labels):
        members.setdefault(label, []).append(place)
    words = sorted(members)
    exact = {word: len(members[word]) * count / len(labels) for word in words}
    least = {word: int(len(members[word]) > 1) if count >= len(words) else 0 for word in words}
    most = {word: len(members[word]) - int(len(members[word]) > 1) for word in words}
    share = {word: min(max(int(exact[word]), least[word]), most[word]) for word in words}
    while sum(share.values()) != count:
        step = 1 if sum(share.values()) < count else -1
        able = [w for w in words if (share[w] < most[w] if step > 0 else share[w] > least[w])]
        # a few labels may have to give up their last
        able = able or [w for w in words if (share[w] < len(members[w]) if step > 0 else share[w])]
        share[max(able, key=lambda word: step * (exact[word] - share[word]))] += step
    return [place for word in words for place in rng.sample(members[word], share[word])]


def _rng(seed: int, what: str) -> random.Random:
    return random.Random(digest_of([seed, what]))  # noqa: S311 - no secret


def _limited(rows: list[Row], limit: int | None, rng: random.Random) -> list[Row]:
    if limit is None or limit >= len(rows):
        return rows
    chosen = rng.sample(range(len(rows)), limit)
    return [rows[number] for number in sorted(chosen)]


def _word(label: object) -> str:
    """A label as it is called: whole numbers are, however a table keeps them."""
    word = str(label)
    return word.partition(".")[0] if re.fullmatch(r"-?[0-9]+\.0+", word) else word


def _labels_of(rows: Iterable[Row]) -> tuple[str, ...]:
    words = {_word(row[1]) for row in rows}
    if all(re.fullmatch(r"-?[0-9]+", word) for word in words):
        return tuple(str(n) for n in sorted(set(map(int, words))))
    return tuple(sorted(words))


def _check_twins(labels: Sequence[str], counts: Mapping[str, int], key: str) -> None:
    """Raise DataError where two labels are one but for capitals, spaces or how letters are encoded."""
    alike: dict[str, list[str]] = {}
    for label in labels:
        plain = " ".join(unicodedata.normalize("NFKC", label).casefold().split())
        alike.setdefault(plain, []).append(label)
    for twins in (group for group in alike.values() if len(group) > 1):
        first, *others = sorted(twins, key=lambda word: (-counts[word], labels.index(word)))
        texts = f"{counts[first]:,} text{'s'[: counts[first] != 1]}"
        *listed, last = [f"'{word}' ({counts[word]:,})" for word in others]
        quoted, few = f"'{first}'", len(twins) == 2
        differ = len({unicodedata.normalize("NFC", word) for word in twins}) > 1
        raise DataError(
            "labels",
            key,
            f"the labels {', '.join([f'{quoted} ({texts})', *listed])} and {last} "
            f"would be {'two' if few else len(twins)} classes",
            f"write '{first}' everywhere; or name {'both' if few else 'all'} in labels, if "
            f"{'two' if few else 'they'} are meant"
            if differ
            else "they look alike, and their accents are encoded in two ways: save the file in one (NFC)",
        )


def _number(label: object, numbers: Mapping[str, int]) -> int | None:
    """Which of the labels one is: by its name, or by counting along them from 0; False is 0."""
    word = _word(label)
    if word in numbers:
        return numbers[word]
    if isinstance(label, bool):
        return int(label)
    return int(word) if re.fullmatch(r"[0-9]+", word) and int(word) < len(numbers) else None


def _numbered(rows: Sequence[Row], labels: Sequence[str], source: DataSource) -> Texts:
    numbers = {label: number for number, label in enumerate(labels)}
    found = []
    for _, label in rows:
        number = _number(label, numbers)
        if number is None:
            word = _word(label)
            raise DataError(
                "unknown-label",
                "labels",
                f"{source.name} holds the label {word}, which labels does not name",
                f"if {near} means it, write {word} there; if it is a class of its own, add it"
                if (near := names.nearest(word, labels))
                else f"labels names {names.listed(labels)}; leave it out to take all that occur",
            )
        found.append(number)
    return Texts(tuple(text for text, _ in rows), tuple(found))
