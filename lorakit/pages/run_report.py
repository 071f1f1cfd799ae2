"""`report.html`: a run folder as one page."""

from __future__ import annotations

from pathlib import Path

from lorakit.execute import past_run
from lorakit.execute.events import RunFinished
from lorakit.execute.run_folder import REPORT
from lorakit.pages.parts import Page
from lorakit.pages.render import render
from lorakit.pages.run_files import gather
from lorakit.pages.run_others import beside, compared
from lorakit.pages.run_page import page_of
from lorakit.store import atomic
from lorakit.store.errors import StoreError, why


def page_of_folder(
    folder: Path, finished: RunFinished | None = None, *, compare: bool = True
) -> Page:
    """The page of a run folder, to `compare` it with runs beside it as well. Raises LorakitError."""
    run = past_run.read(folder, finished)
    return page_of(run, gather(run), compared(run, beside(run)) if compare else None)


def write_report(folder: Path, finished: RunFinished | None = None) -> Path:
    """Write a run folder's page anew. Raises LorakitError.

    `finished` is the last event of a run that has not written it yet.
    """
    text = render(page_of_folder(folder, finished))
    target = folder / REPORT
    try:
        atomic.write_bytes(target, text.encode("utf-8", "replace"), durable=False)
    except OSError as error:
        raise StoreError(f"{target} cannot be written: {why(error)}") from error
    return target
