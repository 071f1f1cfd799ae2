"""Freed memory goes back to the system when it is asked to."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

# small blocks, every other one freed: no free piece is at the heap's end, where glibc would give it back itself
PROGRAM = """\
import ctypes, psutil
from lorakit.cpu.heap import give_back_freed_memory
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
libc.mallopt(-3, 1 << 25)
blocks = []
for _ in range(800):
    block = libc.malloc(100_000)
    ctypes.memset(block, 1, 100_000)
    blocks.append(block)
for block in blocks[::2]:
    libc.free(block)
before = psutil.Process().memory_info().rss
give_back_freed_memory()
print(before - psutil.Process().memory_info().rss)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator")
def test_what_lies_unused_between_blocks_is_given_back() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) > 20 << 20
