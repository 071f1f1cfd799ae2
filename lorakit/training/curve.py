"""The loss over the optimizer steps, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from lorakit.facts.fonts.fallbacks import font_file

_SIZE = (960, 540)
_LEFT, _TOP, _RIGHT, _BOTTOM = 84, 64, 28, 60
_INK, _FAINT, _GRID = (32, 33, 36), (154, 160, 166), (232, 234, 237)
_LINE, _PALE, _HELD_OUT = (26, 115, 232), (190, 214, 250), (217, 48, 37)


def write_curve(
    path: Path,
    losses: Sequence[float],
    title: str,
    held_out: Sequence[tuple[int, float]] = (),
    words_of_dots: str = "held out",
) -> None:
    """Each step's loss pale, its running mean dark, held-out losses (step, loss) as dots on a line."""
    image = Image.new("RGB", _SIZE, "white")
    draw = ImageDraw.Draw(image)
    words = ImageFont.truetype(str(font_file("Regular")), 17)
    draw.text((_LEFT, 20), title, _INK, ImageFont.truetype(str(font_file("SemiBold")), 20))
    values = [*losses, *(loss for _, loss in held_out)]
    low, high = _range(values)
    last = max(1, len(losses) - 1)

    def at(step: float, loss: float) -> tuple[float, float]:
        across = _LEFT + (_SIZE[0] - _LEFT - _RIGHT) * step / last
        return across, _TOP + (_SIZE[1] - _TOP - _BOTTOM) * (high - loss) / (high - low)

    for number in range(5):
        loss = low + (high - low) * number / 4
        y = at(0, loss)[1]
        draw.line([(_LEFT, y), (_SIZE[0] - _RIGHT, y)], _GRID)
        draw.text((_LEFT - 12, y), f"{loss:.3g}", _FAINT, words, anchor="rm")
        step = round(last * number / 4)
        place = (at(step, low)[0], _SIZE[1] - _BOTTOM + 14)
        draw.text(place, f"{step + 1:,}", _FAINT, words, anchor="ma")
    draw.text((_SIZE[0] - _RIGHT, _SIZE[1] - 12), "optimizer steps", _FAINT, words, anchor="rs")
    mean = _smooth(losses)
    if len(losses) > 1:
        draw.line([at(n, loss) for n, loss in enumerate(losses)], _PALE, 1)
        draw.line([at(n, loss) for n, loss in enumerate(mean)], _LINE, 3, joint="curve")
    dots = [at(step - 1, loss) for step, loss in held_out]
    if len(dots) > 1:
        draw.line(dots, _HELD_OUT, 2)
    for number, (x, y) in enumerate(dots):
        draw.ellipse([x - 5, y - 5, x + 5, y + 5], _HELD_OUT)
        if number in (0, len(dots) - 1):
            first = number == 0 and len(dots) > 1
            text = f"{words_of_dots} {held_out[number][1]:.3f}"
            across, anchor = (10, "ls") if first else (-10, "rs")
            draw.text((x + across, y - 10), text, _HELD_OUT, words, anchor=anchor)
    image.save(path)


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = (high - low) * 0.05 or 0.5
    return max(0.0, low - room), high + room


def _smooth(losses: Sequence[float]) -> list[float]:
    weight = max(0.05, 2 / (len(losses) / 12 + 1))
    weight = min(1.0, weight)
    mean: list[float] = []
    for loss in losses:
        mean.append(loss if not mean else mean[-1] + weight * (loss - mean[-1]))
    return mean
