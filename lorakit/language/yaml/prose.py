"""Sentences that YAML's parser lets pass and reads as something else: comments, anchors, mappings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lorakit.language.yaml.traps import MEANING, corrected, quoted, shortened

if TYPE_CHECKING:
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node

_LONGEST_READ = 2_000


def check_prose(node: Node, findings: Findings) -> None:
    """Report traps that YAML's parser lets pass, in a plain text for people or for the model."""
    text = node.source.text
    end = node.end
    spot = node.spot
    line = spot.excerpt
    head = line[: spot.column - 1]
    if node.anchor is not None:
        findings.error(
            "yaml-character",
            f"&{node.anchor} is an anchor in YAML: the text begins only after it",
            spot,
            f"write: {corrected(head, line[spot.column - 1 :].rstrip(), None)}",
        )
        return
    rest = re.match(r"[ \t]+#\S[^\n\r]*", text[end : end + 500])
    if rest:
        start = node.source.spot_at(end)
        meant, note = _without_comment(line[spot.column - 1 :])
        same_line = start.line == spot.line
        hint = f"write: {corrected(head, meant, note)}" if same_line else "put the text in quotes"
        findings.error(
            "yaml-comment",
            "a space and # open a comment, so that the text ends before it",
            node.source.spot(start.line, start.column + len(rest[0]) - len(rest[0].lstrip()), 2),
            hint,
            "if it is a comment, put a space after the #",
        )


def _without_comment(rest: str) -> tuple[str, str]:
    """The text of a line's rest, and a true comment behind it."""
    match = re.search(r"\s+#\s.*", rest[:_LONGEST_READ])
    return (rest[: match.start()], match[0].rstrip()) if match else (rest.rstrip(), "")


def report_brace(node: Node, findings: Findings) -> None:
    """A value that is nothing but `{name}`, which YAML reads as a mapping."""
    text = node.source.text[node.start : node.end]
    spot = node.spot
    line = spot.excerpt
    rest = line[spot.column - 1 + len(text) :] if len(text) <= spot.length else ""
    findings.error(
        "yaml-brace",
        f"in YAML {shortened(text)} is a mapping",
        spot,
        f"write: {(line[: spot.column - 1] + quoted(text) + rest).strip()}",
    )


def report_colon(node: Node, findings: Findings) -> None:
    """A sentence with a colon in it, which YAML reads as a mapping of one key."""
    assert isinstance(node.value, dict)
    key = next(iter(node.value))
    spot = node.key_spot(key)
    line = spot.excerpt
    before = line[: spot.column - 1].rstrip()
    if before.endswith("?"):
        head = line[: len(before) - 1]
        text, note = _without_comment(line[len(head) :])
        findings.error(
            "yaml-character",
            f"in YAML a text cannot begin with ?: it {MEANING['?']}",
            node.source.spot(spot.line, len(head) + 1),
            f"write: {corrected(head, text, note)}",
        )
        return
    colon = spot.column + spot.length
    text, note = _without_comment(line[spot.column - 1 :])
    findings.error(
        "yaml-colon",
        "a colon and a space inside a text make YAML read a mapping",
        node.source.spot(spot.line, colon),
        f"write: {corrected(line[: spot.column - 1], text, note)}",
    )
