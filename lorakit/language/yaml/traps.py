"""YAML's traps in sentences: why a line does not say what it was meant to, and the line put right.

Some break the parser (`- {bunny} finds a key`), others pass it and mean something else (`door #2`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lorakit.language.yaml import schemas

if TYPE_CHECKING:
    from lorakit.language.yaml.nodes import Source, Spot

_LINE = re.compile(
    r"""(?P<head>\s*(?:-\s+)*(?:(?:[A-Za-z_][\w.-]*|"[^"]*"):\s+)?)"""
    r"""(?P<value>.*?)(?P<comment>\s+\#\s.*)?\s*\Z""",
    re.VERBOSE,
)
_BLOCK_HEADER = re.compile(r"[|>][-+0-9]*\s*\Z")
_FLOW_BRACE = re.compile(r"""([{,]\s*[\w-]+:\s+)(\{[^{}]*\}[^{}\[\],"']*[^{}\[\],"'\s])""")
_FLOW_COLON = re.compile(r"""([{,]\s*[\w-]+:\s+)([^"'{}\[\],]*:(?:\s[^"'{}\[\],]*)?)""")
_LONGEST_SHOWN = 200
_LONGEST_READ = 2_000
MEANING = {
    "&": "names a value for later use",
    "*": "stands for a value named earlier",
    "!": "opens a tag",
    "|": "opens a block of text on the lines below",
    ">": "opens a block of text on the lines below",
    "?": "opens a key",
    "@": "is reserved",
    "%": "is reserved",
    "`": "is reserved",
}


_ELIDED = re.compile(r"'(?:tis|twas|twere|twill|til|em|cause|bout|neath|round|n)\b", re.IGNORECASE)


class Trap(NamedTuple):
    """One trap found on a line: code, what happened, where, and the line as it should be."""

    code: str
    message: str
    column: int
    length: int
    corrected: str
    aside: str = ""
    advice: str = ""

    def spot(self, source: Source, line: int) -> Spot:
        """Where it stands."""
        return source.spot(line, self.column, self.length)

    def repaired(self, line: str) -> str:
        """The whole line as it should be; empty where that is not known."""
        indent = line[: len(line) - len(line.lstrip())]
        return indent + self.corrected if self.corrected else ""

    @property
    def hint(self) -> str:
        """The way out."""
        if self.advice:
            return self.advice
        return f"write: {self.corrected}" if self.corrected else "put the text in quotes"


def quoted(text: str) -> str:
    """The text as a YAML string, in the quotes that need the least escaping."""
    if '"' not in text and "\\" not in text:
        return f'"{text}"'
    if "'" not in text:
        return f"'{text}'"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def corrected(head: str, text: str, comment: str | None) -> str:
    """A line with its text in quotes; empty where it would be too long to show."""
    line = f"{head}{quoted(text)}{comment or ''}".strip()
    return line if len(line) <= _LONGEST_SHOWN else ""


def _closing(value: str) -> int:
    """The index after the bracket or quote that closes the one `value` opens with; 0 if none does."""
    if value[0] in "\"'":
        quote, at = value[0], 1
        while at < len(value):
            if value[at] == "\\" and quote == '"':
                at += 1
            elif value[at] == quote:
                if quote == "'" and value[at + 1 : at + 2] == "'":
                    at += 1
                else:
                    return at + 1
            at += 1
        return 0
    depth = 0
    for at, char in enumerate(value):
        depth += (char in "{[") - (char in "}]")
        if depth == 0:
            return at + 1
    return 0


def on_line(line: str, problem_column: int) -> Trap | None:
    """The trap on a line that YAML's parser stumbled over at `problem_column`, if it is one of ours."""
    match = _LINE.match(line) if len(line) <= _LONGEST_READ else None
    if match is None or not match["value"]:
        return None
    head, value, comment = match["head"], match["value"], match["comment"]
    column = len(head) + 1
    first = value[0]
    fixed = corrected(head, value, comment)
    if first in "{[":
        return _bracket(head, value, comment, problem_column, fixed)
    if first in "\"'":
        end = _closing(value)
        tail = value[end:].lstrip()
        if end and tail and tail[0] not in ":,}]#":
            what = f"the quote ends here, but the text goes on: {shortened(tail)}"
            fixed = corrected(head, _without_strays(value, end), comment)
            return Trap("yaml-quote", what, column + end - 1, 1, fixed)
        return None
    if first == "%" and not head:
        return None  # a directive
    if first in MEANING and not _BLOCK_HEADER.match(value):
        what = f"in YAML a text cannot begin with {first}: it {MEANING[first]}"
        return Trap("yaml-character", what, column, 1, fixed)
    if re.search(r":(\s|\Z)", value) and problem_column > column:
        at = column + (re.search(r":(\s|\Z)", value) or match).start()
        return Trap(
            "yaml-colon", "a colon and a space inside a text make YAML read a mapping", at, 1, fixed
        )
    return None


def _without_strays(value: str, end: int) -> str:
    """A text in quotes that holds the same quotes: 'Tom's house and "Tom said "hi" there".

    What opens speech is followed by a blank where it closes: "Hello" says the fox keeps its own.
    """
    quote, rest = value[0], value[end:]
    if not rest[:1].isalnum() or _ELIDED.match(value):
        return value
    if value.endswith(quote):
        return value[1:-1]
    return value[1:] if quote == "'" else value


def _bracket(
    head: str, value: str, comment: str | None, problem_column: int, fixed: str
) -> Trap | None:
    """Traps of a value that opens with a brace or a square bracket."""
    column = len(head) + 1
    end = _closing(value)
    tail = value[end:].strip() if end else ""
    if tail and tail[0] not in ",}]#:":
        what = "mapping" if value[0] == "{" else "list"
        message = f"in YAML {value[:end]} at the start is a {what}, and no text may follow it"
        key = head.strip(" -").removesuffix(":").strip('"')
        if key and key not in schemas.prose_keys():
            at = column + end + len(value[end:]) - len(value[end:].lstrip())
            message = f"the {what} ends before this, and nothing may follow it"
            kept = f"{head}{value[:end]}{comment or ''}".strip()
            return Trap("yaml-brace", message, at, len(tail), kept, advice="remove it")
        return Trap("yaml-brace", message, column, end, fixed)
    brace = _FLOW_BRACE.search(value)
    if brace:
        inner = brace[2][: brace[2].index("}") + 1]
        return Trap(
            "yaml-brace",
            f"in YAML {inner} at the start is a mapping, and no text may follow it",
            column + brace.start(2),
            len(inner),
            _in_flow(head, value, comment, brace),
        )
    colon = _FLOW_COLON.search(value)
    if colon and problem_column > column + colon.start(2):
        text = colon[2]
        comma = _comma_forgotten(head, value, comment, colon)
        if comma is not None:
            return comma._replace(column=column + comma.column)
        return Trap(
            "yaml-colon",
            "a colon and a space inside a text make YAML read a mapping",
            column + colon.start(2) + text.index(":"),
            1,
            _in_flow(head, value, comment, colon),
            "if a new key begins there, put a comma before it",
        )
    return None


def _comma_forgotten(
    head: str, value: str, comment: str | None, match: re.Match[str]
) -> Trap | None:
    """`{style: soft width: 512}`: a key of ours begins where the text before it has not ended."""
    following = re.search(r"\s+([\w-]+):\s", match[2])
    if following is None or following[1] not in schemas.known_keys():
        return None
    at = match.start(2) + following.start()
    line = f"{head}{value[:at]}, {value[at:].lstrip()}{comment or ''}".strip()
    return Trap(
        "yaml-comma",
        f"a comma is missing before {following[1]}",
        match.start(2) + following.start(1),
        len(following[1]),
        line if len(line) <= _LONGEST_SHOWN else "",
        f"if {following[1]} belongs to the text, put the whole text in quotes",
        "" if len(line) <= _LONGEST_SHOWN else "write the comma",
    )


def _in_flow(head: str, value: str, comment: str | None, match: re.Match[str]) -> str:
    """The line with the second group of a match in quotes."""
    text = match[2].rstrip()
    repaired = value[: match.start(2)] + quoted(text) + value[match.start(2) + len(text) :]
    line = f"{head}{repaired}{comment or ''}".strip()
    return line if len(line) <= _LONGEST_SHOWN else ""


def unclosed_quote(line: str) -> Trap | None:
    """The trap on a line whose text opens with a quote that the line does not close."""
    match = _LINE.match(line) if len(line) <= _LONGEST_READ else None
    if (
        match is None
        or not match["value"]
        or match["value"][0] not in "\"'"
        or _closing(match["value"])
    ):
        return None
    value = match["value"]
    # an apostrophe belongs to the text ('Tis), a double quote was forgotten at its end
    text = value[1:] if value[0] == '"' and '"' not in value[1:] else value
    return Trap(
        "yaml-quote",
        f"the quote {value[0]} that opens here is not closed",
        len(match["head"]) + 1,
        1,
        corrected(match["head"], text, match["comment"]),
    )


def shortened(text: str, most: int = 40) -> str:
    """A text that fits into a message."""
    return text if len(text) <= most else text[: most - 1] + "…"
