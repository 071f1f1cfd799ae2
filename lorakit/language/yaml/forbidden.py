"""What YAML can write and no document may hold: tags, and escapes that stand for control characters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node, Source

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_TEXT_TAG = "tag:yaml.org,2002:str"
_LONGEST_SHOWN = 60
# what YAML's one-letter escapes stand for, those that no text may hold
_ESCAPED = {"0": "\0", "a": "\a", "b": "\b", "v": "\v", "f": "\f", "e": "\x1b"}


def _is_control(escape: str) -> bool:
    """Whether an escape by number stands for a control character."""
    if escape[1] not in "xuU":
        return False
    number = int(f"0x{escape[2:]}", 0)
    return number > 0x10FFFF or CONTROL.search(chr(number)) is not None


def _instead_of_a_tag(tag: str, as_text: str) -> str:
    """What to write where a tag stands that means nothing here."""
    if tag.startswith("!include"):
        return "a recipe builds on another with extends: base.yaml"
    if tag.startswith("!!") or not as_text:
        return "remove it"
    return f"remove it; if ! belongs to a text, {as_text}"


def reject_tag(event: Any, source: Source, findings: Findings) -> bool:
    """Report a tag, if there is one that means nothing here; whether it did."""
    tag: str | None = event.tag
    if tag is None or tag == _TEXT_TAG:
        return False
    from lorakit.language.yaml import traps

    mark = event.start_mark
    shown = tag.replace("tag:yaml.org,2002:", "!!")
    trap = traps.on_line(source.lines[mark.line], mark.column + 1)
    findings.error(
        "unknown-tag",
        f"the tag {shown[:_LONGEST_SHOWN]} has no meaning here",
        source.spot(mark.line + 1, mark.column + 1, len(shown)),
        _instead_of_a_tag(shown, trap.hint if trap else ""),
    )
    return True


def reject_control_character(node: Node, findings: Findings) -> None:
    """Report an escape that stands for a control character, which cannot be seen itself."""
    source = node.source
    written = source.text[node.start : node.end]
    escapes = re.finditer(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", written)
    for escape in escapes:
        if CONTROL.search(_ESCAPED.get(escape[0][1], "")) or _is_control(escape[0]):
            at = source.spot_at(node.start + escape.start(), len(escape[0]))
            message = f"{escape[0]} stands for a control character, which no text may hold"
            findings.error("control-character", message, at, "remove it")
            return
    message = "the text holds a control character"
    findings.error("control-character", message, node, "remove it")
