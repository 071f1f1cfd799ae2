"""Text on pictures: in the shipped font, and run by run in others where it lacks letters."""

from __future__ import annotations

import itertools
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from lorakit.facts.fonts.fallbacks import JOINER, JOINERS, font_file, runs_backwards, shapes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

    from lorakit.facts.fonts.fallbacks import Fallback

    Run = tuple[str, "Fallback | None"]

_BOLD, _REGULAR = 600, 400  # weights of fonts that have all
_NO_JOINERS = dict.fromkeys(map(ord, JOINERS))


class Lettering:
    """Measures and draws lines of text; `fallbacks` draw what they have, and the shipped font the rest."""

    def __init__(self, fallbacks: Sequence[Fallback] = ()) -> None:
        self._fallbacks = tuple(fallbacks)
        self._owner = {c: font for font in reversed(self._fallbacks) for c in font.characters}
        self._plain = not any(c.isascii() for c in self._owner)
        self._lengths: dict[tuple[str, int, bool], float] = {}

    def length(self, text: str, size: int, bold: bool = False) -> float:
        """How wide a line is, in px."""
        key = (text, size, bold)
        if key not in self._lengths:
            if len(self._lengths) > 20_000:
                self._lengths.clear()
            self._lengths[key] = sum(_advance(run, size, bold) for run in self.runs(text))
        return self._lengths[key]

    def draw(
        self,
        page: Image,
        at: tuple[float, float],
        text: str,
        size: int,
        *,
        fill: str | int,
        bold: bool = False,
        rim: int = 0,
    ) -> None:
        """Draw a line whose box begins at `at`; `rim` px of outline around it in the same colour.

        Letters with colours of their own keep them on a coloured page, and their brightness on a grey one.
        """
        from PIL import ImageDraw

        left, top = at
        baseline = top + load_font(size, bold=bold).getmetrics()[0]
        for run in self.runs(text):
            words, fallback = run
            if fallback is None:
                font = load_font(size, bold=bold)
                ImageDraw.Draw(page).text(
                    (left, top), words, fill=fill, font=font, stroke_width=rim, stroke_fill=fill
                )
            elif fallback.colour:
                _draw_coloured(page, (left, baseline), run, size, as_rim=bool(rim))
            else:
                font = _load(fallback.path, fallback.index, size, bold)
                ImageDraw.Draw(page).text(
                    *((left, baseline), words),
                    fill=fill,
                    font=font,
                    anchor="ls",
                    stroke_width=rim,
                    stroke_fill=fill,
                )
            left += _advance(run, size, bold)

    def runs(self, text: str) -> list[Run]:
        """A line cut where its font changes, in the order in which it is drawn from the left."""
        if not self._owner or not shapes():
            text = text.translate(_NO_JOINERS)  # what does not shape would draw a box
        if not self._owner or (self._plain and text.isascii()):
            return [(text, None)]
        owners = [self._owner.get(c) for c in text]
        if all(owner is None for owner in owners):
            return [(text.translate(_NO_JOINERS), None)]
        for owner in self._fallbacks if runs_backwards(text) else ():
            if set(text) <= set(owner.characters + owner.beside):
                return [(text, owner)]  # a line that runs both ways is best left to one font
        _join_blanks(text, owners)
        _join_joined(text, owners)
        cut = itertools.groupby(zip(text, owners, strict=True), key=lambda pair: pair[1])
        pieces = [
            (run if owner is not None else run.translate(_NO_JOINERS), owner)
            for owner, pairs in cut
            if (run := "".join(c for c, _ in pairs)).strip(JOINERS)
        ]
        strong = next(
            (k for c in text if (k := unicodedata.bidirectional(c)) in ("L", "R", "AL")), "L"
        )
        if strong == "L":
            return pieces
        # blanks run as the line does: those before a word stand on its right
        return [(_blanks_turned(run), owner) for run, owner in reversed(pieces)]


