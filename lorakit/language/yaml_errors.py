"""What libyaml says of a text that is not YAML, in an author's words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lorakit.language import traps

if TYPE_CHECKING:
    from lorakit.language.findings import Findings
    from lorakit.language.nodes import Source

_LINES_LOOKED_BACK = 40


def report(
    source: Source,
    findings: Findings,
    problem: str,
    at: tuple[int, int],
    context: str,
    context_at: tuple[int, int] | None,
) -> None:
    """Add one finding for a parser's complaint; `at` and `context_at` are (line, column) from 1."""
    line, column = at
    last = len(source.lines)
    while 1 < line and (line > last or not source.lines[line - 1].strip()):
        line -= 1
        column = len(source.lines[line - 1]) + 1
    text = source.lines[line - 1]
    if _report_tab(source, findings, line, column, problem):
        return
    trap = traps.on_line(text, column)
    if trap is not None:
        findings.error(trap.code, trap.message, trap.spot(source, line), trap.hint)
        return
    if _report_quote(source, findings, line, context, context_at):
        return
    for pattern, explain in _EXPLANATIONS:
        if re.search(pattern, problem):
            explain(source, findings, line, column, context, context_at)
            return
    findings.error(
        "yaml-syntax", "YAML cannot make sense of this", source.spot(line, column), _QUOTING
    )


_QUOTING = "texts with special characters go in quotes"


def _report_tab(source: Source, findings: Findings, line: int, column: int, problem: str) -> bool:
    text = source.lines[line - 1]
    indent = text[: len(text) - len(text.lstrip())]
    if "\t" in indent:
        column = indent.index("\t") + 1
    elif "\t" not in text[column - 1 : column] and "tab" not in problem:
        return False
    fixed = text.replace("\t", "  ").rstrip()
    findings.error(
        "tab",
        "a tab: YAML is indented with spaces",
        source.spot(line, column),
        f"with spaces: {fixed}" if len(fixed) < 120 else "",
        "most editors can be set to write spaces for the Tab key",
    )
    return True


def _report_quote(
    source: Source, findings: Findings, line: int, context: str, context_at: tuple[int, int] | None
) -> bool:
    """A quote that opened lines above and swallowed them, or that is still open at the end."""
    if "quoted scalar" in context and context_at:
        trap = traps.unclosed_quote(source.lines[context_at[0] - 1])
        if trap is not None:
            findings.error(trap.code, trap.message, trap.spot(source, context_at[0]), trap.hint)
            return True
        return False
    for above in range(line - 1, max(0, line - _LINES_LOOKED_BACK), -1):
        trap = traps.unclosed_quote(source.lines[above - 1])
        if trap is not None:
            message = f"the quote that opens here ends on line {line}, in the middle of a text"
            findings.error(trap.code, message, trap.spot(source, above), trap.hint)
            return True
    return False


def _brackets(
    source: Source,
    findings: Findings,
    line: int,
    column: int,
    context: str,
    context_at: tuple[int, int] | None,
) -> None:
    opener, closer = ("[", "]") if "sequence" in context else ("{", "}")
    if context_at is None or column <= len(source.lines[line - 1]) and line == context_at[0]:
        message = f"a comma or {closer} is missing before this"
        findings.error("yaml-syntax", message, source.spot(line, column), _QUOTING)
        return
    message = f"the {opener} that opens here is not closed with {closer}"
    findings.error("yaml-syntax", message, source.spot(*context_at))


def _no_colon(
    source: Source,
    findings: Findings,
    line: int,
    column: int,
    context: str,
    context_at: tuple[int, int] | None,
) -> None:
    line, column = context_at or (line, column)
    rest = source.lines[line - 1][column - 1 :].rstrip()
    findings.error(
        "yaml-syntax",
        "this is neither `key: value` nor an item of a list",
        source.spot(line, column, len(rest)),
        "a key ends with a colon and a space; an item begins with a dash and a space",
    )


