"""Draw a grid of pictures from sentences, each over its words.

    python studio/sample.py --out samples.png
    python studio/sample.py --out one.png --prompt "a fox on mars" --guidance 3

Without ``--prompt``: sentences of many shapes, the films' own ones among them.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from common import label_sheet
from drawing import Painter

STYLE = "soft 3d illustration, "
PROMPTS = (
    STYLE + "a white bunny with a magic hat",
    STYLE + "a white bunny with a magic hat finds a golden key, in a green meadow",
    STYLE + "a white bunny with a magic hat looks at a wooden door, in a green meadow",
    STYLE + "a white bunny with a magic hat holds the golden key, in a green meadow",
    STYLE + "a white bunny with a magic hat looks at a castle, in a forest",
    STYLE + "a white bunny with a magic hat meets an owl, in a forest",
    STYLE + "a white bunny with a magic hat rides the rocket, in space",
    STYLE + "a white bunny with a magic hat meets an alien explorer, on mars",
    STYLE + "an alien explorer with a red helmet rides a flying saucer, on mars",
    STYLE + "an alien explorer with a red helmet holds a compass, on mars",
    STYLE + "a robot with a blue cap finds a blue crystal, on mars",
    "a fox with a golden crown finds a golden key in a green meadow",
    "On Mars, a fox wearing a crown holds a key.",
    "the fox and the owl meet at night",
    "A panda with a graduation cap reads a book in a classroom",
    "a penguin rides a bicycle in the snow",
    "cat with straw hat on the beach",
    "a dragon flies over a castle at sunset",
    "an octopus underwater",
    "tiger looks at a birthday cake, in the city, storybook picture",
    "a birthday cake in the desert",
    "the elephant with a magic hat meets a lion in a garden",
    "a princess sits under a tree in a village",
    "a unicorn on the moon",
    "a frog",
    "AI robot teaching students in a village school",
    "A traditional Gurukul reimagined with VR and AR",
    "Students learning under a hologram tree",
    "A child meditating in a virtual garden",
    "Knowledge as light in a dark classroom",
)


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, default=Path(__file__).with_name("model"))
    parser.add_argument("--out", type=Path, required=True, help="the PNG to write")
    parser.add_argument("--prompt", action="append", help="a sentence; may be repeated")
    parser.add_argument("--steps", type=int, help="instead of the model's default")
    parser.add_argument("--guidance", type=float, help="instead of the model's default")
    parser.add_argument("--seed", type=int, default=0, help="of the first picture")
    parser.add_argument("--batch", type=int, default=6, help="pictures at a time")
    parser.add_argument("--columns", type=int, default=6)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    painter = Painter(args.model, args.steps, args.guidance, batch=args.batch, device=args.device)
    prompts = args.prompt or list(PROMPTS)
    started = time.monotonic()
    pictures = painter.draw(prompts, range(args.seed, args.seed + len(prompts)))
    seconds = (time.monotonic() - started) / len(prompts)
    label_sheet(pictures, prompts, args.columns).save(args.out, optimize=True)
    print(f"{args.out}: {len(prompts)} pictures, {seconds:.2f} s each")


if __name__ == "__main__":
    main()
