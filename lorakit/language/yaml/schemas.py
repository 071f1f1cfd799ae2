"""The JSON Schemas that ship with lorakit: the one source of keys, types, ranges and defaults."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from lorakit import resources

JSON = dict[str, Any]


@cache
def load(file: str) -> JSON:
    """A schema by its file name, such as `recipe.schema.json`."""
    text = (resources.path("schemas") / file).read_text(encoding="utf-8")
    loaded: JSON = json.loads(text)
    return loaded


def resolve(reference: str, file: str) -> tuple[Any, str]:
    """What a `$ref` in `file` points to, and the file that holds it; never the network."""
    other, _, pointer = reference.partition("#")
    target = other or file
    found: Any = load(target)
    for part in pointer.strip("/").split("/"):
        if part:
            found = found[part.replace("~1", "/").replace("~0", "~")]
    return found, target


def default(reference: str) -> Any:
    """The default that a key's schema states, as in `recipe.schema.json#/properties/seed`."""
    return resolve(reference, "")[0]["default"]
