"""How often the studio model draws what it is told: the figures of studio/README.md, from a fixed seed.

    python benchmarks/studio_quality.py [--count 500] [--model studio/model] [--sheet worst.png] [--json]

Sentences are drawn at random from the world as for training, with another seed, and drawn with the model's
own default steps and guidance. The examiner (studio/examiner), a second judge of another architecture and
other seeds that is used for nothing else, says what it sees; --judge names others, the first of which also
measures diversity and KID. The relation is its own head's answer, which reads where things are off an 8x8 map
of places; it learned on composed pictures, where relations are places and nothing else. The column "judge"
is the examiner's own share on composed pictures of a fresh seed, in the same look where it was asked: nothing
can be measured finer than that. Shares have Wilson's 95 % interval, means a bootstrap one.

Synonyms: pairs of sentences alike but for their names, drawn from equal noise; the figure is what synonyms
lose. Diversity: distances between the examiner's features of 8 seeds of a sentence, against 8 composed
pictures of it. Composed pictures need the art, which npm fetches into --art.

By all: the judges that mark and the shipped one take the main character for the one that was asked for and
also say that it is there; the nearest that judges come to an eye, which names nobody in a smudge. --blind
writes the first 100 pictures with nothing but numbers, for an eye that is told nothing.

Likeness: PSNR in dB inside the mask of the main character and of the prop, laid over the drawn picture
where they fit best, against what composed pictures of the sentence show of them; sharpness: gradient
energy there over that of the composed. Both of the first 150 sentences; the column "judge" is what the
autoencoder makes of composed pictures, the most that can be reached. KID: the examiner's features of
drawn pictures against those of pictures composed from the same sentences (see studio/closeness.py).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import torch
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
STUDIO = ROOT / "studio"
sys.path.insert(0, str(STUDIO))

from closeness import best_match, kernel_distance, templates, to_tensor  # noqa: E402
from common import label_sheet  # noqa: E402
from compose import fetch_art, scene_number  # noqa: E402
from drawing import Measured, Painter, quiet_libraries  # noqa: E402
from figures import (  # noqa: E402
    Interval,
    badness,
    bootstrap,
    in_both_words,
    is_named,
    marks,
    scene_and_sentence,
    spread,
    tells_prop,
    wilson,
)
from looks import LOOKS, LOOSE, Look  # noqa: E402
from painting import Art, paint  # noqa: E402
from scenes import Scene  # noqa: E402

from lorakit.diagnostics import LorakitError  # noqa: E402
from lorakit.rendering.judge import Judge, Verdict, load_judge  # noqa: E402

SEEDS, WORST, FIRST, BLIND = 8, 20, 50, 100
CLOSE, CEILING = 150, 40  # sentences whose pictures are laid over composed ones; round trips
COMPOSED_SEED = 902  # no pool, no judge's examination
WANTED = {
    "main character": 0.97,
    "hat": 0.92,
    "prop": 0.90,
    "setting": 0.98,
    "both of two characters": 0.88,
    "relation": 0.85,
    "synonyms lose": 0.02,
    "round trip, dB": 32.0,
    "sharpness": 0.9,
    "character's likeness, dB": 24.0,
    "prop's likeness, dB": 22.0,
    "diversity": 0.7,
    "seconds, batch 1": 1.5,
    "seconds, batch 8": 0.7,
}
AT_MOST = {"synonyms lose", "seconds, batch 1", "seconds, batch 8"}
OWN = {  # the examiner's name for each figure's part
    "main character": "main",
    "hat": "hats",
    "prop": "prop",
    "setting": "setting",
    "both of two characters": "two_characters",
    "relation": "relation",
}


Test = tuple[Scene, str]


def measure_sentences(
    tests: Sequence[Test],
    images: Sequence[Image.Image],
    judge: Judge,
    sheets: dict[str, Path | None],
) -> dict[str, Interval]:
    """Shares of what is named right, and sheets of the worst and of the first pictures."""
    count, sentences = len(tests), [sentence for _, sentence in tests]
    seen, verdicts = judge.see(images), judge.look(images)
    right: dict[str, list[bool]] = {part: [] for part in OWN}
    for row, (scene, sentence) in enumerate(tests):
        for part, good in marks(scene, sentence, seen, row).items():
            right[part].append(good)
    order = sorted(range(count), key=lambda row: -badness(*tests[row], seen, row))
    for name, rows in (("worst", order[:WORST]), ("first", range(min(FIRST, count)))):
        path = sheets[name]
        if path is not None:
            texts = [
                f"{textwrap.shorten(sentences[row], 52)} = {textwrap.shorten(words(verdicts[row]), 48)}"
                for row in rows
            ]
            label_sheet([images[row] for row in rows], texts, 5).save(path)
    return {part: wilson(sum(found), len(found)) for part, found in right.items()}


def measure_closeness(
    tests: Sequence[Test], images: Sequence[Image.Image], art: Art, look: Look
) -> dict[str, Interval]:
    """Likeness of main characters and props to composed ones, and sharpness inside both."""
    likeness: dict[str, list[float]] = {"character": [], "prop": []}
    sharpness = []
    for (scene, sentence), image in zip(tests, images, strict=True):
        asked = {"character": scene.actors[0].code if scene.actors else None}
        asked["prop"] = scene.prop if tells_prop(scene, sentence) else None
        for kind, code in asked.items():
            candidates = templates(scene, code, art, look) if code else []
            if candidates:
                match = best_match(to_tensor(np.asarray(image)), candidates)
                likeness[kind].append(match.psnr)
                sharpness.append(match.sharpness)
    found = {f"{kind}'s likeness, dB": bootstrap(values) for kind, values in likeness.items()}
    return {"sharpness": bootstrap(sharpness), **found}


def words(verdict: Verdict) -> str:
    """What a judge saw, in a few words."""
    parts = (*verdict.characters, *verdict.hats, verdict.prop, verdict.setting, verdict.relation)
    return ", ".join(part for part in parts if part)


def blind_sheet(images: Sequence[Image.Image]) -> Image.Image:
    """Pictures twice as large under their numbers."""
    large = [one.resize((256, 256), Image.Resampling.LANCZOS) for one in images]
    return label_sheet(large, [str(number) for number in range(1, len(large) + 1)], 10)


def own_accuracy(judge: Judge, look: Look) -> dict[str, float]:
    """What a judge names right on composed pictures in a look, as far as it was asked."""
    shares: dict[str, dict[str, float]] = judge.card["accuracy"]
    return shares.get("grid" if look.grid > 1 else "plain", shares["plain"])


def measure_synonyms(painter: Painter, judge: Judge, count: int, seed: int) -> dict[str, Interval]:
    """Main characters named right in canonical words and in synonyms, and the difference."""
    pairs: list[tuple[Scene, str, str]] = []
    number = 0
    while len(pairs) < count:
        scene, _ = scene_and_sentence(seed + 1, number)
        told = in_both_words(scene, number)
        if told is not None:
            pairs.append((scene, *told))
        number += 1
    right = []
    for column in (1, 2):
        sentences = [pair[column] for pair in pairs]
        seen = judge.see(painter.draw(sentences, [seed * 7 + n for n in range(count)]))
        right.append(
            [
                marks(pair[0], pair[column], seen, row)["main character"]
                for row, pair in enumerate(pairs)
            ]
        )
    return {
        "in canonical names": wilson(sum(right[0]), count),
        "in synonyms": wilson(sum(right[1]), count),
        "synonyms lose": bootstrap([float(a) - float(b) for a, b in zip(*right, strict=True)]),
    }


def measure_diversity(
    painter: Painter, judge: Judge, art: Art, look: Look, count: int, seed: int
) -> Interval:
    """Spread of 8 seeds of a sentence over that of 8 composed pictures of it; ratio of the means."""
    drawn, composed = [], []
    for number in range(count):
        scene, sentence = scene_and_sentence(seed + 2, number)
        seeds = [number * SEEDS + n for n in range(SEEDS)]
        drawn.append(spread(judge.see(painter.draw([sentence] * SEEDS, seeds)).features))
        layouts = random.Random(number)
        scenes = [dataclasses.replace(scene, layout=layouts.getrandbits(48)) for _ in range(SEEDS)]
        composed.append(spread(judge.see([paint(one, art, look=look) for one in scenes]).features))
    ours, theirs = np.array(drawn), np.array(composed)
    picks = np.random.default_rng(0).integers(0, count, (2000, count))
    low, high = np.quantile(ours[picks].mean(1) / theirs[picks].mean(1), (0.025, 0.975))
    return Interval(float(ours.mean() / theirs.mean()), float(low), float(high), count)


def print_table(
    figures: dict[str, Interval], own: dict[str, float], facts: dict[str, object]
) -> None:
    """One line a figure."""
    print(" ".join(f"{name}={value}" for name, value in facts.items()))
    print(f"{'figure':<24}{'value':>8}{'95 %':>20}{'n':>6}{'wanted':>10}{'judge':>8}")
    for name, found in figures.items():
        share = name in OWN or name.startswith(("main", "in ", "synonyms"))
        scale, digits = (100, 1) if share else (1, 4 if name == "KID" else 2)
        wanted = WANTED.get(name)
        met = "" if wanted is None else ("<=" if name in AT_MOST else ">=") + f"{wanted * scale:g}"
        spanned = f"{found.low * scale:.{digits}f} .. {found.high * scale:.{digits}f}"
        most = own[OWN[name]] if name in OWN else own.get(name)
        judged = "" if most is None else f"{most * scale:.{digits}f}"
        value = f"{found.value * scale:.{digits}f}"
        print(f"{name:<24}{value:>8}{spanned:>20}{found.count:>6}{met:>10}{judged:>8}")


def _as_values(
    figures: dict[str, Interval], own: dict[str, float], facts: dict[str, object]
) -> dict[str, dict[str, Any]]:
    return {
        "facts": {name: str(value) for name, value in facts.items()},
        "figures": {name: dataclasses.asdict(value) for name, value in figures.items()},
        "judge": own,
    }


def options() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, default=STUDIO / "model")
    parser.add_argument(
        "--judge",
        type=Path,
        nargs="+",
        default=[STUDIO / "examiner"],
        help="who marks; the first also measures diversity and KID",
    )
    parser.add_argument("--count", type=int, default=500, help="sentences")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--steps", type=int, help="instead of the model's default")
    parser.add_argument("--guidance", type=float, help="instead of the model's default")
    parser.add_argument(
        "--art", type=Path, default=platformdirs.user_cache_path("lorakit") / "studio-art"
    )
    parser.add_argument("--sheet", type=Path, help="write the worst 20 as a PNG here")
    parser.add_argument("--first", type=Path, help="write the first 50, for the eye, here")
    parser.add_argument("--blind", type=Path, help="write the first 100 without words here")
    parser.add_argument(
        "--look", choices=tuple(LOOKS), default=LOOSE.name, help="of composed pictures"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser.parse_args()


def main() -> None:
    """Measure a model and print its tables."""
    args = options()
    try:
        judges = [load_judge(folder) for folder in args.judge]
    except LorakitError as error:
        sys.exit(f"error: {error}")
    quiet_libraries()
    painter = Measured(args.model, args.steps, args.guidance)
    art = Art(fetch_art(args.art))
    look = LOOKS[args.look]
    tests = [scene_and_sentence(args.seed, number) for number in range(args.count)]
    seeds = [args.seed * 100_003 + number for number in range(args.count)]
    images = painter.draw([sentence for _, sentence in tests], seeds)
    if args.blind:
        blind_sheet(images[:BLIND]).save(args.blind)
    sheets = {"worst": args.sheet, "first": args.first}
    judge = judges[0]
    figures = measure_sentences(tests, images, judge, sheets)
    unseen: dict[str, Path | None] = dict.fromkeys(sheets)
    others = [measure_sentences(tests, images, other, unseen) for other in judges[1:]]
    seen = [one.see(images) for one in (*judges, load_judge())]
    named = [is_named(test[0], seen, row) for row, test in enumerate(tests) if test[0].actors]
    figures["main, by all"] = wilson(sum(named), len(named))
    figures |= measure_synonyms(painter, judge, max(4, args.count // 4), args.seed)
    figures |= measure_closeness(tests[:CLOSE], images[:CLOSE], art, look)
    same = [paint(scene, art, look=look) for scene, _ in tests]
    rows = [judge.see(pictures).features.float().numpy() for pictures in (images, same)]
    figures["KID"] = kernel_distance(*rows)
    composed = [
        paint(scene_number(COMPOSED_SEED, n), art, look=look) for n in range(min(256, args.count))
    ]
    figures["round trip, dB"] = bootstrap(painter.round_trip(composed))
    most = measure_closeness(
        tests[:CEILING], [painter.through(one) for one in same[:CEILING]], art, look
    )
    figures["diversity"] = measure_diversity(
        painter, judge, art, look, max(2, args.count // 25), args.seed
    )
    sentence = scene_and_sentence(args.seed, 0)[1]
    for batch, rounds in ((1, 5), (8, 3)):
        figures[f"seconds, batch {batch}"] = bootstrap(painter.seconds(sentence, batch, rounds))
    own = own_accuracy(judge, look) | {name: one.value for name, one in most.items()}
    facts = {
        "model": args.model,
        "seed": args.seed,
        "steps": painter.steps,
        "guidance": painter.guidance,
        "threads": torch.get_num_threads(),
    }
    tables = [(figures, own, facts)]
    for folder, other, found in zip(args.judge[1:], judges[1:], others, strict=True):
        tables.append((found, own_accuracy(other, look), {"judge": folder}))
    if args.json:
        print(json.dumps([_as_values(*table) for table in tables], indent=1))
    else:
        for table in tables:
            print_table(*table)


if __name__ == "__main__":
    main()
