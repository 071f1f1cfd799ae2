"""What a sentence asks of a picture, whether a judge sees it there, and how sure a share is."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

import captions
import numpy as np
import torch
from judge_data import RELATIONS, labels_of
from scenes import LIGHT, MEDITATING, Scene, draw_scene, load_world

from lorakit.rendering.judge_nets import Seen

NAMED_RELATIONS = ("finds", "holds", "rides", "looks at", "flies over", "meets")  # world.yaml's


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % interval, from ``count`` trials."""

    value: float
    low: float
    high: float
    count: int


def wilson(hits: int, count: int) -> Interval:
    """A share and its 95 % score interval (Wilson, 1927); of nothing, anything."""
    if count == 0:
        return Interval(math.nan, 0.0, 1.0, 0)
    z, share = 1.959964, hits / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / 4 / count**2)
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half), count)


def bootstrap(values: Sequence[float], seed: int = 0, rounds: int = 2000) -> Interval:
    """A mean and its 95 % percentile interval over resampled ``values``."""
    data = np.asarray(values, np.float64)
    picks = np.random.default_rng(seed).integers(0, len(data), (rounds, len(data)))
    low, high = np.quantile(data[picks].mean(1), (0.025, 0.975))
    return Interval(float(data.mean()), float(low), float(high), len(data))


def scene_and_sentence(seed: int, number: int) -> tuple[Scene, str]:
    """Scene ``number`` of a test and a sentence about it, the same whoever asks."""
    scene = draw_scene(random.Random(f"quality/{seed}/{number}"))
    return scene, captions.caption(scene, random.Random(f"words/{seed}/{number}"))


class _Canonical(captions.Speaker):
    def name(self, code: str) -> str:
        self.rng.random()
        return load_world().names(code)[0]


class _Other(captions.Speaker):
    def name(self, code: str) -> str:
        names = load_world().names(code)
        return names[1 + int(self.rng.random() * (len(names) - 1))] if names[1:] else names[0]


def in_both_words(scene: Scene, seed: int) -> tuple[str, str] | None:
    """A sentence in canonical names and the same in synonyms; None where no name has any.

    Scenes whose sentences may leave the main character's name out are passed over.
    """
    if not scene.actors or scene.relation == "teaches" or scene.actors[0].code == MEDITATING:
        return None
    if len(load_world().names(scene.actors[0].code)) == 1:
        return None
    told = []
    usual = captions.Speaker
    for speaker in (_Canonical, _Other):
        captions.Speaker = speaker  # type: ignore[misc]
        try:
            told.append(captions.caption(scene, random.Random(f"pair/{seed}")))
        finally:
            captions.Speaker = usual  # type: ignore[misc]
    return (told[0], told[1])


def tells_prop(scene: Scene, sentence: str) -> bool:
    """Whether the sentence names the prop (a gurukul's school goes without saying)."""
    if scene.prop is None:
        return False
    words = set(re.findall(r"[a-z0-9']+", sentence.lower()))
    names = load_world().names(scene.prop)
    return scene.prop == LIGHT or any(set(name.lower().split()) <= words for name in names)


def asked_for(scene: Scene, sentence: str) -> dict[str, bool]:
    """Which parts the sentence asks for, by which a picture of it can be marked."""
    return {
        "main character": bool(scene.actors),
        "hat": any(actor.hat for actor in scene.actors),
        "prop": tells_prop(scene, sentence),
        "setting": scene.setting is not None,
        "both of two characters": len({actor.code for actor in scene.actors}) == 2,
        "relation": scene.relation in NAMED_RELATIONS,
    }


def marks(scene: Scene, sentence: str, seen: Seen, row: int) -> dict[str, bool]:
    """Right or wrong for each part that is asked for, by the judge's view of picture ``row``.

    Main character: the likeliest of 40 is the first named.  Hat: exactly those asked for are seen.
    Both: each of the two is seen.  Relation: the likeliest of 12, read off where things are on an
    8x8 map of places.
    """
    labels = {name: values[0] for name, values in labels_of([scene]).items()}
    right = {
        "main character": int(seen.main[row].argmax()) == int(labels["main"]),
        "hat": torch.equal(seen.hats[row] > 0, labels["hats"] > 0),
        "prop": int(seen.prop[row].argmax()) == int(labels["prop"]),
        "setting": int(seen.setting[row].argmax()) == int(labels["setting"]),
        "both of two characters": bool((seen.characters[row][labels["characters"] > 0] > 0).all()),
        "relation": RELATIONS[int(seen.relation[row].argmax())] == scene.relation,
    }
    return {part: right[part] for part, asked in asked_for(scene, sentence).items() if asked}


def is_named(scene: Scene, views: Sequence[Seen], row: int) -> bool:
    """Whether every judge both takes the main character for this one and says that it is there.

    The likeliest of 40 is somebody even in a smudge; that it is there at all is another answer.
    """
    who = int(labels_of([scene])["main"][0])
    return all(
        int(seen.main[row].argmax()) == who and float(seen.characters[row][who]) > 0
        for seen in views
    )


def badness(scene: Scene, sentence: str, seen: Seen, row: int) -> float:
    """How unlikely the judge finds what was asked for: the sum of -log p, to find the worst by."""
    labels = {name: values[0] for name, values in labels_of([scene]).items()}
    asked, total = asked_for(scene, sentence), 0.0
    for part, name in (
        ("main", "main character"),
        ("prop", "prop"),
        ("setting", "setting"),
        ("relation", "relation"),
    ):
        if asked[name]:
            total -= float(getattr(seen, part)[row].log_softmax(0)[int(labels[part])])
    for part, name in (("hats", "hat"), ("characters", "both of two characters")):
        if asked[name]:
            wanted = labels[part] > 0
            total -= float(torch.nn.functional.logsigmoid(getattr(seen, part)[row][wanted]).sum())
    return total


def spread(features: torch.Tensor) -> float:
    """Mean distance between the (N, width) features of N pictures, each pair once."""
    return float(torch.pdist(features.float()).mean())
