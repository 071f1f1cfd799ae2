"""Aspect buckets and batches of pictures: pure functions, that a plan counts with and a training goes by."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from lorakit.plan.seeds import derive
from lorakit.records import record


def bucket_of(size: tuple[int, int], area: int, unit: int) -> tuple[int, int]:
    """The (width, height) a picture is trained at: its own aspect, about `area` px, multiples of `unit`.

    Of the four sizes around the exact one that which cuts least off, and is not much larger or smaller.
    """
    aspect = size[0] / size[1]
    width, height = (area * aspect) ** 0.5, (area / aspect) ** 0.5

    def around(side: float) -> set[int]:
        return {max(unit, math.floor(side / unit) * unit), max(unit, math.ceil(side / unit) * unit)}

    def cost(bucket: tuple[int, int]) -> tuple[float, int]:
        cut = abs(math.log(bucket[0] / bucket[1] / aspect))
        return cut + abs(math.log(bucket[0] * bucket[1] / area)) / 2, bucket[0]

    return min(((w, h) for w in around(width) for h in around(height)), key=cost)


@record
class PictureOrder:
    """Which pictures stand in which batch: a function of (seed, epoch); every picture once an epoch.

    A batch is of one bucket; ragged last batches are kept. A picture that an epoch shows several times
    stands as often in `buckets`.
    """

    buckets: Sequence[tuple[int, int]]  # of each picture
    batch_size: int
    seed: int

    def _grouped(self) -> dict[tuple[int, int], list[int]]:
        groups: dict[tuple[int, int], list[int]] = {}
        for place, bucket in enumerate(self.buckets):
            groups.setdefault(bucket, []).append(place)
        return groups

    @property
    def per_epoch(self) -> int:
        """Batches in one epoch."""
        return sum(-(-len(members) // self.batch_size) for members in self._grouped().values())

    def epoch(self, number: int) -> list[list[int]]:
        """The batches of an epoch in order."""
        rng = np.random.Generator(np.random.PCG64(derive(self.seed, "order", number)))
        batches: list[list[int]] = []
        for members in self._grouped().values():
            mixed = [members[int(index)] for index in rng.permutation(len(members))]
            batches += [
                mixed[i : i + self.batch_size] for i in range(0, len(mixed), self.batch_size)
            ]
        return [batches[int(place)] for place in rng.permutation(len(batches))]

    def members(self, number: int) -> list[int]:
        """The pictures of batch `number`, counted over all epochs."""
        epoch, place = divmod(number, self.per_epoch)
        return self.epoch(epoch)[place]

    def seen(self, passes: int) -> int:
        """Pictures that go through the model in so many passes, repeats counted."""
        whole, rest = divmod(passes, self.per_epoch)
        return whole * len(self.buckets) + sum(map(len, self.epoch(whole)[:rest]))


def in_words(buckets: Sequence[tuple[int, int]]) -> Iterator[str]:
    """How many pictures are of which size, the fullest first."""
    for (width, height), count in sorted(Counter(buckets).items(), key=lambda b: (-b[1], b[0])):
        yield f"{count} at {width}x{height}"
