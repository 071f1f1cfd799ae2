"""The contact sheet: all pictures of a step on one page, by scenes, each over its sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.facts.fonts.fallbacks import drawable, fallbacks
from lorakit.facts.pictures.open_picture import PictureError
from lorakit.plan.tasks.sheet import OWN_LETTERS
from lorakit.records import record
from lorakit.rendering.fitting import fitted, open_rgb, picture_size
from lorakit.rendering.lettering import Lettering
from lorakit.rendering.sheet_layout import lay_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from PIL.Image import Image

    from lorakit.facts.fonts.font_files import Face
    from lorakit.rendering.sheet_layout import Layout

PAGE, TITLE, CAPTION, FAINT = "#15171c", "#f2f3f5", "#b6bac4", "#7d828e"
_CORNER = 0.035  # rounding of a thumbnail's corners, as a share of its width


@record
class SheetGroup:
    """Pictures that belong together (a scene), each with its caption; the title may be empty."""

    title: str
    pictures: Sequence[tuple[Path, str]]


def write_contact_sheet(
    target: Path,
    groups: Sequence[SheetGroup],
    title: str,
    letters: Lettering | None = None,
    face: Face | None = None,
) -> Iterator[tuple[int, int]]:
    """Write a PNG of all pictures to `target`, yielding (pictures drawn, pictures in all).

    Thumbnails shrink as they grow in number; a sheet has 20 megapixels at most, and pictures are
    opened one by one. `letters` None finds fonts on this machine, `face` before others.
    Raises `PictureError`.
    """
    from PIL import Image

    if letters is None:
        texts = [
            text for g in groups for text in (g.title, *(caption for _, caption in g.pictures))
        ]
        letters = Lettering(fallbacks([title, *texts, OWN_LETTERS], face))
    shown = [(drawable(g.title), [drawable(caption) for _, caption in g.pictures]) for g in groups]
    first = next((path for group in groups for path, _ in group.pictures), None)
    if first is None:
        raise PictureError("a contact sheet needs at least one picture")
    layout = lay_out(drawable(title), shown, picture_size(first), letters.length)
    page = Image.new("RGB", (layout.width, layout.height), PAGE)
    corners = rounded(layout.thumbnail)
    total = len(layout.cells)
    for done, cell in enumerate(layout.cells, 1):
        picture = open_rgb(groups[cell.group].pictures[cell.number][0])
        page.paste(fitted(picture, *layout.thumbnail, bars=PAGE), (cell.left, cell.top), corners)
        yield done, total
    _letter(page, layout, letters)
    page.save(target, "PNG", compress_level=6)


def _letter(page: Image, layout: Layout, letters: Lettering) -> None:
    for text in layout.texts:
        fill = TITLE if text.bold else FAINT if text.faint else CAPTION
        letters.draw(page, (text.left, text.top), text.text, text.size, fill=fill, bold=text.bold)


def rounded(size: tuple[int, int]) -> Image:
    """Draw a mask with rounded corners; four times too large and scaled down, for smooth edges."""
    from PIL import Image, ImageDraw

    large = Image.new("L", (size[0] * 4, size[1] * 4), 0)
    radius = max(2, round(size[0] * _CORNER)) * 4
    ImageDraw.Draw(large).rounded_rectangle((0, 0, *(s * 4 - 1 for s in size)), radius, fill=255)
    return large.reduce(4)
