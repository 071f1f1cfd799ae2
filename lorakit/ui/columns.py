"""Lines in columns, for lists of runs, models and the like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lorakit import terminal


def columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield each row as a line, cells as wide as the widest of their column."""
    from rich.cells import cell_len

    shown = [[terminal.line(cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*shown, strict=True)]
    for row in shown:
        cells = (
            cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)
        )
        yield "  ".join(cells).rstrip()
