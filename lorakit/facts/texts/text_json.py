"""A data set of texts as JSON, for the worker that reads it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lorakit.language.recipe.trainings import Columns, DataSource


def as_json(source: DataSource) -> dict[str, object]:
    """What a worker needs to read the same again."""
    return {
        "name": source.name,
        "texts": source.texts,
        "revision": source.revision,
        "split": source.split,
        "test_split": source.test_split,
        "test_size": source.test_size,
        "columns": {"text": source.columns.text, "label": source.columns.label},
        "labels": list(source.labels),
        "limit": source.limit,
        "named": sorted({"split", "test_split", "test_size"} & set(dict(source.places))),
    }


def from_json(data: Mapping[str, Any], blank: DataSource) -> DataSource:
    """The same the other way round; `blank` brings a place."""
    rest = {k: v for k, v in data.items() if k not in ("columns", "labels", "named")}
    return replace(
        blank,
        columns=Columns(**data["columns"]),
        labels=tuple(data["labels"]),
        places=tuple((key, blank.place) for key in data["named"]),
        **rest,
    )
