"""`--set path=value`: one value of a document, given on the command line.

    --set seed=9   --set steps.film.model=sd14   --set scenes.meadow.chain.strength=0.4

The value is read by the loader that reads the files, so `1e-4` is a number and `[a, b]` a list; `null`
deletes the key. In lists an item is its name, or its number from 1.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from lorakit.language.recipe.overrides import Override, parts
from lorakit.language.yaml import source
from lorakit.language.yaml.findings import Unreadable
from lorakit.language.yaml.nodes import Node, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lorakit.language.yaml.findings import Findings

NAME = "--set"
_PATH = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^"=])*(?==)')
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
        sign = _sign(line)
        path = line[:sign]
        if sign < 0 or not path.strip(" ."):
            findings.error(
                "bad-setting",
                "a setting is path=value",
                text.spot(number, 1, len(line)),
                "for example: --set steps.film.model=studio",
            )
            continue
        keys = parts(path)
        gap = next((key for key in keys if not key.name), None)
        if gap is not None:
            findings.error(
                "bad-setting",
                "a path is keys with one dot between two of them",
                text.spot(number, gap.start + 1),
                f"for example: {'.'.join(key.name for key in keys if key.name)}",
            )
            continue
        try:
            value = _value(text, number, sign + 1, findings)
        except Unreadable:
            continue
        root = Override(text, number, 1, value, findings).applied(root, keys)
    return root


def _sign(line: str) -> int:
    """Where the path ends; a name in quotes may hold the sign."""
    match = _PATH.match(line)
    return match.end() if match else line.find("=")


def _value(text: Source, number: int, start: int, findings: Findings) -> Node:
    """The value after the sign; composed as a text of its own that is blank up to there."""
    line = text.lines[number - 1]
    written = line[start:]
    key = line[: start - 1].strip()
    if not written.strip():
        findings.error(
            "bad-setting",
            f"{key} is given no value",
            text.spot(number, start, 1),
            f"{key}=null removes the key",
        )
        raise Unreadable
    if written.strip() == "null" or written.lstrip().startswith("#"):
        plain = None if written.strip() == "null" else written.strip()
        at = text.line_starts[number - 1] + line.index(written.strip(), start)
        column = at - text.line_starts[number - 1] + 1
        style = "" if plain is None else "'"
        return Node(plain, text, at, at + len(written.strip()), number, column, style)
    blank = Source(text.path, text.name, "\n" * (number - 1) + " " * start + written)
    before = len(findings.all)
    try:
        node = source.compose(blank, findings)
    except Unreadable:
        # the excerpt should show the whole setting
        findings.all[before:] = [
            replace(finding, excerpt=line) for finding in findings.all[before:]
        ]
        raise
    comment = _comment(node, blank)
    _adopt(node, blank, text)
    if comment is not None:
        _keep_comment(node, comment, text, number, findings)
    return node


def _comment(node: Node, blank: Source) -> int | None:
    """Where YAML would begin a comment, as an index; a command line has none."""
    texts = [(inner.start, inner.end) for inner in _all_nodes(node) if isinstance(inner.value, str)]
    for match in re.finditer(r"(?<=\s)#", blank.text):
        if not any(start <= match.start() < end for start, end in texts):
            return match.start() - blank.line_starts[node.line - 1]
    return None


def _keep_comment(node: Node, at: int, text: Source, number: int, findings: Findings) -> None:
    """A plain value goes on to its line's end; behind any other, the sign # is not meant to be there."""
    line = text.lines[number - 1]
    if not node.style and not isinstance(node.value, (dict, list)):
        node.value = line[node.column - 1 :].strip()
        node.end = node.start + len(node.value)
        node.style = "'"  # all of it is meant, so that nothing in it is a trap
        return
    findings.error(
        "bad-setting",
        "what comes after this # would not be read",
        text.spot(number, at + 1, len(line) - at),
        "put a text that holds # in quotes",
    )
    raise Unreadable


def _all_nodes(node: Node) -> Iterator[Node]:
    stack = [node]
    while stack:
        inner = stack.pop()
        yield inner
        if isinstance(inner.value, list):
            stack.extend(inner.value)
        elif isinstance(inner.value, dict):
            stack.extend(inner.value.values())
            stack.extend((inner.keys or {}).values())


def _adopt(node: Node, blank: Source, text: Source) -> None:
    """Let the nodes of a value stand in the text of all settings."""
    shift = text.line_starts[node.line - 1] - blank.line_starts[node.line - 1]
    for inner in list(_all_nodes(node)):
        if inner.source is not text:
            inner.source = text
            inner.start += shift
            inner.end += shift
