"""How long a look at a data set takes, and how large its page is: `benchmarks/data.py [PICTURES]`.

JPEGs of a megapixel, with captions; the first look cuts all of them, the second finds the thumbnails there.
Seconds are CPU time of this process.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from lorakit.cli import command


def main() -> None:
    pictures = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 255, (32, 32, 3), np.uint8))
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        Path(".lorakit").mkdir()
        Path("photos").mkdir()
        for number in range(pictures):
            size = (1024, (683, 768, 1024, 1365)[number % 4])
            box = (number % 16, number // 16 % 16, number % 16 + 16, number // 16 % 16 + 16)
            noise.rotate(number).resize(size, Image.Resampling.BICUBIC, box).save(
                f"photos/{number:05d}.jpg", quality=92
            )
            Path(f"photos/{number:05d}.txt").write_text(f"a pattern of colours, number {number}")
        for size in ("128", "1024"):
            for which in ("first", "second"):
                began, wall = time.process_time(), time.perf_counter()
                with (
                    contextlib.redirect_stdout(io.StringIO()),
                    contextlib.redirect_stderr(io.StringIO()),
                ):
                    command.main(["data", "photos", "--size", size], standalone_mode=False)
                taken, wall = time.process_time() - began, time.perf_counter() - wall
                print(
                    f"{pictures:,} pictures at {size} px, {which} look: {taken:.1f} s CPU, {wall:.1f} s"
                )
        page = Path("outputs/data/photos.html").stat().st_size
        beside = sum(f.stat().st_size for f in Path("outputs/data/photos-pictures").iterdir())
        print(f"page {page / 1e6:.2f} MB, thumbnails {beside / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
