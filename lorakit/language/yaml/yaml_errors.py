"""What libyaml says of a text that is not YAML, in an author's words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lorakit.language.yaml import traps
from lorakit.language.yaml.complaint import Complaint

if TYPE_CHECKING:
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Source, Spot

_LINES_LOOKED_BACK = 40
_QUOTING = "texts with special characters go in quotes"


class Explained(NamedTuple):
    """A complaint put in words."""

    message: str
    spot: Spot
    hints: tuple[str, ...] = ()


class Repair(NamedTuple):
    """A line put right, so that the rest of the text can be read for its errors as well."""

    line: int
    text: str


def report(complaint: Complaint, findings: Findings) -> Repair | None:
    """Add one finding for what a parser complained of; returns how to read on, where that is known."""
    complaint = _on_a_line_with_text(complaint)
    tab = _tab(complaint)
    if tab is not None:
        findings.error("tab", tab.message, tab.spot, *tab.hints)
        return None
    trap = None
    # an open bracket is still open lines below: the fault is not where the parser noticed
    if not ("expected ',' or" in complaint.problem and _opened_above(complaint)):
        trap = traps.on_line(complaint.text, complaint.column)
    if trap is not None:
        spot = trap.spot(complaint.source, complaint.line)
        findings.error(trap.code, trap.message, spot, trap.hint, trap.aside)
        return _repair(trap, complaint.source, complaint.line)
    quote = _report_quote(complaint, findings)
    if quote is not None:
        return _repair(*quote)
    for pattern, explain in _EXPLANATIONS:
        if re.search(pattern, complaint.problem):
            explained = explain(complaint)
            break
    else:
        explained = Explained("YAML cannot make sense of this", complaint.spot(), (_QUOTING,))
    findings.error("yaml-syntax", explained.message, explained.spot, *explained.hints)
    return None


def _repair(trap: traps.Trap, source: Source, line: int) -> Repair | None:
    text = trap.repaired(source.lines[line - 1])
    return Repair(line, text) if text else None


def _opened_above(c: Complaint) -> bool:
    return c.opened is not None and c.opened[0] < c.line


def _on_a_line_with_text(c: Complaint) -> Complaint:
    """Parsers point behind the end of a text that stops too early; its last line says more."""
    line, column = c.line, c.column
    while line > 1 and (line > len(c.source.lines) or not c.source.lines[line - 1].strip()):
        line -= 1
        column = len(c.source.lines[line - 1]) + 1
    return c._replace(line=line, column=column)


def _tab(c: Complaint) -> Explained | None:
    indent = c.text[: c.first_column - 1]
    column = c.column
    if "\t" in indent:
        column = indent.index("\t") + 1
    elif "\t" not in c.text[column - 1 : column] and "tab" not in c.problem:
        return None
    return Explained(
        "YAML is indented with spaces, and this is a tab",
        c.spot(column),
        (
            f"with two spaces for each tab: {c.text.replace(chr(9), '  ').rstrip()}",
            "most editors can be set to write spaces for the Tab key",
        ),
    )


def _report_quote(c: Complaint, findings: Findings) -> tuple[traps.Trap, Source, int] | None:
    """Report a quote that opened lines above and swallowed them, or that is still open at the end."""
    if "quoted scalar" in c.context and c.opened:
        trap = traps.unclosed_quote(c.source.lines[c.opened[0] - 1])
        if trap is None:
            return None
        findings.error(trap.code, trap.message, trap.spot(c.source, c.opened[0]), trap.hint)
        return trap, c.source, c.opened[0]
    for above in range(c.line - 1, max(0, c.line - _LINES_LOOKED_BACK), -1):
        trap = traps.unclosed_quote(c.source.lines[above - 1])
        if trap is not None:
            message = f"the quote that opens here ends on line {c.line}, in the middle of a text"
            findings.error(trap.code, message, trap.spot(c.source, above), trap.hint)
            return trap, c.source, above
    return None


def _bracket(c: Complaint) -> Explained:
    opener, closer = ("[", "]") if "sequence" in c.context else ("{", "}")
    at_the_end = c.column > len(c.text.rstrip())
    comment = c.opened and _swallowed(c.source.lines[c.opened[0] - 1], c.opened[1], closer)
    if at_the_end and c.opened and comment:
        message = f"the # begins a comment, which swallows the {closer}"
        hint = "put the text with the # in quotes"
        return Explained(message, c.source.spot(c.opened[0], comment), (hint,))
    if c.opened is None or (not at_the_end and c.line == c.opened[0]):
        return Explained(f"a comma or {closer} is missing before this", c.spot(), (_QUOTING,))
    return Explained(
        f"the {opener} that opens here is not closed",
        c.source.spot(*c.opened),
        (f"it must be closed with {closer} before line {c.line}",)
        if not at_the_end
        else (f"add {closer}",),
    )


def _swallowed(line: str, opened: int, closer: str) -> int:
    """The column of a # that makes a comment of what closes a bracket on its line; 0 if none does."""
    comment = re.search(r"\s#", line[opened:])
    if comment is None or closer not in line[opened + comment.end() :]:
        return 0
    return opened + comment.end()


def _no_colon(c: Complaint) -> Explained:
    line, column = c.opened or (c.line, c.column)
    rest = c.source.lines[line - 1][column - 1 :].rstrip()
    above = next((text for text in reversed(c.source.lines[: line - 1]) if text.strip()), "")
    hint = "a key ends with a colon and a space; an item begins with a dash and a space"
    if above.lstrip().startswith("- "):
        hint = f"if it is an item of the list above: {' ' * _indent(above)}- {rest}"
    return Explained(
        "this is neither a key with its value nor an item of a list",
        c.source.spot(line, column, len(rest)),
        (hint,),
    )


