"""Batches of pictures: which view, which words, which weight, all drawn from the batch's number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lorakit.facts.pictures.picture_data import has_word
from lorakit.plan.buckets import PictureOrder
from lorakit.plan.seeds import derive
from lorakit.plan.tasks.training import EncodedSample
from lorakit.training.image_data import Encodings


@dataclass(slots=True)
class ImageBatches:
    """Pictures with their captions, by the order that the plan counted with.

    `inputs` are files by role. `words` makes embeds of a caption where none were made before, and is None
    where the networks take captions as they are. `dropout` is the share without a caption.
    Where parts are shuffled, the first `keep` stay where they are, and those with the `trigger`.
    """

    samples: Sequence[EncodedSample]
    schedule: Sequence[int]
    order: PictureOrder
    inputs: Mapping[str, str]
    large: bool
    words: Callable[[str], Mapping[str, Tensor]] | None = None
    live: bool = False  # captions are handed on as they are
    empty: str | None = None
    dropout: float = 0.0
    shuffle: bool = False
    keep: int = 0
    trigger: str = ""
    prior_weight: float = 1.0
    _files: Encodings = field(default_factory=Encodings)

    def members(self, number: int) -> list[EncodedSample]:
        """The pictures of a batch."""
        return [self.samples[self.schedule[slot]] for slot in self.order.members(number)]

    def batch(self, number: int) -> dict[str, Any]:
        """Latents, words and weights of batch `number`."""
        chosen = self.members(number)
        rng = torch.Generator().manual_seed(derive(self.order.seed, "batch", number))
        chances = torch.rand(len(chosen), 2, generator=rng)
        places = [
            int(chance * len(sample.views))
            for chance, sample in zip(chances[:, 0].tolist(), chosen, strict=True)
        ]
        dropped = (chances[:, 1] < self.dropout).tolist()
        captions = [
            "" if drop else self._caption(sample, rng)
            for sample, drop in zip(chosen, dropped, strict=True)
        ]
        made = self.collated(chosen, places, captions, dropped)
        if any(sample.prior for sample in chosen):
            weights = [self.prior_weight if sample.prior else 1.0 for sample in chosen]
            made["weight"] = torch.tensor(weights)
        return made

    def collated(
        self,
        samples: Sequence[EncodedSample],
        places: Sequence[int],
        captions: Sequence[str],
        dropped: Sequence[bool],
    ) -> dict[str, Any]:
        """A batch of views by their places; all samples are of one bucket."""
        files = [self._files(self.inputs[sample.latents]) for sample in samples]
        batch: dict[str, Any] = {
            name: torch.stack(
                [file[name][place] for file, place in zip(files, places, strict=True)]
            )
            for name in ("mean", "logvar")
            if all(name in file for file in files)
        }
        if any("mask" in file for file in files):
            masks = [_mask(file, place) for file, place in zip(files, places, strict=True)]
            batch["mask"] = torch.stack(masks)
        if self.live:
            batch["captions"] = list(captions)
        else:
            words = [
                self._embeds(sample, caption, drop)
                for sample, caption, drop in zip(samples, captions, dropped, strict=True)
            ]
            batch |= {name: _together([one[name] for one in words]) for name in words[0]}
        if self.large:
            ids = [time_ids(sample, place) for sample, place in zip(samples, places, strict=True)]
            batch["time_ids"] = torch.tensor(ids, dtype=torch.float32)
        return batch

    def _embeds(self, sample: EncodedSample, caption: str, drop: bool) -> Mapping[str, Tensor]:
        if drop and self.empty is not None:
            return self._files(self.inputs[self.empty])
        if sample.embeds is not None and not drop and caption == sample.caption:
            return self._files(self.inputs[sample.embeds])
        assert self.words is not None
        return self.words(caption)

    def _caption(self, sample: EncodedSample, rng: torch.Generator) -> str:
        caption = sample.caption
        if not self.shuffle:
            return caption
        parts = [part.strip() for part in caption.split(",")]
        words = [word for word in map(str.strip, self.trigger.split(",")) if word]
        free = [
            place
            for place, part in enumerate(parts)
            if place >= self.keep and not any(has_word(part, word) for word in words)
        ]
        shown = list(parts)
        for place, other in zip(
            free, torch.randperm(len(free), generator=rng).tolist(), strict=True
        ):
            shown[place] = parts[free[other]]
        return ", ".join(shown)


def _together(rows: Sequence[Tensor]) -> Tensor:
    """Rows (1, T, ...) as one batch; where some have fewer places, zeros are behind them."""
    if len({row.shape[1] for row in rows}) == 1:
        return torch.cat(list(rows))
    return torch.nn.utils.rnn.pad_sequence([row[0] for row in rows], batch_first=True)


def _mask(file: Mapping[str, Tensor], place: int) -> Tensor:
    """What is learnt of a view, (1, h, w): all of it, where a picture has no mask."""
    if "mask" in file:
        return file["mask"][place]
    return torch.ones_like(file["mean"][place][:1])


def time_ids(sample: EncodedSample, place: int) -> list[int]:
    """SDXL's sizes of a view: the picture's own, where it was cut out of, and the bucket's."""
    (width, height), (across, down) = sample.size, sample.views[place][1:]
    target_width, target_height = sample.bucket
    scale = max(target_width / width, target_height / height)
    left = round((width * scale - target_width) * across)
    top = round((height * scale - target_height) * down)
    return [height, width, top, left, target_height, target_width]


def names(samples: Sequence[EncodedSample]) -> list[str]:
    """The pictures' files."""
    return [Path(sample.name).name for sample in samples]
