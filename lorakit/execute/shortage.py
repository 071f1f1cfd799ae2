"""Whether memory was short, which libraries say in many ways, or by failing at something else."""

from __future__ import annotations

import errno
import mmap
import sys
from collections.abc import Iterator
from pathlib import Path

_SAID = (
    "out of memory",
    "failed to map segment",  # of a library that is loaded
    "cannot allocate",
    "can't allocate",
    "not enough memory",
    "bad_alloc",
    "bad allocation",
)
_STILL_LOADED = (
    300_000_000  # bytes that libraries map once torch is there: OpenBLAS's buffers are most of them
)
_NEARLY = 0.85  # of what a process may take


def check_room() -> None:
    """Raise MemoryError where there is no room for the libraries that are still to be loaded.

    OpenBLAS, which diffusers brings along with scipy, asks for its buffers without end where it gets none.
    """
    try:
        mmap.mmap(-1, _STILL_LOADED).close()
    except OSError as error:
        raise MemoryError("libraries cannot be loaded") from error


def in_words(told: str, way_out: str, error: BaseException | None = None) -> str:
    """An error as it was `told`, or that memory was short, with the way out and what was told."""
    if told.startswith("out of memory"):
        return told
    causes = list(_causes(error))
    short = any(isinstance(one, MemoryError) or _is_enomem(one) for one in causes)
    said = " ".join([told, *map(str, causes)]).lower()
    plain = short or any(words in said for words in _SAID)
    if not plain and not _limit_was_near():
        return told
    known = "MemoryError" in told or "out of memory" in told.lower()
    more = "" if known else f" (it ended in: {told})"
    return f"out of memory: {way_out}{more}"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _is_enomem(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno == errno.ENOMEM


def _limit_was_near() -> bool:
    """Whether this process has had nearly all that `ulimit -v` lets it take: then anything may fail of it."""
    if sys.platform != "linux":
        return False
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return False
    try:
        status = Path("/proc/self/status").read_text("utf-8", "replace")
    except OSError:
        return False
    peak = next((line.split()[1] for line in status.splitlines() if line.startswith("VmPeak")), "0")
    return int(peak) * 1024 > _NEARLY * limit