def _second_mapping(c: Complaint) -> Explained:
    above = next((n for n in range(c.line - 1, 0, -1) if c.source.lines[n - 1].strip()), 0)
    hints: tuple[str, ...] = ()
    if above:
        before = c.source.lines[above - 1].strip()
        if re.search(r":(\s|\Z)", before) or before.startswith("- "):
            hints = (f"line {above} has its value already: begin both lines in the same column",)
        else:
            hints = (f"line {above} is no key, for it has no colon and space: {before[:60]}",)
    length = max(1, c.column - c.first_column)
    return Explained("a key cannot stand here", c.spot(c.first_column, length), hints)


def _goes_on(c: Complaint) -> Explained:
    char = c.text[c.column - 1 : c.column]
    if char in ("}", "]"):
        return Explained(f"this {char} closes nothing", c.spot(), ("remove it",))
    return Explained("the value has ended already, and more text follows", c.spot(), (_QUOTING,))


def _not_an_item(c: Complaint) -> Explained:
    if c.column > c.first_column:
        return _goes_on(c)
    where = f"the list that begins on line {c.opened[0]}" if c.opened else "the list"
    return Explained(
        f"this is no item of {where}",
        c.spot(c.first_column, len(c.text.strip())),
        (
            "an item begins with a dash and a space, in the column of the items above",
            "what comes after a list stands further left than its dashes",
        ),
    )


def _indentation(c: Complaint) -> Explained:
    if c.column > c.first_column:
        return _goes_on(c)
    if c.text.lstrip().startswith(":"):
        hint = "write the key, or remove the line"
        return Explained("a key is missing before the colon", c.spot(c.first_column), (hint,))
    columns = " or ".join(str(column) for column in _columns_above(c))
    return Explained(
        "the indentation of this line fits none above it",
        c.spot(c.first_column, len(c.text.strip())),
        (f"begin it in column {columns}, as lines above do" if columns else "",),
    )


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _columns_above(c: Complaint) -> list[int]:
    """Where the lines begin that enclose this one, the nearest first."""
    columns: list[int] = []
    items = c.text.lstrip().startswith("- ")
    for text in reversed(c.source.lines[: c.line - 1]):
        column = _indent(text) + 1
        if not text.strip() or text.lstrip().startswith("#") or (columns and column >= columns[-1]):
            continue
        if column != c.first_column and text.lstrip().startswith("- ") == items:
            columns.append(column)
    return columns[:3]


def _item_on_key_line(c: Complaint) -> Explained:
    head, tail = c.text[: c.column - 1].rstrip(), c.text[c.column - 1 :].strip()
    return Explained(
        "the items of a list begin on a line of their own, below their key",
        c.spot(),
        (f"write {head.strip()} and on the next line, indented, {tail}",),
    )


def _escape(c: Complaint) -> Explained:
    at = max(0, c.text.rfind("\\", 0, c.column))
    code = re.match(r"\\[xuU][0-9a-fA-F]*", c.text[at:])
    if code and ("code" in c.problem or "Unicode" in c.problem):
        hint = "write the character itself"
        return Explained(f"{code[0]} is no character", c.spot(at + 1, len(code[0])), (hint,))
    shown = c.text[at : at + 2]
    return Explained(
        f"{shown} means nothing inside double quotes",
        c.spot(at + 1, len(shown)),
        (r"write \\ for a backslash, or use single quotes, where it is an ordinary character",),
    )


def _no_value(c: Complaint) -> Explained:
    char = c.text[c.column - 1 : c.column]
    if not char:
        last = c.text.rstrip()
        closer = {"[": "]", "{": "}"}.get(last[-1:], "what closes it")
        where = c.spot(max(1, len(last)))
        return Explained("what opens here is not closed", where, (f"add {closer}",))
    opened = _unclosed(c.text[: c.column - 1])
    if opened >= 0 and char in "]}" and c.text[opened] + char not in ("[]", "{}"):
        closer = "]" if c.text[opened] == "[" else "}"
        message = f"the {c.text[opened]} that opens here is not closed"
        return Explained(message, c.spot(opened + 1), (f"write {closer} where it ends",))
    hint = f"write it, or remove {char}"
    return Explained(f"a value is missing before {char}", c.spot(), (hint,))


def _unclosed(text: str) -> int:
    """Where the bracket stands that is open at a text's end; -1 if none is."""
    stack: list[int] = []
    for at, char in enumerate(text):
        if char in "[{":
            stack.append(at)
        elif char in "]}" and stack:
            stack.pop()
    return stack[-1] if stack else -1


def _directive(c: Complaint) -> Explained:
    return Explained("lines that begin with % are not needed here", c.spot(1), ("remove it",))


def _open_quote(c: Complaint) -> Explained:
    if c.opened is None or "quoted scalar" not in c.context:
        return Explained("the text ends too early", c.spot(), (_QUOTING,))
    quote = c.source.lines[c.opened[0] - 1][c.opened[1] - 1 : c.opened[1]]
    message = f"the quote {quote} that opens here is not closed"
    return Explained(message, c.source.spot(*c.opened), (f"write {quote} where the text ends",))


_EXPLANATIONS = (
    (r"end of stream|document indicator", _open_quote),
    (r"expected ',' or", _bracket),
    (r"could not find expected ':'", _no_colon),
    (r"mapping values are not allowed", _second_mapping),
    (r"sequence entries are not allowed", _item_on_key_line),
    (r"expected '-' indicator", _not_an_item),
    (r"expected key|expected <block end>|<document start>", _indentation),
    (r"escape character|escape code|escape sequence", _escape),
    (r"node content", _no_value),
    (r"YAML document|directive", _directive),
)
