"""What is wrong, or worth a warning, as a part of a page."""

from __future__ import annotations

from lorakit.diagnostics import Diagnostic
from lorakit.pages.parts import Finding


def finding(told: Diagnostic) -> Finding:
    """A finding as a part of a page."""
    place = told.place
    return Finding(
        told.severity,
        told.code,
        told.message,
        str(place or ""),
        (told.excerpt or "").rstrip("\r\n"),
        place.line if place else 0,
        max(1, place.column) if place else 1,
        max(1, place.length) if place else 1,
        told.hints,
    )
