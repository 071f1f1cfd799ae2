"""A data set's page in a real browser: captions of others run nothing, and everything is reached and named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.browser import opened
from tests.support.picture_folders import SCRIPT, folder, scene, told
from tests.support.runs import lorakit

pytestmark = pytest.mark.browser


@pytest.fixture
def page(home: Path) -> Path:
    """The page of a folder with something of everything."""
    folder(home / "photos")
    assert lorakit(home, "data", "photos").returncode == 3
    return home / "outputs" / "data" / "photos.html"


@pytest.mark.slow
def test_hostile_captions_and_names_run_nothing(home: Path, tmp_path: Path) -> None:
    evil = "'\"onload=alert(1) javascript:alert(2)"
    told(home / "photos" / f"{evil}.png", scene(1), f"{SCRIPT} {{{{ 7 * 7 }}}} ]]>")
    (home / "photos" / "<script>alert(3)<").mkdir()
    told(home / "photos" / "<script>alert(3)<" / "b.png", scene(2), "javascript:alert(1)")
    (home / "photos" / "<img src=x onerror=alert(4)>.md").write_text("x")
    assert lorakit(home, "data", "photos").returncode == 0
    with opened(home / "outputs" / "data" / "photos.html", tmp_path / "profile") as seen:
        seen.page.evaluate(
            "document.querySelectorAll('details').forEach((d) => { d.open = true; })"
        )
        for shot in range(seen.page.locator("main a.shot").count()):
            seen.page.locator("main a.shot").nth(shot).click()
            seen.page.keyboard.press("Escape")
        seen.page.wait_for_timeout(200)
        assert seen.dialogs == []
        assert seen.errors == []
        assert [r for r in seen.requests if not r.startswith(("file:", "data:font/"))] == []
        whole = seen.page.locator("main").inner_text()
        for words in (
            SCRIPT,
            "{{ 7 * 7 }}",
            "<script>alert(3)<",
            "<img src=x onerror=alert(4)>.md",
        ):
            assert words in whole


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(page: Path, tmp_path: Path, scheme: str, width: int) -> None:
    with opened(page, tmp_path / "profile", scheme=scheme, width=width) as seen:
        seen.page.evaluate(
            "document.querySelectorAll('details').forEach((d) => { d.open = true; })"
        )
        assert seen.axe() == []
        seen.page.locator("main a.shot").first.click()
        seen.page.wait_for_timeout(200)
        assert seen.axe() == []
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
        assert seen.errors == []


@pytest.mark.slow
def test_every_picture_is_there_and_says_what_it_is(page: Path, tmp_path: Path) -> None:
    with opened(page, tmp_path / "profile") as seen:
        shots = seen.page.locator("#pictures a.shot img")
        assert shots.count() == 12
        seen.page.evaluate(
            "document.querySelectorAll('img').forEach((i) => { i.loading = 'eager'; })"
        )
        widths = seen.page.evaluate(
            "async () => { const all = [...document.querySelectorAll('main img')];"
            " await Promise.all(all.map((i) => i.decode())); return all.map((i) => i.naturalWidth); }"
        )
        assert min(widths) > 0
        assert "fox.jpg" in [one.get_attribute("alt") for one in shots.all()]
        titles = seen.page.locator("h2").all_text_contents()
        assert titles[:3] == ["To mend", "Captions that are missing", "Pictures"]
        # a picture leads to those that are like it
        seen.page.evaluate("document.querySelectorAll('.more').forEach((d) => { d.open = true; })")
        seen.page.locator("#pictures .told a", has_text="others are like it").first.click()
        assert seen.page.url.endswith("#alike")


@pytest.mark.slow
def test_labels_and_lengths_of_texts(home: Path, tmp_path: Path) -> None:
    rows = [f"{'very ' * n}good {SCRIPT.replace(',', '')},good" for n in range(20)]
    rows += [f"{'very ' * n}bad,bad" for n in range(20)]
    (home / "reviews.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    assert lorakit(home, "data", "reviews.csv").returncode == 0
    target = home / "outputs" / "data" / "reviews.csv.html"
    with opened(target, tmp_path / "profile", width=390) as seen:
        assert seen.dialogs == []
        assert seen.errors == []
        assert seen.axe() == []
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= 390
        assert SCRIPT in seen.page.locator("#texts").inner_text()
