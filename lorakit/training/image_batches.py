"""Batches of pictures: which view, which words, which weight, all drawn from the batch's number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lorakit.facts.pictures import has_word
from lorakit.plan.buckets import PictureOrder
from lorakit.plan.seeds import derive
from lorakit.training.image_data import Encodings

Item = Mapping[str, Any]  # as the plan tells of a picture


@dataclass(slots=True)
class ImageBatches:
    """Pictures with their captions, by the order that the plan counted with.

    `inputs` are files by role. `words` makes embeds of a caption where none were made before, and is None
    where the networks take captions as they are. `dropout` is the share without a caption.
    Where parts are shuffled, the first `keep` stay where they are, and those with the `trigger`.
    """

    items: Sequence[Item]
    slots: Sequence[int]
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

    def members(self, number: int) -> list[Item]:
        """The pictures of a batch."""
        return [self.items[self.slots[slot]] for slot in self.order.members(number)]

    def batch(self, number: int) -> dict[str, Any]:
        """Latents, words and weights of batch `number`."""
        chosen = self.members(number)
        dice = torch.Generator().manual_seed(derive(self.order.seed, "batch", number))
        chances = torch.rand(len(chosen), 2, generator=dice)
        places = [
            int(chance * len(item["views"]))
            for chance, item in zip(chances[:, 0].tolist(), chosen, strict=True)
        ]
        dropped = (chances[:, 1] < self.dropout).tolist()
        captions = [
            "" if drop else self._caption(item, dice)
            for item, drop in zip(chosen, dropped, strict=True)
        ]
        made = self.collated(chosen, places, captions, dropped)
        if any(item["prior"] for item in chosen):
            weights = [self.prior_weight if item["prior"] else 1.0 for item in chosen]
            made["weight"] = torch.tensor(weights)
        return made

    def collated(
        self,
        items: Sequence[Item],
        places: Sequence[int],
        captions: Sequence[str],
        dropped: Sequence[bool],
    ) -> dict[str, Any]:
        """A batch of views by their places; all items are of one bucket."""
        files = [self._files(self.inputs[item["latents"]]) for item in items]
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
                self._embeds(item, caption, drop)
                for item, caption, drop in zip(items, captions, dropped, strict=True)
            ]
            batch |= {name: torch.cat([one[name] for one in words]) for name in words[0]}
        if self.large:
            ids = [time_ids(item, place) for item, place in zip(items, places, strict=True)]
            batch["time_ids"] = torch.tensor(ids, dtype=torch.float32)
        return batch

    def _embeds(self, item: Item, caption: str, drop: bool) -> Mapping[str, Tensor]:
        if drop and self.empty is not None:
            return self._files(self.inputs[self.empty])
        if "embeds" in item and not drop and caption == item["caption"]:
            return self._files(self.inputs[item["embeds"]])
        assert self.words is not None
        return self.words(caption)

    def _caption(self, item: Item, dice: torch.Generator) -> str:
        caption = str(item["caption"])
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
            free, torch.randperm(len(free), generator=dice).tolist(), strict=True
        ):
            shown[place] = parts[free[other]]
        return ", ".join(shown)


def _mask(file: Mapping[str, Tensor], place: int) -> Tensor:
    """What is learnt of a view, (1, h, w): all of it, where a picture has no mask."""
    if "mask" in file:
        return file["mask"][place]
    return torch.ones_like(file["mean"][place][:1])


def time_ids(item: Item, place: int) -> list[int]:
    """SDXL's sizes of a view: the picture's own, where it was cut out of, and the bucket's."""
    (width, height), (across, down) = item["size"], item["views"][place][1:]
    target_width, target_height = item["bucket"]
    scale = max(target_width / width, target_height / height)
    left = round((width * scale - target_width) * across)
    top = round((height * scale - target_height) * down)
    return [height, width, top, left, target_height, target_width]


def names(items: Sequence[Item]) -> list[str]:
    """The pictures' files."""
    return [Path(str(item["name"])).name for item in items]
