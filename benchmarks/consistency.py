"""Whether characters stay themselves from frame to frame, and stories stay told: every chain, side by side.

    python benchmarks/consistency.py [--stories 40] [--frames 12] [--long 4] [--only anchor] [--sheet a.png]

Stories are drawn at random from the studio's world from a fixed seed: a character with a hat, in a setting,
who does something else with another thing in each sentence. Each arm draws all of them with the studio model:

- independent: each frame from noise of its own;
- loop: the img2img loop that people write, pictures in and pictures out, diffusers' own pipeline;
- loop, LAB matched: the same, each picture's LAB histograms matched to the first one's before it goes on;
- each of our chains, with attention of its own and shared, and two with a gate (by the other judge).

The examiner (studio/examiner), which is used for nothing else, says what it sees. Columns: the character, its
hat, this sentence's thing and the setting, in % of the frames behind the first; likeness, the cosine of the
examiner's embeddings of a frame and of the first; diversity, how far frames of a story are from each other as
pictures (mean colour distance of 16x16 places, CIELAB), of what independent frames are; drift, how far a
frame's mean colour is from the first one's (CIE76) at frames 10, 50 and 100 of the long stories; sharpness,
gradient energy against the first frame's; seconds a frame on this machine. A copied frame has all likeness
and no diversity.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
STUDIO = ROOT / "studio"
sys.path.insert(0, str(STUDIO))

from common import label_sheet  # noqa: E402
from drawing import quiet_libraries  # noqa: E402
from figures import wilson  # noqa: E402
from scenes import load_world  # noqa: E402

import lorakit  # noqa: E402
from lorakit.execute.pool import Workers  # noqa: E402
from lorakit.rendering.judge import Judge, Verdict, likeness, load_judge  # noqa: E402
from lorakit.rendering.lab import from_lab, to_lab  # noqa: E402

SEED, STRENGTH, STEPS, GUIDANCE = 77, 0.6, 20, 2.5  # steps and guidance: the studio model's own
DRIFT_AT = (10, 50, 100)
VERBS = ("finds", "holds", "looks at")
# what each of ours writes under chain:
CHAINS = {
    "noise": "{from: noise}",
    "noise, gate": "{from: noise}\ngate: {character: 0.9, sentence: 0.9, tries: 4}",
    "noise, shared": "{from: noise, attention: shared}",
    "anchor": f"{{from: anchor, strength: {STRENGTH}}}",
    "anchor, gate": f"{{from: anchor, strength: {STRENGTH}}}\n"
    "gate: {character: 0.9, sentence: 0.9, tries: 4}",
    "anchor, shared": f"{{from: anchor, strength: {STRENGTH}, attention: shared}}",
    "previous": f"{{from: previous, strength: {STRENGTH}}}",
    "previous, pulled": f"{{from: previous, strength: {STRENGTH}, anchor_weight: 0.2}}",
    "previous, shared": f"{{from: previous, strength: {STRENGTH}, attention: shared}}",
}
Pictures = list[list[Image.Image]]


@dataclass(frozen=True)
class Story:
    """One character with a hat, in one setting; a thing a sentence."""

    who: str
    hat: str
    setting: str
    things: tuple[str, ...]
    verbs: tuple[str, ...]

    @property
    def anchor(self) -> str:
        """What stands for the character in every prompt."""
        return f"a {self.who} with a {self.hat}"

    def prompts(self) -> list[str]:
        """What each frame is told."""
        return [
            f"{self.anchor} {verb} a {thing}, {self.setting}"
            for verb, thing in zip(self.verbs, self.things, strict=True)
        ]


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
                rng.choice([names[0] for names in world.characters.values()]),
                rng.choice([names[0] for names in world.hats.values()]),
                rng.choice(list(world.settings)),
                tuple(order[:frames]),
                tuple(rng.choice(VERBS) for _ in range(frames)),
            )
        )
    return found


def draw_ours(
    told: Sequence[Story], chain: str, workers: Workers, *, alone: bool = False
) -> Pictures:
    """A board of one scene a story; frames that stand `alone` have seeds of their own."""
    scenes = []
    for number, story in enumerate(told):
        lines = [
            {"text": prompt, "prompt": prompt, **({"seed": 1000 * number + at} if alone else {})}
            for at, prompt in enumerate(story.prompts())
        ]
        scenes.append({"name": f"story {number}", "sentences": lines})
    board = f"storyboard: 1\nseed: {SEED}\nchain: {chain}\nscenes: {json.dumps(scenes)}\n"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / ".lorakit").mkdir()  # a project of its own, with an empty store
        file = Path(folder) / "board.yaml"
        file.write_text(board, encoding="utf-8")
        done = lorakit.load(file).run(workers=workers)
        assert done.folder is not None, done
        return [
            [
                Image.open(path).convert("RGB")
                for path in sorted(Path(done.folder).glob(f"**/frames_scene_{number}/frame_*.png"))
            ]
            for number in range(1, len(told) + 1)
        ]


def draw_loop(told: Sequence[Story], pipelines: Any, match: bool) -> Pictures:
    """What people write: the last picture into the next call, with a seed a frame."""
    first_of, next_of = pipelines
    found: Pictures = []
    for number, story in enumerate(told):
        row: list[Image.Image] = []
        for at, prompt in enumerate(story.prompts()):
            generator = torch.Generator().manual_seed(1000 * number + at)
            if not row:
                picture = first_of(
                    prompt, num_inference_steps=STEPS, guidance_scale=GUIDANCE, generator=generator
                ).images[0]
            else:
                given = match_histograms(row[-1], row[0]) if match else row[-1]
                picture = next_of(
                    prompt,
                    image=given,
                    strength=STRENGTH,
                    num_inference_steps=STEPS,
                    guidance_scale=GUIDANCE,
                    generator=generator,
                ).images[0]
            row.append(picture)
        found.append(row)
    return found


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


def stock() -> tuple[Any, Any]:
    """diffusers' own pipelines on the studio's files."""
    from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionPipeline

    quiet_libraries()
    made = StableDiffusionPipeline.from_pretrained(STUDIO / "model")
    again = StableDiffusionImg2ImgPipeline(**made.components)
    for one in (made, again):
        one.set_progress_bar_config(disable=True)
    return made, again


def places(picture: Image.Image) -> NDArray[np.float64]:
    """The mean colours (16, 16, 3) of a picture's places, in CIELAB."""
    return to_lab(np.asarray(picture.resize((16, 16), Image.Resampling.BOX)) / 255)


