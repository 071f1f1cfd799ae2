"""Lines of text in several fonts, run by run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lorakit.facts.fonts.fallbacks import fallbacks
from lorakit.rendering.captions import CaptionStyle, caption_layer
from lorakit.rendering.contact_sheet import SheetGroup, write_contact_sheet
from lorakit.rendering.lettering import Lettering, load_font
from tests.support.fonts import save_colour_font, save_font


def drawn(letters: Lettering, text: str, mode: str = "L", rim: int = 0) -> np.ndarray:
    page = Image.new(mode, (400, 60))
    letters.draw(page, (10, 10), text, 30, fill=255 if mode == "L" else "white", rim=rim)
    return np.asarray(page)


def words(letters: Lettering, text: str) -> list[tuple[str, bool]]:
    return [(run, font is not None) for run, font in letters.runs(text)]


def test_a_line_is_cut_where_its_font_changes(fonts: Path) -> None:
    save_font(fonts / "a.ttf", "A", "小红 ,")
    letters = Lettering(fallbacks(["Tom, 小, 红 is here"]))
    assert words(letters, "Tom, 小, 红 is here") == [
        ("Tom, ", False),
        ("小, 红", True),
        (" is here", False),
    ]
    assert words(letters, "plain") == [("plain", False)]
    assert words(letters, "é") == [("é", False)]


def test_letters_that_ours_lacks_are_drawn_by_another_font(fonts: Path) -> None:
    save_font(fonts / "a.ttf", "A", "小")
    letters = Lettering(fallbacks(["小"]))
    baseline = 10 + load_font(30, bold=False).getmetrics()[0]
    rows = np.flatnonzero(drawn(letters, "小").max(axis=1))
    # a bar of 6 px on the line, no hollow box as ours has for what it lacks
    assert (rows.min(), rows.max() + 1) == (baseline - 6, baseline)
    assert np.ptp(np.flatnonzero(drawn(Lettering(), "小").max(axis=1))) > 15
    assert letters.length("小", 30) == pytest.approx(27)
    assert letters.length("a小a", 30) == pytest.approx(27 + 2 * letters.length("a", 30))


def test_colours_stay_on_a_page_and_become_brightness_in_a_film(fonts: Path) -> None:
    save_colour_font(fonts / "emoji.ttf", "Emoji", "🐰")
    letters = Lettering(fallbacks(["🐰"]))
    page = drawn(letters, "🐰", "RGB")
    assert (page[..., 0].max(), page[..., 1].max()) == (255, 0)
    assert 60 < drawn(letters, "🐰").max() < 100
    assert drawn(letters, "🐰", rim=2).max() == 255


def test_a_line_from_right_to_left_is_left_to_one_font(fonts: Path) -> None:
    save_font(fonts / "a.ttf", "A", "שלוםTom ")
    letters = Lettering(fallbacks(["שלום Tom"]))
    assert words(letters, "שלום Tom") == [("שלום Tom", True)]
    (fonts / "a.ttf").unlink()
    save_font(fonts / "b.ttf", "A", "שלום ")
    letters = Lettering(fallbacks(["שלום Tom"]))
    # the blank stands between the two, on the right of what is read from the left
    assert words(letters, "שלום Tom") == [("Tom ", False), ("שלום", True)]


def test_captions_in_scripts_without_blanks_fill_their_lines(fonts: Path) -> None:
    text = "小红在森林里睡觉，" * 6 + "她醒了。"
    save_font(fonts / "a.ttf", "A", "".join(sorted(set(text))))
    layer = caption_layer(text, CaptionStyle(), 640, 360, Lettering(fallbacks([text])))
    assert layer is not None
    assert layer.right - layer.left > 400
    assert (np.asarray(layer.light) > 200 * 256 // 256).any()


def test_a_contact_sheet_shows_letters_of_the_machine_s_fonts(fonts: Path, tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    Image.new("RGB", (96, 96), "navy").save(picture)
    save_font(fonts / "a.ttf", "A", "小红在森林")
    texts = ("小红", "森林", "小红在森林")
    sheets = []
    for letters in (Lettering(), Lettering(fallbacks(texts))):
        target = tmp_path / "sheet.png"
        groups = [SheetGroup(texts[1], [(picture, texts[2])])]
        list(write_contact_sheet(target, groups, texts[0], letters))
        sheets.append((np.asarray(Image.open(target).convert("L")) > 100).sum())
    assert sheets[1] < 0.8 * sheets[0]  # bars instead of boxes
