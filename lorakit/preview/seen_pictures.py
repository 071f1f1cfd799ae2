"""A data set of pictures as a training on it will see each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lorakit.diagnostics import Diagnostic, LorakitError
from lorakit.facts.data.data_sets import DataError
from lorakit.facts.facts import Facts
from lorakit.facts.files.digests import Unread
from lorakit.facts.gather import inside
from lorakit.facts.machine.this_machine import this_machine
from lorakit.facts.models.model_configs import ModelError
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.facts.models.model_lookup import model_facts
from lorakit.facts.models.tokens import TokenCounter
from lorakit.facts.pictures.cut_picture import cut_of
from lorakit.facts.pictures.passed_over import PassedOver, passed_over
from lorakit.facts.pictures.picture import Picture, PictureFacts
from lorakit.facts.pictures.picture_data import folder_of, picture_facts
from lorakit.facts.pictures.picture_folders import MOST_CAPTION
from lorakit.facts.pictures.picture_memory import unreadable
from lorakit.facts.pictures.picture_tables import in_tables
from lorakit.kinds import image_checks
from lorakit.kinds.image_set import ImageSet, Sample, image_set
from lorakit.language.recipe.documents import TrainImageStep
from lorakit.plan.kind import Context
from lorakit.preview.alike import groups, pairs
from lorakit.preview.looks import Look
from lorakit.preview.picture_doubts import findings
from lorakit.preview.seen_picture import Alike, SeenPicture
from lorakit.preview.thumbnails import Progress, Thumbnail, ThumbnailSource, thumbnails
from lorakit.records import record
from lorakit.store.store import Store

_TAGGED = 3  # parts between commas that a caption of tags has at least
_MOST_TAGS = 60


@record
class SeenPictures:
    """All of a data set. `folder` holds the thumbnails, `tokens_read` is what the model reads of a caption.

    `findings` are what would stop a training, and what its author may not expect; `lacking` the pictures
    without a caption where each needs one; `tags` parts of captions between commas with how many have them.
    """

    look: Look
    model: ModelFacts
    place: Path
    folder: Path
    pictures: tuple[SeenPicture, ...]
    tokens_read: int
    alike: tuple[Alike, ...] = ()
    passed: tuple[PassedOver, ...] = ()
    findings: tuple[Diagnostic, ...] = ()
    lacking: tuple[str, ...] = ()
    tags: tuple[tuple[str, int], ...] = ()
    in_tables: bool = False

    @property
    def ways(self) -> int:
        """In how many ways each is cut, plain and mirrored; a training shows one of them each time."""
        step = self.look.step
        assert isinstance(step, TrainImageStep)
        return max(1, step.random_crops) * (1 + step.random_flip)

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """What would stop a training."""
        return tuple(one for one in self.findings if one.severity == "error")

    @property
    def buckets(self) -> list[tuple[tuple[int, int], list[SeenPicture]]]:
        """The pictures by the size that they are trained at, the fullest first."""
        found: dict[tuple[int, int], list[SeenPicture]] = {}
        for one in self.pictures:
            found.setdefault(one.bucket, []).append(one)
        return sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))


def place_of(look: Look, *, download: bool) -> Path:
    """Where a data set of pictures is. Raises DataError, LorakitError where it is not here."""
    place = folder_of(look.source, download=download)
    if place is None:
        raise LorakitError(
            f"{look.source.images} is not on this machine yet: --download fetches it, and so does a run"
        )
    return place


def found_pictures(
    look: Look, *, download: bool = False, wrong: list[DataError] | None = None
) -> PictureFacts:
    """The pictures of a look as `lorakit validate` reads them, those of tables kept. Raises LorakitError."""
    store = Store(look.project.home)
    with inside(look.project, look.reads):
        return picture_facts(
            look.source,
            Unread(),
            store,
            download=download,
            keep=False,
            keep_rows=True,
            wrong=wrong,
        )


def seen_pictures(
    look: Look, folder: Path, progress: Progress, *, download: bool = False
) -> SeenPictures:
    """Look at all pictures of a data set; thumbnails go into `folder`. Raises LorakitError."""
    assert isinstance(look.step, TrainImageStep)
    place, wrong = place_of(look, download=download), list[DataError]()
    facts = found_pictures(look, download=download, wrong=wrong)
    pictures = tuple(replace(p, caption=p.caption[:MOST_CAPTION]) for p in facts.pictures)
    model = _model(look, download=download)
    context = _context(look, model, replace(facts, pictures=pictures), download=download)
    image = image_set(look.step, context)
    chosen = _samples(look, image)
    with inside(look.project, look.reads):
        made = thumbnails(
            [ThumbnailSource(s.picture.file, s.picture.size, s.bucket) for s, _ in chosen],
            folder,
            progress,
        )
        rows = in_tables(place, look.source)
        used = {p.file for p in pictures} | {p.mask for p in pictures if p.mask}
        passed = [] if rows else list(passed_over(place, look.source, used))
    torn = [one.trouble for one in made if one.trouble]
    if torn:
        wrong.append(unreadable(torn))
    counter = context.facts.counters.get(look.step.model)
    seen = _seen(chosen, made, image, counter)
    alike = tuple(_alike(seen))
    names = {sample.picture.name for sample, _ in chosen}
    left = [
        PassedOver(p.name, f"limit: {look.source.limit} leaves it out")
        for p in pictures
        if p.name not in names
    ]
    passed += [PassedOver(s.name, "it cannot be read") for s in seen if s.thumbnail.trouble]
    each = "{caption}" in look.source.caption
    lacking = tuple(p.name for p in pictures if p.own is None) if each else ()
    return SeenPictures(
        look,
        model,
        place,
        folder,
        tuple(one for one in seen if not one.thumbnail.trouble),
        image_checks.tokens_read(look.step, context),
        alike,
        (*passed, *(left if look.source.limit and not look.prior else ())),
        tuple(findings(look, context, image, wrong, alike, seen, lacking, rows=rows)),
        lacking,
        tuple(_tags(seen)),
        rows,
    )


def _model(look: Look, *, download: bool) -> ModelFacts:
    source = look.project.recipe.models[look.step.model]
    try:
        with inside(look.project, look.reads):
            return model_facts(source, Unread(), download=download)
    except ModelError as error:
        raise LorakitError("; ".join((str(error), *error.hints))) from error


def _context(look: Look, model: ModelFacts, facts: PictureFacts, *, download: bool) -> Context:
    step = look.step
    assert isinstance(step, TrainImageStep)
    pictures = {look.data: replace(facts, digest="")}
    others = {step.data, step.prior_data} - {look.data, ""}
    for name in others:  # the step's other data set, of which only what it is counts
        other = replace(look, data=name)
        pictures[name] = found_pictures(other, download=download, wrong=[])
    counters = {}
    if model.tokenizer is not None:
        counters[step.model] = TokenCounter(
            model.tokenizer, model.token_limit, marks=model.words.marks
        )
    known = Facts(
        this_machine(), {step.model: model}, {}, timings={}, counters=counters, pictures=pictures
    )
    return Context(look.project, known)


def _samples(look: Look, image: ImageSet) -> list[tuple[Sample, bool]]:
    """The samples of a look, and of each whether it is held out; in the order of their names."""
    if look.prior:
        return [(sample, False) for sample in image.samples if sample.prior]
    own = [(sample, False) for sample in image.samples if not sample.prior]
    both = [*own, *((sample, True) for sample in image.held_out)]
    return sorted(both, key=lambda one: one[0].picture.name)


def _seen(
    chosen: Sequence[tuple[Sample, bool]],
    made: Sequence[Thumbnail],
    image: ImageSet,
    counter: TokenCounter | None,
) -> list[SeenPicture]:
    often = dict(zip((id(s.picture) for s in image.samples), image.repeats, strict=False))
    captions = list(dict.fromkeys(sample.picture.caption for sample, _ in chosen))
    tokens: Mapping[str, int] = {}
    if counter is not None:
        tokens = dict(zip(captions, counter.counts(captions), strict=True))
    return [
        _seen_one(sample, held, thumbnail, often, tokens)
        for (sample, held), thumbnail in zip(chosen, made, strict=True)
    ]


def _seen_one(
    sample: Sample,
    held: bool,
    thumbnail: Thumbnail,
    often: Mapping[int, int],
    tokens: Mapping[str, int],
) -> SeenPicture:
    picture = sample.picture
    cut = cut_of(picture.size, sample.bucket)
    return SeenPicture(
        name=_name(picture),
        file=picture.file,
        size=picture.size,
        bucket=sample.bucket,
        lost=cut.lost,
        scale=cut.scale,
        caption=picture.caption,
        own=picture.own,
        tokens=tokens.get(picture.caption),
        repeats=often.get(id(picture), 1),
        held_out=held,
        converted=picture.converted,
        several=picture.several,
        mask=picture.mask is not None,
        thumbnail=thumbnail,
    )


def _name(picture: Picture) -> str:
    return picture.name or picture.file.name


def _alike(seen: Sequence[SeenPicture]) -> Iterator[Alike]:
    known = [one for one in seen if one.thumbnail.fingerprint is not None]
    found = list(pairs([one.thumbnail.fingerprint for one in known if one.thumbnail.fingerprint]))
    how = {frozenset((pair.first, pair.second)): pair.how for pair in found}
    same = groups([pair for pair in found if pair.how != "mirrored"])
    for group in groups(found):
        # what is there most often, and of that the largest
        often = max((g for g in same if set(g) <= set(group)), key=len, default=group)
        first = max(often, key=lambda place: _worth(known[place]))
        rest = [place for place in group if place != first]
        told = {place: how.get(frozenset((first, place))) for place in rest}
        # like another of them, and that like the first
        told |= {p: "same picture" if p in often else "mirrored" for p in rest if told[p] is None}
        rest.sort(key=lambda place: told[place] == "mirrored")
        yield Alike(
            tuple(known[place].name for place in (first, *rest)),
            (None, *(told[place] for place in rest)),
            sum(len(g) - 1 for g in same if set(g) <= set(group)),
        )


def _worth(one: SeenPicture) -> tuple[int, int, int]:
    """Which of several that are alike to keep: the most pixels, the least compressed, the shortest name."""
    print_ = one.thumbnail.fingerprint
    return one.size[0] * one.size[1], print_.bytes if print_ else 0, -len(one.name)


def _tags(seen: Sequence[SeenPicture]) -> Iterator[tuple[str, int]]:
    """Parts of captions between commas, the commonest first, where most captions are made of such."""
    parts = [{part.strip() for part in one.caption.split(",") if part.strip()} for one in seen]
    tagged = [found for found in parts if len(found) >= _TAGGED]
    if 2 * len(tagged) <= len(parts):
        return
    counted = Counter(part for found in tagged for part in found)
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    yield from ranked[:_MOST_TAGS]
