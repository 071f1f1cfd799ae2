"""The page of `lorakit watch`: a run's, with what is wrong now above it, and a script that follows. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from lorakit.diagnostics import Diagnostic
from lorakit.pages.findings import finding
from lorakit.pages.parts import Page, PagePicture, PictureStrip, Section, Tone

_SCRIPTS = ("watch.js",)


def live(
    page: Page | None,
    name: str,
    status: str,
    tone: Tone,
    found: Sequence[Diagnostic] = (),
    underway: Mapping[str, str] = MappingProxyType({}),
) -> Page:
    """A run's page, or one of a document that was not run yet, with a line about what goes on.

    `underway` has pictures of frames that are not done, by the frames' ids.
    """
    base = page or Page(title=name, heading=name, sections=[])
    return replace(
        base,
        lead=status,
        tone=tone,
        sections=[
            *_findings(found, drawn=page is not None),
            *_underway(underway),
            *base.sections,
        ],
        scripts=_SCRIPTS,
        connect=True,
    )


def _findings(found: Sequence[Diagnostic], *, drawn: bool) -> Iterator[Section]:
    if found:
        title = "To mend" if any(d.severity == "error" for d in found) else "Told"
        note = "The pictures below are from before" if drawn and title == "To mend" else ""
        yield Section("now", title, [finding(d) for d in found], title, note)


def _underway(previews: Mapping[str, str]) -> Iterator[Section]:
    if previews:
        pictures = [
            PagePicture(alt=f"{id_}, on its way", src=src, text=id_)
            for id_, src in previews.items()
        ]
        yield Section("underway", "On its way", [PictureStrip(pictures)], "On its way")
