"""A run's report in a real browser: nothing runs, nothing is asked for, everything is reached and named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lorakit.pages.run_report import write_report
from tests.support import past_runs
from tests.support.browser import opened

pytestmark = pytest.mark.browser


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """The report of a film's second run, its first beside it."""
    past_runs.film(tmp_path / "outputs" / "fox" / "001", 3, 4)
    return write_report(past_runs.film(tmp_path / "outputs" / "fox" / "002", 3, 4))


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_report_of_hostile_documents_runs_none_of_them(tmp_path: Path, scheme: str) -> None:
    past_runs.hostile(tmp_path / "outputs" / "x" / "001")
    page = write_report(past_runs.hostile(tmp_path / "outputs" / "x" / "002"))
    with opened(page, tmp_path / "profile", scheme=scheme) as seen:
        # everything that can be opened is, everything that can be pressed is
        seen.page.evaluate(
            "document.querySelectorAll('details').forEach((d) => { d.open = true; })"
        )
        seen.page.evaluate(
            "document.querySelectorAll('img').forEach((i) => { i.loading = 'eager'; })"
        )
        for shot in range(seen.page.locator("main a.shot").count()):
            seen.page.locator("main a.shot").nth(shot).click()
            seen.page.keyboard.press("Escape")
        seen.page.select_option("#compare-run", "0")
        seen.page.wait_for_timeout(300)
        assert seen.dialogs == []
        assert [e for e in seen.errors if "ERR_FILE_NOT_FOUND" not in e] == []
        assert seen.requests
        assert [r for r in seen.requests if not r.startswith(("file:", "data:font/"))] == []
        assert (
            seen.page.evaluate("document.querySelectorAll('iframe, object, embed, base').length")
            == 0
        )
        assert (
            seen.page.evaluate(
                "[...document.images].filter((i) => i.src && !i.src.startsWith('file:')).length"
            )
            == 0
        )
        text = seen.page.locator("#step-title, h2").first.text_content()
        assert text is not None
        whole = seen.page.locator("main").inner_text()
        for words in past_runs.HOSTILE:
            shown = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in words)
            assert shown.replace("  ", " ") in whole


@pytest.mark.slow
def test_the_policy_stops_a_script_that_got_into_the_page(report: Path) -> None:
    text = report.read_text("utf-8")
    missed = "<script>alert('in')</script><img src='x' onerror=\"alert('on')\"><a id=j href='javascript:alert(1)'>j</a>"
    report.write_text(text.replace("</main>", missed + "</main>", 1))
    with opened(report, report.parent / "profile") as seen:
        seen.page.evaluate("document.getElementById('j').click()")
        seen.page.wait_for_timeout(300)
        assert seen.dialogs == []
        assert (
            sum("Content Security Policy" in e for e in seen.errors) >= 3
        )  # it was tried, and stopped


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(report: Path, scheme: str, width: int) -> None:
    with opened(report, report.parent / "profile", scheme=scheme, width=width) as seen:
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
def test_the_keyboard_reaches_everything(report: Path) -> None:
    with opened(report, report.parent / "profile") as seen:
        page = seen.page
        wanted = page.evaluate(
            "() => [...document.querySelectorAll('a[href], button, select, input, summary, video, [tabindex=\"0\"]')]"
            ".filter((e) => e.checkVisibility({ contentVisibilityAuto: false }) && !e.closest('dialog')).length"
        )
        reached = set()
        for _ in range(wanted + 20):
            page.keyboard.press("Tab")
            reached.add(
                page.evaluate(
                    "() => { const all = [...document.querySelectorAll('*')];"
                    " return all.indexOf(document.activeElement); }"
                )
            )
        assert len(reached) >= wanted
        # a picture opens by Enter, arrows go on, Escape closes and the focus is where it was
        page.locator("main a.shot").nth(1).focus()
        page.keyboard.press("Enter")
        assert page.locator("#viewer").evaluate("d => d.open")
        assert page.locator("#viewer-text").text_content().startswith("The fox finds key number 2")
        page.keyboard.press("ArrowRight")
        assert page.locator("#viewer-text").text_content().startswith("The fox finds key number 3")
        page.keyboard.press("Escape")
        assert not page.locator("#viewer").evaluate("d => d.open")
        assert "frame_003" in page.evaluate("document.activeElement.href")


@pytest.mark.slow
def test_the_switch_is_remembered_and_says_how_it_stands(report: Path) -> None:
    with opened(report, report.parent / "profile") as seen:
        page = seen.page
        paper = "getComputedStyle(document.body).backgroundColor"
        light = page.evaluate(paper)
        assert page.locator("#theme").get_attribute("aria-pressed") == "false"
        page.locator("#theme").click()
        assert page.locator("#theme").get_attribute("aria-pressed") == "true"
        assert page.evaluate(paper) != light
        page.reload()
        assert page.evaluate(paper) != light


@pytest.mark.slow
def test_two_runs_lie_over_each_other(report: Path) -> None:
    with opened(report, report.parent / "profile") as seen:
        page = seen.page
        changed = page.locator("#compare-frame option").count()
        assert changed == 4  # of 12, every third differs from run to run
        page.locator("#compare-changed").uncheck()
        assert page.locator("#compare-frame option").count() == 12
        page.locator("#compare-slide").focus()
        page.keyboard.press("Home")
        assert (
            page.locator("#compare-after").evaluate("i => i.style.clipPath")
            == "inset(0px 0px 0px 0%)"
        )
        for which, run in (("before", "001"), ("after", "002")):
            source = page.locator(f"#compare-{which}").get_attribute("src")
            assert (
                page.locator(f"#compare-{which}").evaluate(
                    "async i => { await i.decode(); return i.naturalWidth; }"
                )
                == 64
            )
            assert (run in source) == (which == "before")


@pytest.mark.slow
def test_a_line_of_a_document_opens_where_a_picture_says_it_is_written(report: Path) -> None:
    with opened(report, report.parent / "profile") as seen:
        seen.page.evaluate("document.querySelectorAll('.more').forEach((d) => { d.open = true; })")
        link = seen.page.locator("main .told a", has_text=re.compile(r"^board\.yaml:2:9$")).first
        link.click()
        assert seen.page.locator("#doc-1").evaluate("d => d.open")
        assert seen.page.locator("#doc-1-2").is_visible()


@pytest.mark.slow
def test_a_thousand_pictures_are_looked_at_as_they_come_into_view(tmp_path: Path) -> None:
    page = write_report(past_runs.film(tmp_path / "outputs" / "fox" / "001", 100, 10))
    assert page.stat().st_size < 5_000_000
    with opened(page, tmp_path / "profile") as seen:
        seen.page.wait_for_timeout(300)
        assert seen.page.locator("main a.shot").count() == 1000
        pictures = {r for r in seen.requests if r.endswith(".png")}
        assert 0 < len(pictures) < 200
