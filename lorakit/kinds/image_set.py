"""Which pictures a training shows and which it holds out, at which sizes, in which order: pure."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from lorakit.facts.pictures.picture import Picture
from lorakit.language.recipe.documents import TrainImageStep
from lorakit.language.recipe.trainings import DataSource
from lorakit.plan import numbers
from lorakit.plan.buckets import PictureOrder, bucket_of, in_words
from lorakit.plan.kind import Context
from lorakit.plan.seeds import derive
from lorakit.plan.tasks.encode import View
from lorakit.records import record

_SHOWN = 3  # sizes and captions that a plan prints
_FINE = 512  # px; below that side buckets come in steps of half the size
MIDDLE: View = (0, 0.5, 0.5)


@record
class Sample:
    """A picture at the size (width, height) it is trained at; `prior` is what shall not be forgotten."""

    picture: Picture
    bucket: tuple[int, int]
    prior: bool = False


@record
class ImageSet:
    """What a training sees: `samples`, and by `schedule` which of them each place of an epoch shows."""

    samples: tuple[Sample, ...]
    held_out: tuple[Sample, ...]
    schedule: tuple[int, ...]
    order: PictureOrder
    repeats: tuple[int, ...]  # of each sample that is not prior

    def lines(self) -> Iterator[str]:
        """Coverage and sizes in words."""
        own = [sample.bucket for sample in self.samples if not sample.prior]
        prior = len(self.samples) - len(own)
        shown = list(in_words(own))
        rest = len(shown) - _SHOWN
        more = f", and {numbers.count(rest, 'more size')}" if rest > 0 else ""
        same = set(self.repeats)
        often = f", each {max(same)} times an epoch" if len(same) == 1 and max(same) > 1 else ""
        if self.held_out:
            names = ", ".join(_name(sample) for sample in self.held_out[:_SHOWN])
            rest = len(self.held_out) - _SHOWN
            yield f"{len(self.held_out)} held out: {names}{f' and {rest} more' if rest > 0 else ''}"
        if len(own) == 1:
            used = "the other picture used" if self.held_out else "its one picture used"
        else:
            used = f"{'the other' if self.held_out else 'all'} {len(own):,} pictures used"
        yield f"{used}{often}: {', '.join(shown[:_SHOWN])}{more}"
        if len(same) > 1:
            folders = Counter(
                (Path(sample.picture.name).parent.name, times)
                for sample, times in zip(self.samples, self.repeats, strict=False)
            )
            for (folder, times), count in list(folders.items())[:_SHOWN]:
                yield f"{folder}: {numbers.count(count, 'picture')}, each {times} times an epoch"
        if prior:
            times = len(self.schedule) - sum(self.repeats)
            yield (
                f"{numbers.count(prior, 'picture')} of what it shall not forget, shown "
                f"{'once' if times == 1 else f'{times:,} times'} an epoch"
            )
        for sample in self.samples[:_SHOWN]:
            yield f"{_name(sample)}: {sample.picture.caption}"


def _name(sample: Sample) -> str:
    return sample.picture.name or sample.picture.file.name


def image_set(step: TrainImageStep, context: Context) -> ImageSet:
    """Settle what a step sees; the same for the same seed, whatever the folder's place.

    Nothing, where a data set has not been downloaded yet.
    """
    seed = context.project.recipe.seed if step.seed is None else step.seed
    source = context.project.recipe.datasets[step.data]
    facts = [context.facts.pictures[name] for name in (step.data, step.prior_data) if name]
    if any(one.digest is None for one in facts):
        return ImageSet((), (), (), PictureOrder([], step.train.batch_size, seed), ())
    chosen = _limited(context.facts.pictures[step.data].pictures, source, seed)
    count = held_out_count(source, len(chosen))
    out = set(_drawn(chosen, count, seed, "held out"))
    shape = _Shape(step, context)
    own = [shape.sample(p) for place, p in enumerate(chosen) if place not in out]
    given = "repeats" in dict(source.places)
    often = [source.repeats if given else sample.picture.repeats for sample in own]
    schedule = [number for number, times in enumerate(often) for _ in range(times)]
    prior: list[Sample] = []
    if step.prior_data:
        other = context.project.recipe.datasets[step.prior_data]
        pictures = _limited(context.facts.pictures[step.prior_data].pictures, other, seed)
        prior = [shape.sample(p, prior=True) for p in pictures]
        turn = itertools.cycle(range(len(own), len(own) + len(prior)))
        # where there are more of them than places, each is shown all the same
        schedule += itertools.islice(turn, max(len(schedule), len(prior)))
    samples = (*own, *prior)
    order = PictureOrder([samples[s].bucket for s in schedule], step.train.batch_size, seed)
    held_out = tuple(shape.sample(p) for place, p in enumerate(chosen) if place in out)
    return ImageSet(samples, held_out, tuple(schedule), order, tuple(often))


def held_out_count(source: DataSource, count: int) -> int:
    """How many of so many pictures are held out: few as they are, none unless the recipe says so."""
    if "test_size" not in dict(source.places):
        return 0
    size = source.test_size
    return int(size) if size >= 1 else max(1, int(size * count + 1e-9))


def views(step: TrainImageStep, seed: int, picture: Picture) -> list[View]:
    """The cuts of a picture, plain and mirrored, of which a step shows one."""
    cuts = [MIDDLE]
    if step.random_crops > 1:
        cuts = []
        for number in range(step.random_crops):
            drawn = derive(seed, "crop", picture.digest, number)
            across, down = drawn % 1001 / 1000, drawn // 1001 % 1001 / 1000
            cuts.append((0, across, down))
    flips = (0, 1) if step.random_flip else (0,)
    return [(flip, across, down) for flip in flips for _, across, down in cuts]


class _Shape:
    """The size that each picture of a step is trained at."""

    def __init__(self, step: TrainImageStep, context: Context) -> None:
        model = context.facts.models[step.model]
        width, height = model.native
        self._area = step.resolution**2 if step.resolution else width * height
        self._unit = model.vae_factor * (8 if math.sqrt(self._area) >= _FINE else 4)
        self._square = step.center_crop

    def sample(self, picture: Picture, *, prior: bool = False) -> Sample:
        size = (1, 1) if self._square else picture.size
        return Sample(picture, bucket_of(size, self._area, self._unit), prior)


def _limited(pictures: Sequence[Picture], source: DataSource, seed: int) -> list[Picture]:
    if source.limit is None:
        return list(pictures)
    return [pictures[place] for place in sorted(_drawn(pictures, source.limit, seed, "limit"))]


def _drawn(pictures: Sequence[Picture], count: int, seed: int, why: str) -> list[int]:
    """The places of so many pictures: which ones depends on the seed and on their names alone."""
    ranks = [derive(seed, why, picture.name) for picture in pictures]
    return sorted(range(len(pictures)), key=ranks.__getitem__)[:count]
