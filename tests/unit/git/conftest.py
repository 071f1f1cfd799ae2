"""Repositories that a test opens are closed after it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.repositories import close_all


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    close_all()
