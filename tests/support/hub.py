"""Data sets as the hub's own library leaves them on a machine, so that tests need no network."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from PIL import Image

ORIENTATION = 274  # EXIF's tag


def caches(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty caches below `folder`, for this process and for those that it starts."""
    import datasets
    from huggingface_hub import constants

    monkeypatch.setenv("HF_HUB_CACHE", str(folder / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder / "hub"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "own"))
    monkeypatch.setenv("HF_DATASETS_CACHE", str(folder / "datasets"))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(folder / "datasets"))
    return folder / "hub"


def publish(
    cache: Path, name: str, files: dict[str, bytes], branch: str = "main", commit: str = "a" * 40
) -> Path:
    """Put files into a cache as a downloaded data set: links by name to blobs by content."""
    home = cache / f"datasets--{name.replace('/', '--')}"
    for path, data in files.items():
        blob = home / "blobs" / hashlib.sha256(data).hexdigest()
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(data)
        link = home / "snapshots" / commit / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(blob)
    (home / "refs").mkdir(exist_ok=True)
    (home / "refs" / branch).write_text(commit)
    return home / "snapshots" / commit


def picture(colour: str, size: tuple[int, int] = (64, 64), turned: bool = False) -> bytes:
    """A PNG of one colour; `turned` lies on its side and says so in its EXIF."""
    made = Image.new("RGB", size[::-1] if turned else size, colour)
    exif = Image.Exif()
    if turned:
        exif[ORIENTATION] = 6
    target = io.BytesIO()
    made.save(target, "PNG", exif=exif)
    return target.getvalue()


def parquet(columns: dict[str, list[object]], *, images: tuple[str, ...] = ("image",)) -> bytes:
    """A Parquet file as most of the hub's data sets of pictures are: bytes in the rows, types in its header."""
    import datasets
    from pyarrow import Table
    from pyarrow import parquet as files

    rows = {
        name: [{"bytes": v, "path": None} if isinstance(v, bytes) else v for v in values]
        for name, values in columns.items()
    }
    table = Table.from_pydict(rows)
    told = datasets.Features.from_arrow_schema(table.schema)
    told |= {name: datasets.Image() for name in images}
    target = io.BytesIO()
    files.write_table(table.cast(datasets.Features(told).arrow_schema), target)
    return target.getvalue()
