"""Draw the training curves from the logs in WORK.

python studio/plot_log.py --work WORK --out studio/training.png
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

WIDTH, HEIGHT, EDGE = 460, 260, 46  # pixels
Points = Sequence[tuple[float, float]]


def read_log(path: Path) -> list[dict[str, float]]:
    """One dictionary a line; an absent log is empty."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def panel(title: str, unit: str, curves: dict[str, Points]) -> Image.Image:
    """Draw curves over one pair of axes, each in a colour of its own."""
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(image)
    points = [point for curve in curves.values() for point in curve]
    left, right = 0.0, max(x for x, _ in points)
    low, high = min(y for _, y in points), max(y for _, y in points)

    def place(x: float, y: float) -> tuple[float, float]:
        across = EDGE + (x - left) / (right - left) * (WIDTH - EDGE - 14)
        down = HEIGHT - EDGE - (y - low) / (high - low) * (HEIGHT - EDGE - 34)
        return across, down

    draw.text((EDGE, 6), title, "black")
    for part in range(5):
        x, y = right * part / 4, low + (high - low) * part / 4
        draw.line([place(left, y), place(right, y)], (228, 228, 232))
        draw.text((4, place(left, y)[1] - 6), f"{y:.3g}", (90, 90, 100))
        draw.text((place(x, low)[0] - 10, HEIGHT - EDGE + 6), f"{x / 1000:.3g}k", (90, 90, 100))
    draw.text((WIDTH // 2 - 30, HEIGHT - 20), unit, (90, 90, 100))
    colours = ((36, 104, 190), (214, 96, 32))
    for number, (name, curve) in enumerate(curves.items()):
        if len(curve) > 1:
            draw.line([place(x, y) for x, y in curve], colours[number], 2)
        draw.text((WIDTH - 150, 22 + 14 * number), name, colours[number])
    return image


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="folder with the logs")
    parser.add_argument("--out", type=Path, required=True, help="the PNG to write")
    args = parser.parse_args()
    vae, unet = read_log(args.work / "vae_log.jsonl"), read_log(args.work / "unet_log.jsonl")
    panels = [
        panel(
            "autoencoder: PSNR on held-out pictures, dB",
            "pictures seen",
            {"round trip": [(row["pictures"], row["psnr"]) for row in vae]},
        ),
        panel(
            "UNet and text encoder: loss",
            "steps",
            {
                "training (weighted)": [(row["step"], row["loss"]) for row in unet],
                "held out": [(r["step"], r["held_out"]) for r in unet if "held_out" in r],
            },
        ),
    ]
    sheet = Image.new("RGB", (WIDTH * len(panels), HEIGHT), "white")
    for number, drawn in enumerate(panels):
        sheet.paste(drawn, (WIDTH * number, 0))
    sheet.save(args.out, optimize=True)


if __name__ == "__main__":
    main()
