"""Cards, the font that is chosen, and lines in many scripts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lorakit.diagnostics import InvalidDocument, render_text
from lorakit.doors.cut import Cut, CutShot
from lorakit.doors.pages import pdf
from lorakit.facts.fonts.chosen_font import face_in, face_of, families
from lorakit.facts.fonts.fallbacks import fallbacks, missing_glyphs
from lorakit.language.story import rates
from lorakit.language.story.decisions import FrameName
from lorakit.plan.frame_takes import FrameTakes, Take
from lorakit.plan.states import Plan
from lorakit.plan.tasks.card import CardTask
from lorakit.plan.tasks.film import FilmTask
from lorakit.plan.tasks.sheet import ContactSheetTask
from lorakit.rendering.cards import write_card
from lorakit.rendering.contact_sheet import SheetGroup, write_contact_sheet
from lorakit.rendering.lettering import Lettering
from lorakit.ui.takes_view import write_sheet
from tests.support.fonts import save_font
from tests.support.planning import plan_of

BOARD = """storyboard: 1
title: The fox and the key
scenes:
  - {name: one, sentences: [a fox, an owl]}
  - {name: two, sentences: [a bear]}
video: {fps: 10, hold: 1, height: 90, VIDEO}
"""


def planned(folder: Path, video: str) -> Plan:
    (folder / "board.yaml").write_text(BOARD.replace("VIDEO", video))
    return plan_of(folder / "board.yaml")


def drawn(folder: Path, *lines: str, style: str = "dark") -> np.ndarray:
    task = CardTask(lines, 320, 180, style, fallbacks(lines))  # type: ignore[arg-type]
    return np.asarray(Image.open(write_card(folder, task, {})["picture"]).convert("L")).astype(int)


def test_a_card_has_its_lines_in_the_middle_and_the_first_larger(tmp_path: Path) -> None:
    page = drawn(tmp_path, "THE FOX", "BY ANNA")
    rows = np.flatnonzero(page.max(axis=1) > 128)
    columns = np.flatnonzero(page.max(axis=0) > 128)
    assert abs((columns[0] + columns[-1]) / 2 - 159.5) < 3
    assert abs((rows[0] + rows[-1]) / 2 - 89.5) < 8
    (gap,) = np.flatnonzero(np.diff(rows) > 1)
    assert gap + 1 > 1.5 * (len(rows) - gap - 1), "the first line's letters are higher"
    light = drawn(tmp_path, "THE FOX", "BY ANNA", style="light")
    assert np.abs(light - (255 - page)).max() <= 2


def test_a_long_card_keeps_its_margins(tmp_path: Path) -> None:
    page = drawn(tmp_path, *["A very long title that goes on and on and on " * 4] * 3)
    rows = np.flatnonzero(page.max(axis=1) > 128)
    columns = np.flatnonzero(page.max(axis=0) > 128)
    assert rows[0] > 10
    assert rows[-1] < 170
    assert columns[0] >= 30
    assert columns[-1] < 290


def test_cards_stand_in_the_film_and_in_its_times(tmp_path: Path) -> None:
    plan = planned(tmp_path, 'title: true, end: {text: "The end\\nAnna", seconds: 2, style: light}')
    tasks = {one.action.id: one.action.task for one in plan.actions}
    title, end = tasks["film/film_title"], tasks["film/film_end"]
    assert isinstance(title, CardTask)
    assert isinstance(end, CardTask)
    assert (title.lines, title.style) == (("The fox and the key",), "dark")
    assert (end.lines, end.style) == (("The end", "Anna"), "light")
    film = tasks["film/film_pictures"]
    assert isinstance(film, FilmTask)
    assert [shot.frames for shot in film.shots] == [30, 10, 10, 10, 20]
    assert (title.width, title.height) == (90, 90)
    chapters = [(one.clips, one.frames) for one in tasks["film/film"].chapters]  # type: ignore[attr-defined]
    assert chapters == [(3, 50), (2, 30)]
    texts = [(one.text, one.frames) for one in tasks["film/film_subtitles"].texts]  # type: ignore[attr-defined]
    assert texts == [("", 30), ("a fox", 10), ("an owl", 10), ("a bear", 10), ("", 20)]
    assert not any("card" in one.action.id for one in planned(tmp_path, "captions: true").actions)


def test_a_card_shorter_than_its_crossfade_is_told_with_both(tmp_path: Path) -> None:
    with pytest.raises(InvalidDocument) as caught:
        planned(tmp_path, "title: {seconds: 0.3}, transition: {kind: crossfade, seconds: 0.8}")
    text = render_text(caught.value.diagnostics)
    assert "this card of 0.3 s is shorter than the crossfade of 0.8 s" in text
    assert "board.yaml:6:" in text


def test_a_font_is_found_by_its_family_or_its_file(fonts: Path) -> None:
    path = save_font(fonts / "own" / "mine.ttf", "My Own", "ABC abc小")
    found = face_of("my own")
    assert found is not None
    assert (found.path, found.family) == (str(path), "My Own")
    assert face_in(path) == found
    assert families() == ["My Own"]
    assert face_of("Nobody's") is None
    (fonts / "broken.ttf").write_bytes(b"words")
    assert face_in(fonts / "broken.ttf") is None


def test_a_chosen_font_draws_all_that_it_has_and_others_the_rest(fonts: Path) -> None:
    save_font(fonts / "mine.ttf", "Mine", "abc ")
    save_font(fonts / "zh.ttf", "Other", "小红")
    mine = face_of("Mine")
    letters = Lettering(fallbacks(["abc d 小"], mine))
    runs = [(run, Path(font.path).name if font else "") for run, font in letters.runs("abc d 小")]
    assert runs == [("abc ", "mine.ttf"), ("d", ""), (" ", "mine.ttf"), ("小", "zh.ttf")]
    assert missing_glyphs(["abc 小鹿"], mine) == "鹿"
    bar = Image.new("L", (200, 60))
    letters.draw(bar, (10, 10), "abc", 30, fill=255)
    plain = Image.new("L", (200, 60))
    Lettering().draw(plain, (10, 10), "abc", 30, fill=255)
    assert bar.tobytes() != plain.tobytes()


def test_a_font_that_is_not_here_is_told_where_it_is_named(fonts: Path, tmp_path: Path) -> None:
    save_font(fonts / "mine.ttf", "Lobster Two", "abc")
    (tmp_path / "words.ttf").write_text("words")
    for video, said in (
        ("font: Lobster Too", "no font here is called Lobster Too"),
        ("font: words.ttf", "words.ttf cannot be read as a font"),
    ):
        with pytest.raises(InvalidDocument) as caught:
            planned(tmp_path, video)
        text = render_text(caught.value.diagnostics)
        assert said in text
        assert "board.yaml:6:" in text
        assert ("Lobster Two" in text) == ("Too" in video)
    film = next(
        one.action.task
        for one in planned(tmp_path, "font: Lobster Two, captions: true").actions
        if isinstance(one.action.task, FilmTask)
    )
    assert film.fallbacks[0].characters == "ab"


def test_a_contact_sheet_has_the_lettering_of_its_film(fonts: Path, tmp_path: Path) -> None:
    """Bars in place of letters: of the title, the captions, and of what a sheet says itself."""
    save_font(fonts / "mine.ttf", "Mine", "".join(map(chr, range(32, 127))))
    plain, chosen = (
        next(a.action for a in planned(tmp_path, video).actions if a.action.kind == "contact-sheet")
        for video in ("captions: true", "font: Mine, captions: true")
    )
    assert isinstance(chosen.task, ContactSheetTask)
    assert isinstance(plain.task, ContactSheetTask)
    assert plain.task.fallbacks == (), "a board that chooses none keeps the sheet's key"
    assert [Path(font.path).name for font in chosen.task.fallbacks] == ["mine.ttf"]
    heights = []
    Image.new("RGB", (96, 96), "#15171c").save(tmp_path / "a.png")
    for task in (plain.task, chosen.task):
        groups = [
            SheetGroup(rows.title, [(tmp_path / "a.png", each.caption) for each in rows.pictures])
            for rows in task.groups
        ]
        letters = Lettering(task.fallbacks)
        for text in ("3 pictures", "… and 1,290,486,573 more pictures", task.heading):
            others = [run for run, font in letters.runs(text) if font is None]
            assert task is plain.task or set("".join(others)) <= {"…"}, "one line has one lettering"
        list(write_contact_sheet(tmp_path / "sheet.png", groups, task.heading, letters))
        page = np.asarray(Image.open(tmp_path / "sheet.png").convert("L"))
        heights.append(int((page[:70].max(axis=1) > 128).sum()))  # of the title
    letters_high, bars_high = heights
    assert bars_high <= 7, "a bar is a fifth of the 30 px"
    assert letters_high > 15


def test_takes_and_printed_pages_have_the_lettering_too(
    fonts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_font(fonts / "mine.ttf", "Mine", "".join(map(chr, range(32, 127))))
    Image.new("RGB", (96, 96), "navy").save(tmp_path / "a.png")
    take = Take(1, tmp_path / "a.png", "digest", "key")
    frames = [FrameTakes(FrameName("one", 1), "a fox", (take,), 1)]
    shot = CutShot("film/one/1", "one", "a fox", 0, 10, 0, None, None, tmp_path / "a.png")
    sheets, printed = [], []
    for face in (None, face_of("Mine")):
        sheet = write_sheet(frames, "The fox", tmp_path, "board", face)
        assert sheet is not None
        sheets.append(sheet.read_bytes())
        cut = Cut("The fox", rates.of(10), captions_on_top=False, shots=(shot,), face=face)
        ((_, data),) = pdf(cut)
        printed.append(data)
    assert sheets[0] != sheets[1]
    assert printed[0] != printed[1]


def test_the_first_picture_comes_from_the_title_as_it_says(tmp_path: Path) -> None:
    board = BOARD.replace("{name: one,", "{name: one, transition: {kind: fade-black, seconds: 1},")
    for video, told in (("title: true", False), ("end: The end", True)):
        (tmp_path / "board.yaml").write_text(board.replace("VIDEO", video))
        warnings = [one.message for one in plan_of(tmp_path / "board.yaml").warnings]
        assert any("transition has no effect" in one for one in warnings) == told