def _blanks_turned(run: str) -> str:
    """A run that is read from the left, within a line from the right: its blanks change sides."""
    if runs_backwards(run):
        return run
    word = run.strip()
    start = len(run) - len(run.lstrip())
    return f"{run[len(word) + start :]}{word}{run[:start]}"


def _join_blanks(text: str, owners: list[Fallback | None]) -> None:
    """Give blanks and stops to the font of the letters on both sides of them."""
    following: Fallback | None = None
    after: list[Fallback | None] = []
    for character, owner in zip(reversed(text), reversed(owners), strict=True):
        after.append(following)
        following = owner if character.isalnum() or owner else following
    for at, next_owner in enumerate(reversed(after)):
        before = owners[at - 1] if at else None
        plain = owners[at] is None and not text[at].isalnum()
        if plain and before is not None and before is next_owner and text[at] in before.beside:
            owners[at] = before


def _join_joined(text: str, owners: list[Fallback | None]) -> None:
    """Give joiners to the font of the letters beside them, and to that of an emoji what is joined with it."""
    for at, character in enumerate(text):
        if character not in JOINERS:
            continue
        beside = [other for other in (at - 1, at + 1) if 0 <= other < len(text)]
        font = owners[at] = next((owners[o] for o in beside if owners[o] is not None), None)
        for other in beside if font is not None and character == JOINER else ():
            if owners[other] is None and font is not None and text[other] in font.beside:
                owners[other] = font


@lru_cache(maxsize=64)
def load_font(size: int, *, bold: bool = True) -> FreeTypeFont:
    """Load the shipped font, `size` px high, in the layout that is the same on every machine."""
    from PIL import ImageFont

    file = font_file("SemiBold" if bold else "Regular")
    return ImageFont.truetype(str(file), size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=64)
def _load(path: str, index: int, size: int, bold: bool) -> FreeTypeFont:
    """Load a font of this machine; its letters are shaped where the library can."""
    from PIL import ImageFont

    layout = ImageFont.Layout.RAQM if shapes() else ImageFont.Layout.BASIC
    font = ImageFont.truetype(path, size, index=index, layout_engine=layout)
    try:
        axes = font.get_variation_axes()
    except (OSError, NotImplementedError):
        return font
    wanted = _BOLD if bold else _REGULAR
    values = []
    for axis in axes:
        low, high, usual = (float(axis[key] or 0) for key in ("minimum", "maximum", "default"))
        weight = axis.get("name") in (b"Weight", "Weight")
        values.append(min(max(wanted, low), high) if weight else usual)
    font.set_variation_by_axes(values)
    return font


def _advance(run: Run, size: int, bold: bool) -> float:
    words, fallback = run
    if fallback is None:
        return load_font(size, bold=bold).getlength(words)
    font = _load(fallback.path, fallback.index, fallback.strike or size, bold)
    return font.getlength(words) * (size / fallback.strike if fallback.strike else 1)


def _draw_coloured(
    page: Image, at: tuple[float, float], run: Run, size: int, *, as_rim: bool
) -> None:
    """Draw letters in their own colours, at the size they have, scaled to the one that is asked for."""
    from PIL import Image, ImageDraw

    words, fallback = run
    assert fallback is not None
    font = _load(fallback.path, fallback.index, fallback.strike or size, bold=False)
    scale = size / fallback.strike if fallback.strike else 1.0
    ascent, descent = font.getmetrics()
    tile = Image.new("RGBA", (max(1, round(font.getlength(words))), max(1, ascent + descent)))
    ImageDraw.Draw(tile).text(
        (0, ascent), words, font=font, anchor="ls", embedded_color=True, fill="white"
    )
    if scale != 1:
        tile = tile.resize((max(1, round(tile.width * scale)), max(1, round(tile.height * scale))))
    where = (round(at[0]), round(at[1] - ascent * scale))
    alpha = tile.getchannel("A")
    if as_rim:
        page.paste(255, where, alpha)
    else:
        page.paste(tile.convert(page.mode), where, alpha)
