"""Fonts of the machine stand in for letters that ours lacks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import lorakit
from lorakit.facts.fonts.fallbacks import (
    fallbacks,
    missing_glyphs,
    only_with_gradients,
    script_of,
)
from tests.support.fonts import (
    save_collection,
    save_colour_font,
    save_font,
    save_gradient_font,
)


def test_what_our_font_has_needs_no_other(fonts: Path) -> None:
    save_font(fonts / "a.ttf", "A", "éx")
    assert fallbacks(["Café", "x", "Привет"]) == ()
    assert missing_glyphs("Café") == ""


def test_a_font_of_the_machine_stands_in(fonts: Path) -> None:
    path = save_font(fonts / "sub" / "a.ttf", "A", "小红 ,x")
    (found,) = fallbacks(["小红, x", "plain y"])
    assert (found.path, found.characters, found.beside) == (str(path), "小红", " ,x")
    assert missing_glyphs(["小红明"]) == "明"


def test_a_font_with_all_letters_goes_before_one_with_some(fonts: Path) -> None:
    save_font(fonts / "a.ttf", "A", "小")
    whole = save_font(fonts / "b.ttf", "B", "小红")
    assert [one.path for one in fallbacks(["小红"])] == [str(whole)]


def test_scripts_may_come_from_several_fonts(fonts: Path) -> None:
    save_font(fonts / "cjk.ttf", "A", "小")
    save_font(fonts / "emoji.ttf", "B", "🐰")
    assert {one.characters for one in fallbacks(["小🐰"])} == {"小", "🐰"}


def test_of_a_collection_the_forms_of_the_text_s_country_are_taken(fonts: Path) -> None:
    families = {f"Noto Sans CJK {c}": "小とア안" for c in ("JP", "KR", "SC")}
    save_collection(fonts / "NotoSansCJK.ttc", families)
    assert [fallbacks([text])[0].index for text in ("小と", "小안", "小")] == [0, 1, 2]


def test_colour_is_known(fonts: Path) -> None:
    save_colour_font(fonts / "emoji.ttf", "Emoji", "🐰")
    (found,) = fallbacks(["🐰"])
    assert (found.colour, found.strike) == (True, 0)


def test_a_font_of_gradients_draws_nothing_and_is_told_of(fonts: Path) -> None:
    """Pillow draws an empty box for COLRv1, as Fedora's and Windows 11's emoji are."""
    path = save_gradient_font(fonts / "Noto-COLRv1.ttf", "Noto Color Emoji", "🐰🔑")
    assert missing_glyphs("🐰 🔑") == "🐰🔑"
    assert only_with_gradients("🐰🦊") == {"Noto Color Emoji": "🐰"}
    board = path.parent / "board.yaml"
    board.write_text("storyboard: 1\nscenes: [{text: A 🐰 sleeps.}]\n")
    (warning,) = [w for w in lorakit.load(board).plan().warnings if w.code == "no-glyph"]
    assert "no font here has 🐰 in a form that can be drawn" in warning.message
    assert warning.hints[0] == (
        "Noto Color Emoji has 🐰 with gradients alone (COLRv1), which are not drawn here"
    )
    # one that has it in pictures or flat colours is taken, wherever it is
    save_colour_font(fonts / "z.ttf", "Flat", "🐰")
    assert missing_glyphs("🐰") == ""
    assert not [w for w in lorakit.load(board).plan().warnings if w.code == "no-glyph"]


def test_what_is_no_font_is_passed_over(fonts: Path) -> None:
    path = save_font(fonts / "z.ttf", "Z", "小")
    (fonts / "a.ttf").write_bytes(b"no font")
    (fonts / "b.otf").write_bytes(path.read_bytes()[:200])
    (fonts / "c.ttc").write_bytes(b"ttcf" + bytes(8))
    (fonts / "d.ttf").mkdir()
    (fonts / ".e.ttf").write_bytes(b"")
    (fonts / "LastResort.ttf").write_bytes(path.read_bytes())
    if hasattr(os, "mkfifo"):
        os.mkfifo(fonts / "f.ttf")
    assert [one.path for one in fallbacks(["小"])] == [str(path)]


def test_without_fonts_each_missing_character_is_told_once_in_order() -> None:
    assert missing_glyphs("兎と鍵, a 🐰 and 兎, ❤\ufe0f") == "兎と鍵🐰"


def test_the_key_of_a_font_is_its_content(fonts: Path) -> None:
    from lorakit.facts.fonts.font_files import digest

    path = save_font(fonts / "a.ttf", "A", "小")
    before = fallbacks(["小"])[0]
    assert before.digest == digest(str(path))
    path.rename(fonts / "b.ttf")
    assert fallbacks(["小"])[0].digest == before.digest


@pytest.mark.parametrize(
    ("character", "script"),
    [
        ("小", "CJK"),
        ("と", "CJK"),
        ("안", "CJK"),
        ("。", "CJK"),
        ("🐰", "SYMBOL"),
        ("م", "ARABIC"),
        ("न", "DEVANAGARI"),
    ],
)
def test_scripts_are_those_that_fonts_have(character: str, script: str) -> None:
    assert script_of(character) == script
