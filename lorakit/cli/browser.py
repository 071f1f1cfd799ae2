"""Pages in the user's browser."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click


def show(pages: Sequence[Path]) -> None:
    """Open each page, and say so where that cannot be done."""
    import webbrowser

    shown = [webbrowser.open(page.resolve().as_uri()) for page in pages]
    if not all(shown):
        click.echo("no browser was found: open the file by hand", err=True)
