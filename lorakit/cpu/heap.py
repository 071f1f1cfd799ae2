"""Keeps freed memory for the next tensor, instead of giving it back to the system.

glibc gives every block over 128 KiB a mapping of its own and returns it when it is freed, so that each
activation of a network is paged in anew: a tenth and more of a small UNet's time on a CPU.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import sys

from lorakit.facts.machine.this_machine import cpu_patches

# mallopt's names for them in malloc.h
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_LARGEST = 32 << 20  # bytes; the most that glibc takes for the threshold of mappings
_KEPT = 512 << 20
_PAD = 64 << 20


@functools.cache
def keep_freed_memory() -> bool:
    """Tell the allocator of this process, where it is glibc's; whether it took it."""
    if not cpu_patches() or not sys.platform.startswith("linux"):
        return False
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        wanted = ((_MMAP_THRESHOLD, _LARGEST), (_TRIM_THRESHOLD, _KEPT), (_TOP_PAD, _PAD))
        taken = [mallopt(name, value) for name, value in wanted]
        return all(taken)
    return False


def give_back_freed_memory() -> None:
    """Return what lies unused between the blocks in use, where the allocator is glibc's.

    Tensors of another size in each step leave holes that the next one's do not fit, and the heap grows.
    """
    if cpu_patches() and sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
