"""How long a run's page takes to write and to open, and how large it is: `benchmarks/report.py [FRAMES]`.

The run has scenes of ten frames of 512 px, laid out as a run leaves them. To write is CPU time of this
process; to open is until Chromium has loaded the page, where it and `lorakit[browser]` are there.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import pytest
from PIL import Image

from lorakit.pages.run_report import write_report
from tests.support import past_runs
from tests.support.browser import chromium, opened


def main() -> None:
    frames = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as name:
        outputs = Path(name) / "outputs" / "film"
        for number in ("001", "002"):
            past_runs.film(outputs / number, -(-frames // 10), 10)
        pictures = sorted((outputs / "002").rglob("frame_*.png"))
        picture = Image.effect_noise((512, 512), 64).convert("RGB")
        picture.save(pictures[0])
        for other in pictures[1:]:
            other.write_bytes(pictures[0].read_bytes())
        write_report(outputs / "001")  # templates are compiled once a process
        began, wall = time.process_time(), time.perf_counter()
        page = write_report(outputs / "002")
        taken, wall = time.process_time() - began, time.perf_counter() - wall
        size = page.stat().st_size
        print(
            f"{frames:,} frames: written in {taken:.2f} s of CPU time ({wall:.2f} s), {size / 1e6:.2f} MB"
        )
        _open(page, Path(name) / "profile")


def _open(page: Path, profile: Path) -> None:
    try:
        chromium()
    except pytest.skip.Exception as missing:
        print(f"not opened: {missing}")
        return
    with opened(page, profile) as seen:
        timing = "(() => { const n = performance.getEntriesByType('navigation')[0];"
        loaded = seen.page.evaluate(
            timing + " return [n.domContentLoadedEventEnd, n.loadEventEnd]; })()"
        )
        pictures = sum(request.endswith(".png") for request in seen.requests)
        print(
            f"parsed after {loaded[0] / 1000:.2f} s, loaded after {loaded[1] / 1000:.2f} s, "
            f"{pictures} pictures asked for"
        )


if __name__ == "__main__":
    main()
