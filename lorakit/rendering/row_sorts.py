"""What rows must have alike to be drawn in one wave."""

from __future__ import annotations

from lorakit.rendering.wave import Row

# a row's (C, H, W), whether it is guided, how many references it has, where it has any, and how many chunks
# of words, where there are more than one; last whether its references are masked
Sort = tuple[tuple[int, int, int] | bool | int | str, ...]


def sort_of(row: Row) -> Sort:
    """A row's sort: rows of one go through the network together."""
    _, channels, height, width = row.latents.shape
    sort: Sort = ((channels, height, width), row.guided)
    if row.references or row.chunks > 1:
        sort = (*sort, len(row.references))
    if row.chunks > 1:
        sort = (*sort, row.chunks)
    return (*sort, "masked") if row.masked else sort
