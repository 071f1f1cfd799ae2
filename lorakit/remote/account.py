"""What is said of a team's cache in a plan."""

from __future__ import annotations

from lorakit.records import record


@record
class CacheAccount:
    """A cache: its address, where that is written, whether it is read only and `why`, whose results it takes.

    `results` is how many it offers, and `troubles` what is wrong with it.
    """

    url: str
    mode: str
    why: str
    source: str
    accept: str
    policy: str
    results: int
    troubles: tuple[str, ...] = ()
