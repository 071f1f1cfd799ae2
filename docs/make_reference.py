"""Write docs/reference.md from the schemas: python docs/make_reference.py [--check]."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = ROOT / "schemas"
PAGE = ROOT / "docs" / "reference.md"
# definition -> the title of its table, in the order of the page
TABLES = {
    "recipe": {
        "": "A recipe",
        "model": "A model",
        "dataset": "A data set",
        "dataset.columns": "`columns` of a data set",
        "adapter": "An adapter",
        "generate": "`kind: generate`",
        "prompt": "A prompt",
        "storyboard": "`kind: storyboard`",
        "video": "`kind: video`",
        "train-text": "`kind: train-text`",
        "train-image": "`kind: train-image`",
        "train-image.samples": "`samples` of a training on pictures",
        "lora": "`lora`",
        "train": "`train`",
        "resources": "`resources`",
        "compare": "`kind: compare`",
        "sweep": "`kind: sweep`",
        "axis": "A path's range in a sweep",
        "sweep.best": "`best` of a sweep",
    },
    "storyboard": {
        "": "A storyboard",
        "look": "`look`",
        "character": "A character",
        "character.adapter": "`adapter` of a character",
        "chain": "`chain`",
        "control": "`control`",
        "motion": "`motion`",
        "scene": "A scene",
        "sentence": "A sentence",
        "sentence.edit": "`edit` of a sentence",
        "video": "`video`",
        "video.transition": "`video.transition`",
        "video.captions": "`video.captions`",
    },
}


def load(name: str) -> dict[str, Any]:
    """A schema by its name."""
    data: dict[str, Any] = json.loads((SCHEMAS / f"{name}.schema.json").read_text("utf-8"))
    return data


def resolved(node: dict[str, Any], name: str) -> dict[str, Any]:
    """A node with what it refers to; its own words win."""
    while "$ref" in node:
        file, _, pointer = node["$ref"].partition("#/")
        name = file.split(".")[0] or name
        target: Any = load(name)
        for part in pointer.split("/"):
            target = target[part]
        node = {**target, **{k: v for k, v in node.items() if k != "$ref"}}
    keys = dict(node.get("properties", {}))
    for one in node.get("allOf", ()):
        if "$ref" in one:
            file = one["$ref"].partition("#/")[0].split(".")[0] or name
            found = resolved(one, name)["properties"]
            keys |= {key: resolved(value, file) for key, value in found.items()}
    return {**node, "properties": keys} if keys else node


def kind_of(node: dict[str, Any]) -> str:
    """What a value may be, in words."""
    if "enum" in node:
        return " \\| ".join(f"`{v}`" for v in node["enum"])
    if "enum" in node.get("then", {}):  # of a text; or several of them
        return f"{kind_of(node['then'])}, or a list"
    if "const" in node:
        return f"`{node['const']}`"
    found = node.get("type", "anything")
    words = " or ".join(found) if isinstance(found, list) else str(found)
    words = words.replace("object", "mapping").replace("array", "list")
    low = node.get("minimum", node.get("exclusiveMinimum"))
    high = node.get("maximum")
    if low is not None and high is not None and high < 10**6:
        words += f", {'above ' if 'exclusiveMinimum' in node else ''}{low} to {high}"
    return words + (f" ({node['x-unit']})" if "x-unit" in node else "")


def table(node: dict[str, Any], name: str) -> Iterator[str]:
    """One mapping's keys."""
    yield "| key | value | default | affects | |"
    yield "|---|---|---|---|---|"
    required = set(node.get("required", ()))
    for key, raw in node["properties"].items():
        inner = resolved(raw, name)
        if key == "notes" or not inner:
            continue
        default = (
            "required"
            if key in required
            else f"`{json.dumps(inner['default'])}`"
            if "default" in inner
            else ""
        )
        example = (
            f" E.g. `{json.dumps(inner['examples'][0], ensure_ascii=False)}`."
            if inner.get("examples")
            else ""
        )
        affects = inner.get("x-affects", "")
        yield f"| `{key}` | {kind_of(inner)} | {default} | {affects} | {inner.get('description', '')}{example} |"


def page() -> str:
    """The whole page."""
    lines = [
        "# Reference",
        "",
        "Every key of both documents, made from `schemas/` by `docs/make_reference.py`.",
        "`notes:` and keys that begin with `x-` are yours, anywhere. *Affects* says what is made again when a key",
        "changes: `render` frames and all behind them, `train` trainings and what uses them,",
        "`film` the film or contact sheet only, `compare` a table, `sweep` the members of a sweep and its table,",
        "`nothing` nothing.",
        "",
    ]
    for name, tables in TABLES.items():
        whole = load(name)
        for group, title in tables.items():
            first, _, rest = group.partition(".")
            node = whole if not group else whole["definitions"][first]
            if rest:
                node = resolved(resolved(node, name)["properties"][rest], name)
            lines += [
                f"## {title}",
                "",
                node["description"],
                "",
                *table(resolved(node, name), name),
                "",
            ]
    return "\n".join(lines)


def main() -> int:
    if "--check" in sys.argv:
        return 0 if PAGE.read_text("utf-8") == page() else 1
    PAGE.write_text(page(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
