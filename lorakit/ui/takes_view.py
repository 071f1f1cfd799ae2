"""The takes of frames, in the terminal as half blocks and on a sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.ui.theme import clean, shows_pictures

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rich.console import Console

    from lorakit.facts.fonts.font_files import Face
    from lorakit.plan.frame_takes import FrameTakes, Take

_FOLDER = "takes"  # in .lorakit
_WIDEST, _GAP = 24, 1  # cells of a picture, and between two


def lines(frame: FrameTakes) -> Iterator[str]:
    """What is to be said of a frame and its takes."""
    state = ""
    if frame.changed:
        state = "  held (inputs changed)"
    elif frame.held:
        state = "  approved"
    elif frame.stale:
        state = f"  the pick of take {frame.picked} is stale: it has changed since"
    yield f"{frame.name}  {clean(frame.caption)}{state}"
    if len(frame.takes) > 1 or not all(take.digest for take in frame.takes):
        yield "  " + "  ".join(_name(frame, take) for take in frame.takes)


def _name(frame: FrameTakes, take: Take) -> str:
    if not take.digest:
        return f"take {take.number} (not drawn)"
    if take.number != frame.chosen:
        return f"take {take.number}"
    said = "approved" if frame.held else "picked" if frame.picked and not frame.stale else "stands"
    return f"take {take.number} ({said})"


def draw(frame: FrameTakes, console: Console) -> None:
    """Draw a frame's takes beside each other, where the terminal can."""
    pictures = [take.picture for take in frame.takes]
    if not any(pictures) or not shows_pictures(console):
        return
    from rich_pixels import Pixels

    from lorakit.ui.diff_images import row

    console.print(Pixels.from_image(row(pictures, console.width)))


def write_sheet(
    frames: Sequence[FrameTakes], title: str, store: Path, name: str, face: Face | None
) -> Path | None:
    """Write a sheet of frames' takes into a store, over an earlier one; None where no take is drawn.

    Its letters are those of `face`, where one is chosen.
    """
    from lorakit.rendering.contact_sheet import SheetGroup, write_contact_sheet
    from lorakit.store.copies import place

    groups = [
        SheetGroup(
            f"{frame.name}  {frame.caption}",
            [(take.picture, _name(frame, take)) for take in frame.takes if take.picture],
        )
        for frame in frames
    ]
    groups = [group for group in groups if group.pictures]
    if not groups:
        return None
    folder = store / _FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f".{name}.part.png"
    for _ in write_contact_sheet(made, groups, title, face=face):
        pass
    target = folder / f"{name}.png"
    place(made, target)
    made.unlink(missing_ok=True)
    return target
