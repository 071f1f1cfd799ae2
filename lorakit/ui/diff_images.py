"""Frames before and after, as a picture on disk and as half blocks in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.diff.strips import strips
from lorakit.facts.pictures.open_picture import PictureError, rgb
from lorakit.ui.outline import show
from lorakit.ui.theme import FAINT, STRONG, clean, shows_pictures

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from PIL.Image import Image
    from rich.console import Console

    from lorakit.diff.report import Comparison, DocumentDiff
    from lorakit.diff.strips import Strip
    from lorakit.store.store import Store

_FOLDER = "diff"  # in .lorakit
_WIDEST, _GAP = 24, 1  # cells of a picture, and between two


def show_images(comparison: Comparison, console: Console) -> None:
    """Draw every document's changed scenes, and say where the sheet of them is."""
    for document in comparison.documents:
        store = document.store
        found = list(strips(document, store)) if store is not None else []
        if store is None or not found:
            words = "no picture of a changed frame is in the store"
            show(console, [("", "  ", [(f"{clean(document.path)}: {words}", FAINT)])])
            continue
        if shows_pictures(console):
            _draw(found, console)
        sheet = _write(document, comparison, found, store)
        show(console, [("", "  ", [("images  ", STRONG), (str(sheet), "")])])


def _write(
    document: DocumentDiff, comparison: Comparison, found: Sequence[Strip], store: Store
) -> Path:
    """Write the sheet of a document, over an earlier one of the same name. Raises OSError, PictureError."""
    from lorakit.rendering.side_by_side import Table, write_side_by_side
    from lorakit.store.copies import place

    rows: list[tuple[str, Sequence[Path | None]]] = []
    for strip in found:
        rows.append((f"{strip.title}, {comparison.before}", strip.before))
        rows.append((f"{strip.title}, {comparison.after}", strip.after))
    most = max(len(strip.after) for strip in found)
    title = f"{document.path}: {comparison.before} against {comparison.after}"
    table = Table(title, [""] * most, rows, missing="not there")
    folder = store.folder / _FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    name = document.path.replace("/", "_").rpartition(".")[0] or "document"
    made = folder / f".{name}.part.png"
    for _ in write_side_by_side(made, table):
        pass
    target = folder / f"{name}.png"
    place(made, target)
    made.unlink(missing_ok=True)
    return target


def _draw(found: Sequence[Strip], console: Console) -> None:
    from rich.text import Text
    from rich_pixels import Pixels

    for strip in found:
        for name, pictures in (("before", strip.before), ("after", strip.after)):
            console.print(Text(f"{clean(strip.title)}, {name}", FAINT))
            console.print(Pixels.from_image(row(pictures, console.width)))


def row(pictures: Sequence[Path | None], width: int) -> Image:
    """Pictures beside each other, in pixels of which two are a cell; dark where there is none."""
    from PIL import Image

    wide = max(4, min(_WIDEST, (width + _GAP) // len(pictures) - _GAP))
    opened = [_opened(path) for path in pictures]
    shape = next((one.size for one in opened if one is not None), (1, 1))
    high = max(2, round(wide * shape[1] / shape[0] / 2) * 2)
    row = Image.new("RGB", (len(pictures) * (wide + _GAP) - _GAP, high), "#101010")
    for number, one in enumerate(opened):
        if one is not None:
            small = one.resize((wide, high), Image.Resampling.HAMMING)
            row.paste(small, (number * (wide + _GAP), 0))
    return row


def _opened(path: Path | None) -> Image | None:
    try:
        return rgb(path, ground="black") if path is not None else None
    except PictureError:
        return None