def _second_mapping(
    source: Source,
    findings: Findings,
    line: int,
    column: int,
    context: str,
    context_at: tuple[int, int] | None,
) -> None:
    text = source.lines[line - 1]
    start = len(text) - len(text.lstrip())
    above = next((n for n in range(line - 1, 0, -1) if source.lines[n - 1].strip()), 0)
    hint = ""
    if above:
        before = source.lines[above - 1].strip()
        if not re.search(r":(\s|\Z)", before) and not before.startswith("- "):
            hint = f"line {above} has no colon and space: {before[:60]}"
        else:
            hint = f"line {above} has its value already: begin both lines in the same column"
    findings.error(
        "yaml-syntax",
        "a key cannot stand here",
        source.spot(line, start + 1, max(1, column - start - 1)),
        hint,
    )


def _not_an_item(
    source: Source,
    findings: Findings,
    line: int,
    column: int,
    context: str,
    context_at: tuple[int, int] | None,
) -> None:
    text = source.lines[line - 1]
    first = len(text) - len(text.lstrip()) + 1
    where = f"the list that begins on line {context_at[0]}" if context_at else "the list"
    if column > first:
        message = "the value has ended already, and more text follows"
        findings.error("yaml-syntax", message, source.spot(line, column), _QUOTING)
        return
    findings.error(
        "yaml-syntax",
        f"this is not an item of {where}",
        source.spot(line, first, len(text.strip())),
        "an item begins with a dash and a space, in the column of the items above",
        "what follows a list begins left of its dashes, or in their column if the list's key does",
    )


def _indentation(
    source: Source,
    findings: Findings,
    line: int,
    column: int,
    context: str,
    context_at: tuple[int, int] | None,
) -> None:
    text = source.lines[line - 1]
    first = len(text) - len(text.lstrip()) + 1
    if column > first:
        message = "the value has ended already, and more text follows"
        findings.error("yaml-syntax", message, source.spot(line, column), _QUOTING)
        return
    where = f" on line {context_at[0]}" if context_at else ""
    findings.error(
        "yaml-syntax",
        "the indentation of this line fits none above it",
        source.spot(line, first, len(text.strip())),
        f"the keys of the mapping that begins{where} start in column {context_at[1]}"
        if context_at
        else "",
    )


def _item_on_key_line(
    source: Source,
    findings: Findings,
    line: int,
    column: int,
    context: str,
    context_at: tuple[int, int] | None,
) -> None:
    findings.error(
        "yaml-syntax",
        "the items of a list begin on a line of their own, not on the line of its key",
        source.spot(line, column),
    )


def _escape(
    source: Source,
    findings: Findings,
    line: int,
    column: int,
    context: str,
    context_at: tuple[int, int] | None,
) -> None:
    text = source.lines[line - 1]
    at = text.rfind("\\", 0, column)
    shown = text[at : at + 2] if at >= 0 else "\\"
    findings.error(
        "yaml-syntax",
        f"{shown} means nothing inside double quotes",
        source.spot(line, at + 1, len(shown)),
        "write \\\\ for a backslash, or use single quotes, where it is an ordinary character",
    )


def _no_value(
    source: Source,
    findings: Findings,
    line: int,
    column: int,
    context: str,
    context_at: tuple[int, int] | None,
) -> None:
    char = source.lines[line - 1][column - 1 : column]
    message = f"a value is missing before {char}" if char else "a value is missing here"
    if context_at and not char:
        line, column = context_at
        message = "what opens here is not closed"
        findings.error("yaml-syntax", message, source.spot(line, max(1, column - 1)))
        return
    findings.error("yaml-syntax", message, source.spot(line, column))


def _directive(
    source: Source,
    findings: Findings,
    line: int,
    column: int,
    context: str,
    context_at: tuple[int, int] | None,
) -> None:
    findings.error(
        "yaml-syntax",
        "lines that begin with % are not needed here: remove it",
        source.spot(line, 1),
    )


_EXPLANATIONS = (
    (r"expected ',' or", _brackets),
    (r"could not find expected ':'", _no_colon),
    (r"mapping values are not allowed", _second_mapping),
    (r"sequence entries are not allowed", _item_on_key_line),
    (r"expected '-' indicator", _not_an_item),
    (r"expected key|expected <block end>|<document start>", _indentation),
    (r"escape character|escape code|escape sequence", _escape),
    (r"node content", _no_value),
    (r"YAML document|directive", _directive),
)
