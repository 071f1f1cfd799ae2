"""Zero-width joiners and non-joiners, with published fonts: Persian words, and emoji of several parts."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFont, features

from lorakit import terminal
from lorakit.facts.fonts.fallbacks import drawable, fallbacks, missing_glyphs
from lorakit.plan.subtitles import Cue, cues, srt, vtt
from lorakit.rendering.captions import wrap
from lorakit.rendering.lettering import Lettering

WANTS = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"  # "I want" in Persian: the first part joins not the second
ASTRONAUT = "\U0001f469\u200d\U0001f680"
HEART_ON_FIRE = "\u2764\ufe0f\u200d\U0001f525"


@pytest.fixture
def fonts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = find_spec("manimgx_fonts")
    if found is None or found.origin is None or not features.check("raqm"):
        pytest.skip("without the extra fonts, or a Pillow that shapes")
    (tmp_path / "fonts").mkdir()
    for name in ("NotoSansArabic[wght].ttf", "NotoEmoji[wght].ttf"):
        shutil.copy(Path(found.origin).parent / name, tmp_path / "fonts")
    monkeypatch.setenv("LORAKIT_FONTS", str(tmp_path / "fonts"))
    return tmp_path / "fonts"


def ink(letters: Lettering, text: str) -> np.ndarray:
    page = Image.new("L", (400, 60))
    letters.draw(page, (10, 10), text, 30, fill=255)
    return np.asarray(page)


@pytest.mark.parametrize("text", [WANTS, ASTRONAUT, f"a {ASTRONAUT} b", f"{WANTS} Tom"])
def test_what_is_drawn_keeps_joiners_where_they_mean_something(text: str) -> None:
    assert drawable(text) == text
    assert not set("\u200c\u200d") & set(missing_glyphs(text))


@pytest.mark.parametrize(
    "text", ["\u200cTom\u200d", "To\u200dm", "\U0001f469\u200d", "\u200c \u0645"]
)
def test_joiners_that_join_nothing_vanish(text: str) -> None:
    assert drawable(text) == text.replace("\u200c", "").replace("\u200d", "").strip()


def test_a_persian_word_is_drawn_as_its_font_shapes_it(fonts: Path) -> None:
    letters = Lettering(fallbacks([WANTS]))
    font = ImageFont.truetype(
        str(fonts / "NotoSansArabic[wght].ttf"), 30, layout_engine=ImageFont.Layout.RAQM
    )
    font.set_variation_by_axes([400])
    assert letters.length(WANTS, 30) == pytest.approx(font.getlength(WANTS))
    joined = WANTS.replace("\u200c", "")
    assert not np.array_equal(ink(letters, WANTS), ink(letters, joined))


@pytest.mark.parametrize("text", [ASTRONAUT, drawable(HEART_ON_FIRE)])
def test_an_emoji_of_several_parts_is_one(fonts: Path, text: str) -> None:
    letters = Lettering(fallbacks([text]))
    (run,) = letters.runs(text)
    assert run[0] == text
    assert letters.length(text, 30) < 1.2 * letters.length(text[-1], 30)


def test_what_no_font_here_joins_is_drawn_as_before(fonts: Path) -> None:
    for file in fonts.iterdir():
        file.unlink()
    for text in (WANTS, ASTRONAUT):
        letters = Lettering(fallbacks([text]))
        bare = text.replace("\u200c", "").replace("\u200d", "")
        assert np.array_equal(ink(letters, text), ink(letters, bare))


def test_a_line_is_not_broken_beside_a_joiner() -> None:
    lines = wrap(ASTRONAUT * 6, len, 4)
    assert "".join(lines) == ASTRONAUT * 6
    assert not any(line[-1] == "\u200d" or line[0] == "\u200d" for line in lines)


def test_subtitles_and_terminals_keep_joiners_and_no_marks_of_direction() -> None:
    told = f"{WANTS} {ASTRONAUT}"
    (cue,) = cues([(told + "\x1b", 24)])
    assert cue == Cue(0, 24, told)
    assert told in srt([cue], 24)
    assert told in vtt([cue], 24)
    assert terminal.line(told) == told
    assert terminal.line("\u202eTom\x1b[2J") == "\\u202eTom\\u001b[2J"
