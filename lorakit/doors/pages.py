"""A story as a printable board (.pdf): pictures with their sentences, six on a page of A4."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from lorakit.doors.cut import Cut, CutShot
from lorakit.facts.fonts.fallbacks import drawable, fallbacks
from lorakit.facts.pictures.open_picture import PictureError, rgb
from lorakit.language.story.rates import Rate
from lorakit.plan.clock import timecode
from lorakit.rendering.captions import wrap
from lorakit.rendering.lettering import Lettering

if TYPE_CHECKING:
    from PIL.Image import Image

_DPI = 150
_PAGE = (1240, 1754)  # A4 at that
_MARGIN = 75  # px: half an inch, which every printer can
_COLUMNS, _ROWS = 2, 3
_GAP = 40
_HEAD, _FOOT = 80, 50
_TITLE, _CAPTION, _SMALL = 34, 24, 17  # px high
_LINES = 3  # of a caption
_LEADING = 1.3
_INK, _GREY, _PAPER, _NOTHING = "#111111", "#666666", "white", "#eeeeee"
# what pages say beside the texts: numbers, times and holds
_OWN_LETTERS = "0123456789 .:;\u00b7/s\u2026"
_BATCH = 20  # pages in memory


def pages_of(cut: Cut) -> int:
    """How many pages a story takes."""
    return -(-len(cut.shots) // (_COLUMNS * _ROWS))


def pdf(cut: Cut) -> Iterator[tuple[int, bytes]]:
    """The pages, yielding how many are written and the file as it is so far, empty until it is whole.

    Letters are drawn, as on a contact sheet, so that all look as in the film. A picture that cannot
    be read stands as an empty frame. The same story gives the same bytes.
    """
    texts = [cut.title, *(t for shot in cut.shots for t in (shot.caption, shot.scene))]
    letters = Lettering(fallbacks([*texts, _OWN_LETTERS], cut.face))
    numbered, each = list(enumerate(cut.shots, 1)), _COLUMNS * _ROWS
    many, out = pages_of(cut), io.BytesIO()
    told = {"title": cut.title, "creationDate": None, "modDate": None, "resolution": _DPI}
    waiting: list[Image] = []
    for number in range(1, many + 1):
        shots = numbered[(number - 1) * each : number * each]
        waiting.append(_page(cut, shots, f"{number} / {many}", letters))
        if len(waiting) == _BATCH or number == many:
            first, *rest = waiting
            append = number > _BATCH
            first.save(
                out, "PDF", save_all=True, append_images=rest, append=append, quality=90, **told
            )
            waiting.clear()
        yield number, out.getvalue() if number == many else b""


def _page(cut: Cut, shots: Sequence[tuple[int, CutShot]], folio: str, letters: Lettering) -> Image:
    from PIL import Image

    page = Image.new("RGB", _PAGE, _PAPER)
    width = (_PAGE[0] - 2 * _MARGIN - (_COLUMNS - 1) * _GAP) // _COLUMNS
    height = (_PAGE[1] - 2 * _MARGIN - _HEAD - _FOOT - (_ROWS - 1) * _GAP) // _ROWS
    _write(page, (_MARGIN, _MARGIN), cut.title, _TITLE, letters, _PAGE[0] - 2 * _MARGIN, bold=True)
    for place, (number, shot) in enumerate(shots):
        row, column = divmod(place, _COLUMNS)
        left = _MARGIN + column * (width + _GAP)
        top = _MARGIN + _HEAD + row * (height + _GAP)
        _cell(page, (left, top, width, height), (number, shot, cut.fps), letters)
    foot = _PAGE[1] - _MARGIN - _SMALL
    right = _PAGE[0] - _MARGIN - round(letters.length(folio, _SMALL))
    letters.draw(page, (right, foot), folio, _SMALL, fill=_GREY)
    return page


def _cell(
    page: Image,
    box: tuple[int, int, int, int],
    told: tuple[int, CutShot, Rate],
    letters: Lettering,
) -> None:
    """A picture, below it when it comes, how long it stays, and what is said."""
    left, top, width, height = box
    number, shot, fps = told
    words = round(_SMALL * _LEADING) + _LINES * round(_CAPTION * _LEADING) + 12
    _picture(page, shot, (left, top, width, height - words))
    below = top + height - words + 12
    lasts = f"{float(shot.frames / fps):.3g} s"
    line = f"{number} \u00b7 {timecode(shot.first, fps)} \u00b7 {lasts} \u00b7 {shot.scene}"
    _write(page, (left, below), line, _SMALL, letters, width, fill=_GREY)
    below += round(_SMALL * _LEADING)
    measure = partial(letters.length, size=_CAPTION)
    lines = wrap(drawable(shot.caption), measure, width, balanced=False)
    if len(lines) > _LINES:
        lines = [*lines[: _LINES - 1], f"{lines[_LINES - 1]} \u2026"]
    for line in lines:
        _write(page, (left, below), line, _CAPTION, letters, width)
        below += round(_CAPTION * _LEADING)


def _picture(page: Image, shot: CutShot, box: tuple[int, int, int, int]) -> None:
    from PIL import Image, ImageDraw

    left, top, width, height = box
    try:
        seen = rgb(shot.picture) if shot.picture is not None else None
    except PictureError:
        seen = None
    if seen is None:
        outer = (left, top, left + width - 1, top + height - 1)
        ImageDraw.Draw(page).rectangle(outer, fill=_NOTHING, outline=_GREY)
        return
    scale = min(width / seen.width, height / seen.height)
    size = (max(1, round(seen.width * scale)), max(1, round(seen.height * scale)))
    page.paste(seen.resize(size, Image.Resampling.LANCZOS), (left, top + height - size[1]))


def _write(
    page: Image,
    at: tuple[int, int],
    text: str,
    size: int,
    letters: Lettering,
    width: int,
    *,
    fill: str = _INK,
    bold: bool = False,
) -> None:
    """One line, cut where it would leave its column."""
    text = drawable(text)[:500]
    if letters.length(text, size, bold=bold) > width:
        cuts = (f"{text[:n]}\u2026" for n in range(len(text), 0, -1))
        text = next((s for s in cuts if letters.length(s, size, bold=bold) <= width), "\u2026")
    letters.draw(page, at, text, size, fill=fill, bold=bold)
