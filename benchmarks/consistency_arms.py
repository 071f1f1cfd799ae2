"""The ways of drawing a story that `consistency.py` holds against each other, and its stories."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from captions import a_or_an
from drawing import quiet_libraries
from PIL import Image
from scenes import load_world

import lorakit
from lorakit.execute.pool import Workers
from lorakit.rendering.lab import from_lab, to_lab

STUDIO = Path(__file__).resolve().parents[1] / "studio"
SEED, STRENGTH, STEPS, GUIDANCE = 77, 0.6, 20, 2.5  # steps and guidance: the studio model's own
VERBS = ("finds", "holds", "looks at")
GATE = "gate: {character: 0.9, sentence: 0.9, tries: 4}"
MANY = ("glasses",)
INDEPENDENT, COPIES = "independent", "copies of the first"
# what each of ours writes under chain: a gate makes an arm more of each
CHAINS = {
    "noise": "{from: noise}",
    "noise, shared": "{from: noise, attention: shared}",
    "anchor": "{from: anchor}",  # at the strength that a board has which says none
    "anchor, 0.6": f"{{from: anchor, strength: {STRENGTH}}}",
    "anchor, shared": f"{{from: anchor, strength: {STRENGTH}, attention: shared}}",
    "previous": f"{{from: previous, strength: {STRENGTH}}}",
    "previous, pulled": f"{{from: previous, strength: {STRENGTH}, anchor_weight: 0.2}}",
    "previous, coloured": f"{{from: previous, strength: {STRENGTH}, color: anchor}}",
    "previous, pulled, coloured": f"{{from: previous, strength: {STRENGTH}, anchor_weight: 0.2, "
    "color: anchor}",
    "previous, pulled, coloured, 0.75": "{from: previous, anchor_weight: 0.2, color: anchor}",
    "previous, shared": f"{{from: previous, strength: {STRENGTH}, attention: shared}}",
}
Row = list[Image.Image]


def in_words(thing: str) -> str:
    """A thing with its article; what is many has none."""
    return thing if thing in MANY else a_or_an(thing)


@dataclass(frozen=True)
class Story:
    """One character with a hat, in one setting; a thing a sentence."""

    name: str
    who: str
    hat: str
    setting: str
    things: tuple[str, ...]
    verbs: tuple[str, ...]

    @property
    def anchor(self) -> str:
        """What stands for the character in every prompt."""
        return f"{a_or_an(self.who)} with {a_or_an(self.hat)}"

    def prompts(self) -> list[str]:
        """What each frame is told."""
        return [
            f"{self.anchor} {verb} {in_words(thing)}, {self.setting}"
            for verb, thing in zip(self.verbs, self.things, strict=True)
        ]

    def seed(self, frame: int) -> int:
        """The seed of a frame that is drawn by itself."""
        return int.from_bytes(random.Random(f"{SEED}/{self.name}/{frame}").randbytes(4))


def stories(count: int, frames: int, salt: str) -> list[Story]:
    """The same each time."""
    world, found = load_world(), []
    # what fills a picture leaves no room for who is in it
    things = [names[0] for names in world.props.values()]
    for number in range(count):
        rng = random.Random(f"{SEED}/{salt}/{number}")
        order = [
            thing
            for _ in range(frames // len(things) + 1)
            for thing in rng.sample(things, len(things))
        ]
        found.append(
            Story(
                f"{salt}-{number + 1:02}",
                rng.choice([names[0] for names in world.characters.values()]),
                rng.choice([names[0] for names in world.hats.values()]),
                rng.choice(list(world.settings)),
                tuple(order[:frames]),
                tuple(rng.choice(VERBS) for _ in range(frames)),
            )
        )
    return found


@dataclass(frozen=True)
class Arm:
    """A way of drawing stories; `says` is all that decides its pictures beside the stories."""

    name: str
    says: str
    draw: Callable[[Sequence[Story]], list[Row]]


def every_arm(workers: Workers) -> list[Arm]:
    """All arms but the copies, which are drawn by nobody."""
    stock = _Stock()
    alone = board_head("{from: noise}")
    arms = [
        Arm(INDEPENDENT, f"{alone}seeds: own", lambda told: draw_ours(told, alone, workers, True)),
        Arm("loop", f"loop {stock}", lambda told: [stock.loop(one, match=False) for one in told]),
        Arm(
            "loop, LAB matched",
            f"loop, matched {stock}",
            lambda told: [stock.loop(one, match=True) for one in told],
        ),
    ]
    for gated in (False, True):
        for name, chain in CHAINS.items():
            head = board_head(chain, gated=gated)
            arms.append(
                Arm(
                    f"{name}, gate" if gated else name,
                    head,
                    lambda told, head=head: draw_ours(told, head, workers),  # type: ignore[misc]
                )
            )
    return arms


def board_head(chain: str, *, gated: bool = False) -> str:
    """What a board says above its scenes."""
    return f"storyboard: 1\nseed: {SEED}\nchain: {chain}\n{GATE if gated else ''}\n"


def draw_ours(told: Sequence[Story], head: str, workers: Workers, alone: bool = False) -> list[Row]:
    """A board of one scene a story; frames that stand `alone` have seeds of their own."""
    scenes = []
    for story in told:
        lines = [
            {"text": prompt, "prompt": prompt, **({"seed": story.seed(at)} if alone else {})}
            for at, prompt in enumerate(story.prompts())
        ]
        scenes.append({"name": story.name, "sentences": lines})
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / ".lorakit").mkdir()  # a project of its own, with an empty store
        file = Path(folder) / "board.yaml"
        file.write_text(f"{head}scenes: {json.dumps(scenes)}\n", encoding="utf-8")
        done = lorakit.load(file).run(workers=workers)
        assert done.folder is not None, done
        return [
            [
                Image.open(path).convert("RGB")
                for path in sorted(Path(done.folder).glob(f"**/frames_scene_{number}/frame_*.png"))
            ]
            for number in range(1, len(told) + 1)
        ]


class _Stock:
    """The img2img loop that people write, by diffusers' own pipelines on the studio's files."""

    def __init__(self) -> None:
        self._pipelines: tuple[Any, Any] | None = None

    def __str__(self) -> str:
        return f"strength {STRENGTH} steps {STEPS} guidance {GUIDANCE}"

    def loop(self, story: Story, *, match: bool) -> Row:
        """The last picture into the next call, with a seed a frame."""
        if self._pipelines is None:
            from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionPipeline

            quiet_libraries()
            made = StableDiffusionPipeline.from_pretrained(STUDIO / "model")
            self._pipelines = made, StableDiffusionImg2ImgPipeline(**made.components)
            for one in self._pipelines:
                one.set_progress_bar_config(disable=True)
        first_of, next_of = self._pipelines
        row: Row = []
        for at, prompt in enumerate(story.prompts()):
            usual: Mapping[str, Any] = {
                "num_inference_steps": STEPS,
                "guidance_scale": GUIDANCE,
                "generator": torch.Generator().manual_seed(story.seed(at)),
            }
            if not row:
                row.append(first_of(prompt, **usual).images[0])
                continue
            given = match_histograms(row[-1], row[0]) if match else row[-1]
            row.append(next_of(prompt, image=given, strength=STRENGTH, **usual).images[0])
        return row


def match_histograms(picture: Image.Image, like: Image.Image) -> Image.Image:
    """A picture with the histograms of another, each of CIELAB's channels by itself."""
    lab, wanted = (to_lab(np.asarray(one.convert("RGB")) / 255) for one in (picture, like))
    for channel in range(3):
        flat = lab[..., channel].ravel()
        order = np.argsort(flat, kind="stable")
        flat = flat.copy()
        flat[order] = np.sort(wanted[..., channel].ravel())
        lab[..., channel] = flat.reshape(lab.shape[:2])
    return Image.fromarray((from_lab(lab) * 255).round().astype(np.uint8))
