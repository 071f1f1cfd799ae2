"""The page of `lorakit watch`: a run's, with what is wrong now above it, and a script that follows. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lorakit.diagnostics import Diagnostic
from lorakit.pages.findings import finding
from lorakit.pages.parts import Page, Section, Tone

_SCRIPTS = ("watch.js",)


def live(
    page: Page | None, name: str, status: str, tone: Tone, found: Sequence[Diagnostic] = ()
) -> Page:
    """A run's page, or one of a document that was not run yet, with a line about what goes on."""
    base = page or Page(title=name, heading=name, sections=[])
    return replace(
        base,
        lead=status,
        tone=tone,
        sections=[*_findings(found, drawn=page is not None), *base.sections],
        scripts=_SCRIPTS,
        connect=True,
    )


def _findings(found: Sequence[Diagnostic], *, drawn: bool) -> Iterator[Section]:
    if found:
        title = "To mend" if any(d.severity == "error" for d in found) else "Told"
        note = "The pictures below are from before" if drawn and title == "To mend" else ""
        yield Section("now", title, [finding(d) for d in found], title, note)
