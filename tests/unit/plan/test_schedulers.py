"""Schedulers: one table, which the schema and diffusers agree with."""

from __future__ import annotations

import inspect
import json

import diffusers
import pytest

from lorakit import resources
from lorakit.plan.schedulers import SCHEDULERS, calls


def test_the_schema_names_the_schedulers_of_the_table() -> None:
    text = (resources.path("schemas") / "storyboard.schema.json").read_text("utf-8")
    assert json.loads(text)["definitions"]["scheduler"]["enum"] == list(SCHEDULERS)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_row_is_what_diffusers_has(name: str) -> None:
    row = SCHEDULERS[name]
    kind = getattr(diffusers, row.diffusers)
    known = inspect.signature(kind.__init__).parameters
    assert row.karras == ("use_karras_sigmas" in known)
    assert row.order == getattr(kind, "order", 1)
    assert set(row.options) <= set(known)
    assert calls(name, 10) == (10 if row.order == 1 else 19)