def gradient(picture: Image.Image) -> float:
    """How much neighbouring pixels differ."""
    light = np.asarray(picture.convert("L"), np.float64)
    return float(abs(np.diff(light, axis=0)).mean() + abs(np.diff(light, axis=1)).mean())


def spread(row: Sequence[Image.Image]) -> float:
    """How far the frames of a story are from each other."""
    seen = [places(picture) for picture in row]
    pairs = [(a, b) for a in range(len(seen)) for b in range(a)]
    return statistics.fmean(
        float(np.linalg.norm(seen[a] - seen[b], axis=2).mean()) for a, b in pairs
    )


def drift(rows: Pictures, at: int) -> float:
    """How far a frame's mean colour is from the first one's, over the stories that are so long."""
    far = [
        float(np.linalg.norm(places(row[at - 1]).mean((0, 1)) - places(row[0]).mean((0, 1))))
        for row in rows
        if len(row) >= at
    ]
    return statistics.fmean(far) if far else float("nan")


def marked(told: Sequence[Story], rows: Pictures, judge: Judge) -> dict[str, float]:
    """What is right in the frames behind the first, in %."""
    right: dict[str, list[bool]] = {"character": [], "hat": [], "thing": [], "setting": []}
    alike, sharp = [], []
    for story, row in zip(told, rows, strict=True):
        verdicts: list[Verdict] = judge.look(row)
        first = gradient(row[0])
        for thing, verdict, picture in list(zip(story.things, verdicts, row, strict=True))[1:]:
            right["character"].append(verdict.main == story.who)
            right["hat"].append(story.hat in verdict.hats)
            right["thing"].append(verdict.prop == thing)
            right["setting"].append(verdict.setting == story.setting)
            alike.append(likeness(verdicts[0], verdict))
            sharp.append(gradient(picture) / first)
    shares = {name: 100 * wilson(sum(values), len(values)).value for name, values in right.items()}
    return {**shares, "likeness": statistics.fmean(alike), "sharpness": statistics.fmean(sharp)}


def main() -> None:
    """Draw every arm and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--stories", type=int, default=40)
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--long", type=int, default=4, help="stories of 100 frames")
    parser.add_argument("--only", default="", help="arms with this in their names")
    parser.add_argument("--sheet", type=Path, help="the first story of each arm as a PNG")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    told = stories(args.stories, args.frames, "short") + stories(args.long, 100, "long")
    judge = load_judge(STUDIO / "examiner")
    pipelines = stock()
    with Workers() as workers:
        arms: dict[str, Callable[[], Pictures]] = {
            "independent": lambda: draw_ours(told, "{from: noise}", workers, alone=True),
            "loop": lambda: draw_loop(told, pipelines, match=False),
            "loop, LAB matched": lambda: draw_loop(told, pipelines, match=True),
        }
        arms |= {
            name: lambda c=chain: draw_ours(told, c, workers) for name, chain in CHAINS.items()
        }
        lines: list[dict[str, Any]] = []
        shown: list[tuple[str, list[Image.Image]]] = []
        apart = 0.0
        for name, draw in arms.items():
            if args.only not in name and name != "independent":
                continue
            began = time.monotonic()
            rows = draw()
            seconds = (time.monotonic() - began) / sum(map(len, rows))
            far = statistics.fmean(map(spread, rows[: args.stories] or rows))
            apart = apart or far
            line: dict[str, Any] = {
                "arm": name,
                **marked(told, rows, judge),
                "diversity": far / apart,
            }
            line |= {f"drift {at}": drift(rows, at) for at in DRIFT_AT}
            lines.append({**line, "seconds": seconds})
            shown += [(f"{name}, story {n}", rows[n][:12]) for n in range(min(10, len(rows)))]
            if not args.json:
                print_line(lines[-1], heading=len(lines) == 1)
    if args.json:
        print(json.dumps(lines, indent=1))
    if args.sheet:
        save_sheets(shown, args.sheet)


def print_line(line: dict[str, Any], *, heading: bool) -> None:
    """One row of the table."""
    if heading:
        print("| " + " | ".join(line) + " |")
        print("|" + "---|" * len(line))
    cells = [value if isinstance(value, str) else f"{value:.3g}" for value in line.values()]
    print("| " + " | ".join(cells) + " |", flush=True)


def save_sheets(shown: Sequence[tuple[str, list[Image.Image]]], file: Path) -> None:
    """The first stories, all arms of one below each other, a file a story."""
    for number in sorted({int(name.rsplit(" ", 1)[1]) for name, _ in shown}):
        rows = [(name, row) for name, row in shown if name.endswith(f"story {number}")]
        images = [picture for _, row in rows for picture in row]
        texts = [name if at == 0 else "" for name, row in rows for at in range(len(row))]
        label_sheet(images, texts, len(rows[0][1])).save(file.with_stem(f"{file.stem}_{number}"))


if __name__ == "__main__":
    main()
