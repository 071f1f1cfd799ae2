"""`lorakit:studio-judge`: who is in a picture of the studio's world, wearing what, with what, where."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from lorakit import resources
from lorakit.diagnostics import LorakitError
from lorakit.rendering.judge_nets import JudgeNet, Seen, Sizes

NEEDED = 0.98  # of main characters named right on composed pictures, before a judge may judge
_SIDE = 128
_BATCH = 32


@dataclass(frozen=True)
class Verdict:
    """What one picture shows, by canonical names.

    `main` is whom it is about (the left one of two), `certainty` its probability among all characters;
    `embedding` is (64,) float32 of unit length.
    """

    main: str
    certainty: float
    characters: tuple[str, ...]
    hats: tuple[str, ...]
    prop: str | None
    setting: str | None
    relation: str
    embedding: NDArray[np.float32]


def likeness(one: Verdict, other: Verdict) -> float:
    """Cosine of two pictures' embeddings, -1..1: 1 where the same one seems to be shown."""
    return float(one.embedding @ other.embedding)


class Judge:
    """A network and the names of what it tells apart."""

    def __init__(self, net: JudgeNet, card: dict[str, Any]) -> None:
        self.net = net.eval()
        self.card = card
        self.characters = tuple(card["characters"].values())
        self.hats = tuple(card["hats"].values())
        self.props = (None, *card["props"].values())
        self.settings = (None, *card["settings"])
        self.relations = tuple(card["relations"])

    @torch.inference_mode()
    def see(self, images: Sequence[Image.Image]) -> Seen:
        """Logits and embeddings of pictures of any size, which are brought to 128x128."""
        parts = [
            self.net(_to_tensor(images[start : start + _BATCH]))
            for start in range(0, len(images), _BATCH)
        ]
        return Seen(
            *(torch.cat([getattr(p, name) for p in parts]) for name in Seen.__annotations__)
        )

    def look(self, images: Sequence[Image.Image]) -> list[Verdict]:
        """One verdict for each picture."""
        if not images:
            return []
        seen = self.see(images)
        sure = seen.main.softmax(1).amax(1)
        return [
            Verdict(
                main=self.characters[int(seen.main[row].argmax())],
                certainty=float(sure[row]),
                characters=_present(self.characters, seen.characters[row]),
                hats=_present(self.hats, seen.hats[row]),
                prop=self.props[int(seen.prop[row].argmax())],
                setting=self.settings[int(seen.setting[row].argmax())],
                relation=self.relations[int(seen.relation[row].argmax())],
                embedding=seen.embedding[row].numpy().astype(np.float32),
            )
            for row in range(len(images))
        ]


def _present(names: tuple[str, ...], logits: Tensor) -> tuple[str, ...]:
    return tuple(name for name, logit in zip(names, logits, strict=True) if logit > 0)


def _to_tensor(images: Sequence[Image.Image]) -> Tensor:
    rows = []
    for image in images:
        picture = image.convert("RGB")
        if picture.size != (_SIDE, _SIDE):
            picture = picture.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
        rows.append(np.asarray(picture))
    batch = torch.from_numpy(np.stack(rows)).permute(0, 3, 1, 2)
    return batch.float().div(127.5).sub(1).contiguous(memory_format=torch.channels_last)


def load_judge(folder: Path | None = None) -> Judge:
    """The judge in `folder` (`judge.safetensors`, `judge.json`), by default the one that ships.

    Raises LorakitError where the files are missing or do not fit, and where the judge named fewer than
    98 % of main characters right on composed pictures that were new to it.
    """
    folder = folder or resources.path("judge")
    try:
        card = json.loads((folder / "judge.json").read_text(encoding="utf-8"))
        net = JudgeNet(card["build"], Sizes(**card["sizes"]))
        net.load_state_dict(load_file(folder / "judge.safetensors"))  # float16 into float32
        own = float(card["accuracy"]["plain"]["main"])
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise LorakitError(f"the judge in {folder} cannot be loaded: {error}") from error
    if own < NEEDED:
        raise LorakitError(
            f"the judge in {folder} names {own:.1%} of main characters right on composed pictures; "
            f"it may not judge below {NEEDED:.0%}: train it longer"
        )
    channels_last = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Judge(channels_last, card)
