"""Cards: lines of text alone, in the middle of a picture."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from lorakit.facts.fonts.fallbacks import drawable
from lorakit.plan.tasks.card import CardTask
from lorakit.rendering.captions import wrap
from lorakit.rendering.lettering import Lettering, load_font

_FIRST, _OTHERS = 0.11, 0.055  # letters' heights as shares of the card's
_SMALLEST = 9  # px
_SIDE, _MOST = 0.1, 0.8  # margins as a share of the width; the height that is filled at the most
_LEADING = 1.3
_COLOURS = {"dark": ("black", "white"), "light": ("white", "black")}


def write_card(folder: Path, task: CardTask, _inputs: Mapping[str, str]) -> dict[str, str]:
    """Draw a card. Raises OSError."""
    from PIL import Image

    ground, ink = _COLOURS[task.style]
    page = Image.new("RGB", (task.width, task.height), ground)
    letters = Lettering(task.fallbacks)
    rows = _laid_out(task, letters)
    top = (task.height - sum(_step(size) for _, size in rows)) / 2
    for line, size in rows:
        ascent, descent = load_font(size).getmetrics()
        left = (task.width - letters.length(line, size, bold=True)) / 2
        at = (left, top + (_step(size) - ascent - descent) / 2)
        letters.draw(page, at, line, size, fill=ink, bold=True)
        top += _step(size)
    target = folder / task.file
    page.save(target)
    return {"picture": str(target)}


def _laid_out(task: CardTask, letters: Lettering) -> list[tuple[str, int]]:
    """Each line with the height of its letters, in px: so large that all have their place."""
    room, scale = task.width * (1 - 2 * _SIDE), 1.0
    while True:
        rows: list[tuple[str, int]] = []
        smallest = True
        for number, line in enumerate(task.lines):
            share = _OTHERS if number else _FIRST
            size = max(_SMALLEST, round(share * scale * task.height))
            smallest = smallest and size == _SMALLEST
            measure = partial(letters.length, size=size, bold=True)
            rows += [(each, size) for each in wrap(drawable(line), measure, room)]
        if smallest or sum(_step(size) for _, size in rows) <= task.height * _MOST:
            return rows
        scale *= 0.9


def _step(size: int) -> int:
    return round(size * _LEADING)
