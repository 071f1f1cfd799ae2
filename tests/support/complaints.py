"""What lorakit says of documents that are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

import lorakit
from lorakit.diagnostics import InvalidDocument


def complaint(path: Path) -> str:
    """All that a check of a document says is wrong with it; the test fails where nothing is."""
    with pytest.raises(InvalidDocument) as caught:
        lorakit.load(path).check()
    return str(caught.value)
