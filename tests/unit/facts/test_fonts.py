import subprocess
import sys
import time
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from lorakit import resources
from lorakit.facts.fonts.fallbacks import drawable, font_file, missing_glyphs


@pytest.mark.slow
@pytest.mark.parametrize("weight", ["Regular", "SemiBold"])
def test_the_coverage_list_is_what_the_font_has(weight):
    has = set(TTFont(font_file(weight)).getBestCmap())
    visible = [c for c in map(chr, range(0x20, 0x20000)) if drawable(c) == c]
    wrong = [c for c in visible if (ord(c) in has) == bool(missing_glyphs(c)) and not c.isascii()]
    assert wrong == []


@pytest.mark.parametrize(
    "text",
    [
        "The bunny finds a golden key!",
        "Żółć, naïve café, Tiếng Việt",
        "Кролик нашёл ключ; Її ґанок",
        "Ένας λαγός βρίσκει ένα κλειδί",
        "“quoted” — … № 5 → ♥",
        "line\nbreak\tand\u00a0spaces\u2028here\r\n",
        "zero\u200bwidth\u200d soft\u00adhyphen \ufeff",
        "e\u0301 composed from two",
        "",
    ],
)
def test_common_writing_is_covered(text):
    assert missing_glyphs(text) == ""


def test_each_missing_character_is_told_once_in_order():
    assert missing_glyphs("兎と鍵, a 🐰 and 兎, ❤\ufe0f") == "兎と鍵🐰"


def test_what_is_drawn_holds_nothing_unseen():
    assert drawable("  A\tline \u200b\nbreak ❤\ufe0f e\u0301\x07 ") == "A line break ❤ é"


def test_the_licence_lies_beside_the_font():
    text = (resources.path("fonts") / "LICENSE-Inter.txt").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE" in text
    assert "The Inter Project Authors" in text


def test_ten_thousand_sentences_are_checked_at_once():
    missing_glyphs("é")
    began = time.process_time()
    for number in range(10_000):
        missing_glyphs(f"Le lapin trouve une clé dorée près de la rivière, numéro {number}")
    assert time.process_time() - began < 5  # of this process, however busy the machine


def test_no_heavy_import():
    heavy = "('PIL', 'numpy', 'torch')"
    code = f"import lorakit.facts.fonts.fallbacks, sys; print([m for m in {heavy} if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_fonts_are_found_in_the_checkout():
    assert font_file("Regular").is_file()
    assert isinstance(font_file("SemiBold"), Path)
