"""One value that does not meet its schema, as the words about it need it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from lorakit.language.yaml.schemas import Subschema

if TYPE_CHECKING:
    from lorakit.language.yaml.nodes import Node

_LONGEST_SHOWN = 40


class Problem(NamedTuple):
    """What was wanted (`schema`), what stands there (`node`), what it is called, and in which format."""

    schema: Subschema
    node: Node
    name: str
    file: str

    @property
    def raw(self) -> dict[str, Any]:
        """The schema's keywords."""
        return self.schema.raw

    @property
    def example(self) -> str:
        """A hint that shows how the value is written, if its schema has an example."""
        return example(self.schema, self.name)


def example(schema: Subschema, name: str) -> str:
    """A hint that shows how a key is written, if its schema has an example."""
    examples = schema.raw.get("examples")
    if not examples:
        return ""
    value = inline(examples[0])
    return f"for example: {value}" if " " in name else f"for example: {name}: {value}"


def shown(node: Node) -> str:
    """A value as the author wrote it, cut short."""
    if isinstance(node.value, dict):
        return "a mapping"
    if isinstance(node.value, list):
        return "a list"
    if isinstance(node.value, str):
        text = " ".join(node.value.split())
    else:
        text = node.source.text[node.start : node.end] or "nothing"
    return shortened(text)


def shortened(text: str) -> str:
    """A text that fits into a message."""
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def inline(value: Any) -> str:
    """A value as it would stand on one line of YAML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {inline(sub)}" for key, sub in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(inline(sub) for sub in value) + "]"
    if isinstance(value, str) and re.fullmatch(r"[\w./:-]*[\w./-]", value):
        return value
    return json.dumps(value, ensure_ascii=False)
