"""`--set path=value`: one value of a document, given on the command line.

    --set seed=9   --set steps.film.model=sd14   --set scenes.meadow.chain.strength=0.4

The value is read by the loader that reads the files, so `1e-4` is a number and `[a, b]` a list; nothing
after the sign deletes the key. In lists an item is its name, or its number from 1.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from lorakit.language.recipe.placing import Placing, parts
from lorakit.language.yaml import source
from lorakit.language.yaml.findings import Unreadable
from lorakit.language.yaml.nodes import Node, Source

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lorakit.language.yaml.findings import Findings

NAME = "--set"
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def as_source(settings: Sequence[str], document: Path) -> Source:
    """All settings as one text, a line each; relative paths in them count from the document."""
    # a shell may hand over bytes that are no text
    texts = (setting.encode("utf-8", "replace").decode("utf-8") for setting in settings)
    lines = (_CONTROL.sub("\ufffd", " ".join(text.splitlines())) for text in texts)
    return Source(document, NAME, "\n".join(lines))


def applied(root: Node, text: Source, findings: Findings) -> Node:
    """Lay the settings over a document, in their order."""
    for number, line in enumerate(text.lines, start=1):
        path, sign, _ = line.partition("=")
        if not sign or not path.strip(" ."):
            findings.error(
                "bad-setting",
                "a setting is path=value",
                text.spot(number, 1, len(line)),
                "for example: --set steps.film.model=studio",
            )
            continue
        try:
            value = _value(text, number, len(path) + 1, findings)
        except Unreadable:
            continue
        root = Placing(text, number, 1, value, findings).placed(root, parts(path))
    return root


def _value(text: Source, number: int, start: int, findings: Findings) -> Node:
    """The value after the sign; composed as a text of its own that is blank up to there."""
    line = text.lines[number - 1]
    written = line[start:]
    blank = Source(text.path, text.name, "\n" * (number - 1) + " " * start + written)
    if not written.strip():
        return Node(None, text, 0, 0, number, start + 1)
    before = len(findings.all)
    try:
        node = source.compose(blank, findings)
    except Unreadable:
        # the excerpt should show the whole setting
        findings.all[before:] = [replace(found, excerpt=line) for found in findings.all[before:]]
        if written.strip() in ("null", "''", '""'):
            findings.all[before:] = []
            return Node(None, text, 0, 0, number, start + 1)
        raise
    _adopt(node, blank, text)
    return node


def _adopt(node: Node, blank: Source, text: Source) -> None:
    """Let the nodes of a value stand in the text of all settings."""
    shift = text.line_starts[node.line - 1] - blank.line_starts[node.line - 1]
    stack = [node]
    while stack:
        one = stack.pop()
        if one.source is text:
            continue
        one.source = text
        one.start += shift
        one.end += shift
        if isinstance(one.value, list):
            stack.extend(one.value)
        elif isinstance(one.value, dict):
            stack.extend(one.value.values())
            stack.extend((one.keys or {}).values())
