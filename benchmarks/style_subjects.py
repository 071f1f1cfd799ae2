"""What a style's adapter leaves of its subjects: `recipes/bootcamp-image.yaml`, judged on 100 pictures.

    python benchmarks/style_subjects.py [--count 100] [--adapter FILE] [--sheet styled.png]

Runs the recipe in a project of its own, unless an adapter is given; then draws sentences of the world (of
seeds of their own) in the style, with the adapter and without, at the recipe's weight and guidance unless
told otherwise, and has lorakit:studio-judge name the main character. That the style shows is said by two
means over all pixels, beside those of the ten pictures it was learned from: lightness, and how much more
blue than red there is. Shares have Wilson's 95 % interval.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
STUDIO = ROOT / "studio"
sys.path.insert(0, str(STUDIO))

from common import label_sheet  # noqa: E402
from drawing import Painter, quiet_libraries  # noqa: E402
from figures import asked_for, marks, scene_and_sentence, wilson  # noqa: E402
from scenes import Scene  # noqa: E402

from lorakit import resources  # noqa: E402
from lorakit.rendering.judge import Judge, load_judge  # noqa: E402

STYLE = ", hologram style"
RECIPE = ROOT / "recipes" / "bootcamp-image.yaml"


def as_drawn_by_recipe() -> tuple[float, float]:
    """The adapter's weight and the guidance scale of the recipe's styled pictures."""
    styled = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))["steps"]["styled"]
    return styled["adapters"]["hologram_style"], styled["guidance_scale"]


def trained(home: Path) -> Path:
    """The adapter that the recipe trains."""
    (home / ".lorakit").mkdir()
    shutil.copy(RECIPE, home / "recipe.yaml")
    subprocess.run([sys.executable, "-m", "lorakit", "run", "--plain"], cwd=home, check=True)
    return next(home.glob("outputs/*/001/hologram_style/**/pytorch_lora_weights.safetensors"))


def looks(pictures: Sequence[Image.Image]) -> tuple[float, float]:
    """Mean lightness and mean of blue less red, both of 255."""
    pixels = np.stack([np.asarray(one.convert("RGB"), dtype=np.float32) for one in pictures])
    return float(pixels.mean()), float((pixels[..., 2] - pixels[..., 0]).mean())


def told(name: str, pictures: Sequence[Image.Image]) -> str:
    return "{:<18} lightness {:6.1f}, blue less red {:6.1f}".format(name, *looks(pictures))


def right(
    judge: Judge, pictures: Sequence[Image.Image], asked: Sequence[tuple[Scene, str]]
) -> list[bool]:
    """Whether each picture's main character is named right."""
    seen = judge.see(pictures)
    return [marks(*one, seen, row)["main character"] for row, one in enumerate(asked)]


def subjects(count: int, seed: int) -> list[tuple[Scene, str]]:
    """Scenes whose sentence names a main character, and these sentences."""
    found: list[tuple[Scene, str]] = []
    number = 0
    while len(found) < count:
        scene, sentence = scene_and_sentence(seed, number)
        if asked_for(scene, sentence)["main character"]:
            found.append((scene, sentence))
        number += 1
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=4004)
    parser.add_argument("--adapter", type=Path, help="instead of the recipe's")
    parser.add_argument("--weight", type=float, help="the adapter's")
    parser.add_argument("--guidance", type=float, help="guidance scale of all pictures")
    parser.add_argument("--sheet", type=Path, help="write the first 30 styled pictures here")
    args = parser.parse_args()
    quiet_libraries()
    judge = load_judge()
    weight, guidance = as_drawn_by_recipe()
    painter = Painter(resources.path("studio"), guidance=args.guidance or guidance)
    asked = subjects(args.count, args.seed)
    sentences = [sentence.rstrip(".") + STYLE for _, sentence in asked]
    seeds = [args.seed * 100_003 + number for number in range(args.count)]
    drawn = {"without adapter": painter.draw(sentences, seeds)}
    with tempfile.TemporaryDirectory() as home:
        adapter = args.adapter or trained(Path(home))
        painter.pipeline.load_lora_weights(
            str(adapter.parent), weight_name=adapter.name, adapter_name="style"
        )
        painter.pipeline.set_adapters(["style"], [args.weight or weight])
    drawn["with adapter"] = painter.draw(sentences, seeds)
    ten = [Image.open(one) for one in sorted((resources.path("data") / "hologram").glob("*.png"))]
    print(told("learned from", ten))
    for name, pictures in drawn.items():
        good = right(judge, pictures, asked)
        share = wilson(sum(good), len(good))
        print(
            f"{told(name, pictures)}; main character named right in {share.value:.0%} "
            f"({share.low:.0%} to {share.high:.0%}) of {len(good)}"
        )
    if args.sheet:
        label_sheet(drawn["with adapter"][:30], sentences[:30], 6).save(args.sheet)


if __name__ == "__main__":
    main()
