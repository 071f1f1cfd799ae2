"""A data set of labelled texts as a training on it will see it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lorakit.diagnostics import Diagnostic, LorakitError
from lorakit.facts.facts import Facts
from lorakit.facts.files.digests import Unread
from lorakit.facts.gather import inside
from lorakit.facts.machine.this_machine import this_machine
from lorakit.facts.models.model_configs import ModelError
from lorakit.facts.models.tokens import TokenCounter
from lorakit.facts.texts.text_data import Splits, Texts, facts_of, read
from lorakit.facts.texts.text_files import folder_of
from lorakit.facts.texts.text_models import TextModelFacts, text_model_facts
from lorakit.kinds import text_checks
from lorakit.language.recipe.build_recipe import MINILM
from lorakit.language.recipe.documents import TrainTextStep
from lorakit.plan import numbers
from lorakit.plan.kind import Context
from lorakit.preview.looks import Look
from lorakit.preview.thumbnails import Progress
from lorakit.records import record

_AT_ONCE = 500  # texts that are counted together
_SHOWN = 3  # texts of each label
_MOST_LABELS = 50  # whose texts are shown


@record
class SeenText:
    """A text with its label and its tokens, None where no tokenizer is here; `held_out` is scored by."""

    text: str
    label: str
    tokens: int | None
    held_out: bool


@record
class TextPart:
    """What is trained on, or what is scored: texts of each label, tokens of each text in falling order."""

    counts: tuple[int, ...]
    tokens: tuple[int, ...]

    @property
    def texts(self) -> int:
        """How many."""
        return sum(self.counts)


@record
class Repeated:
    """A text that is there several times, but for capitals and spaces: how often it is trained on and scored.

    `labels` are those that it has.
    """

    text: str
    trained: int
    scored: int
    labels: tuple[str, ...]


@record
class SeenTexts:
    """All of a data set; `read` tokens of a text are read, `samples` stand for each label."""

    look: Look
    model: TextModelFacts | None
    place: Path
    labels: tuple[str, ...]
    train: TextPart
    test: TextPart
    cut: bool
    read: int
    samples: tuple[SeenText, ...] = ()
    repeated: tuple[Repeated, ...] = ()
    findings: tuple[Diagnostic, ...] = ()

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """What would stop a training."""
        return tuple(one for one in self.findings if one.severity == "error")


def seen_texts(look: Look, progress: Progress, *, download: bool = False) -> SeenTexts:
    """Read all texts of a data set and count their tokens. Raises DataError, LorakitError."""
    step, source = look.step, look.source
    assert isinstance(step, TrainTextStep)
    project = look.project
    with inside(project, look.reads):
        place = folder_of(source, download=download)
        if place is None:
            raise LorakitError(
                f"{source.texts} is not on this machine yet: --download fetches it, and so does a run"
            )
        splits = read(source, place, project.recipe.seed)
        model, missing = _model(look, download=download)
        counter = None
        if model is not None and model.path is not None:
            words = model.path / "tokenizer.json"
            counter = TokenCounter(model.path, model.longest) if words.is_file() else None
        counted = _counted(splits, counter, progress)
    known = Facts(
        this_machine(),
        {},
        {},
        timings={},
        text_models={step.model: model} if model else {},
        data={look.data: facts_of(splits, "")},
    )
    context = Context(project, known)
    train, test = (
        TextPart(
            part.counts(len(splits.labels)),
            tuple(sorted((counted[text] for text in part.texts if text in counted), reverse=True)),
        )
        for part in (splits.train, splits.test)
    )
    most = min(step.max_length, (model.longest if model else 0) or step.max_length)
    repeated = tuple(_repeated(splits))
    return SeenTexts(
        look,
        model,
        place,
        splits.labels,
        train,
        test,
        splits.cut,
        most,
        tuple(_samples(splits, counted)),
        repeated,
        (*_findings(context, step, model), *missing, *_doubts(repeated, splits, look, context)),
    )


def _model(look: Look, *, download: bool) -> tuple[TextModelFacts | None, list[Diagnostic]]:
    """The model that reads the texts; None with the reason where none was asked for, and none is here."""
    source = look.project.recipe.models[look.step.model]
    try:
        return text_model_facts(source, Unread(), download=download), []
    except ModelError as error:
        if look.asked or look.step.model != MINILM:
            raise LorakitError("; ".join((str(error), *error.hints))) from error
        why = f"tokens are not counted: {error}"
        return None, [Diagnostic("no-tokenizer", why, hints=error.hints).as_warning()]


def _counted(splits: Splits, counter: TokenCounter | None, progress: Progress) -> Mapping[str, int]:
    """The tokens of each text; none where there is no tokenizer."""
    if counter is None:
        return {}
    every = list(dict.fromkeys((*splits.train.texts, *splits.test.texts)))
    found: dict[str, int] = {}
    for start in range(0, len(every), _AT_ONCE):
        some = every[start : start + _AT_ONCE]
        found.update(zip(some, counter.counts(some), strict=True))
        progress(len(found), len(every))
    return found


def _samples(splits: Splits, tokens: Mapping[str, int]) -> Iterator[SeenText]:
    """A few texts of each label: as they come in what is trained on."""
    shown = dict.fromkeys(range(min(len(splits.labels), _MOST_LABELS)), 0)
    for text, label in zip(splits.train.texts, splits.train.labels, strict=True):
        if shown.get(label, _SHOWN) < _SHOWN:
            shown[label] += 1
            yield SeenText(text, splits.labels[label], tokens.get(text), held_out=False)


def _repeated(splits: Splits) -> Iterator[Repeated]:
    """Texts that are there several times, those first that are scored as well as trained on."""
    found: dict[str, tuple[str, list[int], set[int]]] = {}
    for at, part in enumerate((splits.train, splits.test)):
        for text, label in _rows(part):
            plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
            _, counts, labels = found.setdefault(plain, (text, [0, 0], set()))
            counts[at] += 1
            labels.add(label)
    several = [
        Repeated(text, counts[0], counts[1], tuple(splits.labels[n] for n in sorted(labels)))
        for text, counts, labels in found.values()
        if sum(counts) > 1
    ]
    yield from sorted(several, key=lambda r: (not (r.trained and r.scored), -r.trained - r.scored))


def _rows(part: Texts) -> Iterator[tuple[str, int]]:
    yield from zip(part.texts, part.labels, strict=True)


def _findings(
    context: Context, step: TrainTextStep, model: TextModelFacts | None
) -> Iterator[Diagnostic]:
    yield from text_checks.labels(step, context)
    yield from text_checks.test_size(step, context)
    if model is not None:
        yield from text_checks.length(step, context)


def _doubts(
    repeated: Sequence[Repeated], splits: Splits, look: Look, context: Context
) -> Iterator[Diagnostic]:
    place = look.source.where("texts")
    both = sum(one.scored for one in repeated if one.trained and one.scored)
    if both:
        every = len(splits.test.texts)
        yield context.finding(
            "held-out-twin",
            f"{both:,} of {numbers.count(every, 'text')} that it is scored by "
            f"{'is' if both == 1 else 'are'} trained on as well: the score will be better than it should",
            place,
            "remove them from one of the two",
            warning=True,
        )
    torn = [one for one in repeated if len(one.labels) > 1]
    if torn:
        yield context.finding(
            "two-labels",
            f"{numbers.count(len(torn), 'text')} {'is' if len(torn) == 1 else 'are'} there with several "
            f"labels: '{_short(torn[0].text)}' is {' and '.join(torn[0].labels)}",
            place,
            "keep the label that is right",
            warning=True,
        )
    again = sum(max(0, one.trained - 1) for one in repeated)
    if again:
        yield context.finding(
            "duplicates",
            f"{numbers.count(again, 'text')} {'is' if again == 1 else 'are'} there before, but for capitals "
            "and spaces",
            place,
            "remove all but one: what is there twice is learnt twice as much",
            warning=True,
        )


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"
