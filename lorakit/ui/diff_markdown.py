"""A comparison as Markdown: a pull request's comment. Texts of others are shown and mean nothing in it."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from lorakit import terminal
from lorakit.diagnostics import render_text
from lorakit.diff.report import Relation
from lorakit.plan import numbers
from lorakit.ui import diff_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorakit.diff.report import Comparison, DocumentDiff, Side, ValueChange

MARK = "<!-- lorakit diff -->"  # by which a script finds the comment it wrote before
_MOST = 100  # lines of a document's actions; a comment has a limit
_LONGEST = 300  # characters of a value
_SIGNS = re.compile(r"[\\`*_{}\[\]()!|~$^]")  # what means something within a line
_COLON = re.compile(r":(?=[^\s\d])")  # of an address, of :smile:
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;", "#": "&#35;"}


def escaped(text: str) -> str:
    """Write a text so that Markdown, HTML and a forge take nothing in it for theirs: no link, no mention."""
    line = terminal.line(text)
    plain = "".join(_ENTITIES.get(c, c) for c in _COLON.sub("\0", line))
    plain = plain.replace("\0", "&#58;").replace("www.", "www&#46;")
    return _SIGNS.sub(lambda sign: f"\\{sign[0]}", plain)


def comparison_as_markdown(comparison: Comparison) -> str:
    """Write a comparison: a line for each document, and what is behind it to unfold."""
    lines = [MARK, ""]
    names = f"{escaped(comparison.before)} against {escaped(comparison.after)}"
    if not comparison.documents:
        lines.append(f"**lorakit**, {names}: no recipe or storyboard differs.")
    for document in comparison.documents:
        lines += _document(document, names)
    if len(comparison.documents) > 1:
        words = f"{comparison.to_make:,} to make, {diff_words.time_of(comparison)}"
        lines += ["", f"**All together:** {words if comparison.to_make else 'nothing to make'}"]
    for note in comparison.notes:
        lines += ["", f"> {escaped(note)}"]
    return "\n".join(lines).rstrip()


def _document(document: DocumentDiff, names: str) -> Iterator[str]:
    yield f"### {escaped(document.path)}"
    yield ""
    if document.renamed:
        yield f"Renamed from {escaped(document.before.path)}."
        yield ""
    yield from _summary(document, names)
    if document.values:
        yield from _values(document)
    if document.files:
        yield ""
        yield f"Files it is made of: {', '.join(map(escaped, document.files[:20]))}"
    lines = list(_actions(document))
    if lines:
        yield ""
        yield "<details><summary>What becomes of each scene</summary>"
        yield ""
        yield from lines[:_MOST]
        if len(lines) > _MOST:
            yield f"- and {len(lines) - _MOST} more"
        yield ""
        yield "</details>"
    yield ""


def _summary(document: DocumentDiff, names: str) -> Iterator[str]:
    for side in (document.before, document.after):
        if side.problems:
            yield from _problems(side)
    for side in document.planned_alone:
        yield f"**{escaped(side.name)}:** {diff_words.one_side(side)}"
        yield ""
    if document.actions:
        # what a change costs comes first: who reviews it need not have anything of it in a store
        yield f"**{'; '.join(diff_words.sums(document))}** ({names})"
        yield ""
        yield diff_words.to_make(document) if document.after.there else "gone"
        kept = diff_words.kept_words(document)
        if kept:
            yield ""
            yield kept


def _problems(side: Side) -> Iterator[str]:
    yield f"**{escaped(side.name)} cannot be planned:**"
    yield ""
    # a fence longer than any within: nothing of the text can end it
    text = render_text(side.problems)
    longest = max((len(ticks) for ticks in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{fence}text\n{text}\n{fence}"
    yield ""


def _values(document: DocumentDiff) -> Iterator[str]:
    yield ""
    yield "| value | | where |"
    yield "|---|---|---|"
    for change in document.values[: diff_words.MOST_VALUES]:
        place = change.shown_place
        yield (
            f"| {escaped(diff_words.path_of(change))} | {_words(change)} | "
            f"{escaped(str(place)) if place else ''} |"
        )
    left = len(document.values) - diff_words.MOST_VALUES
    if left > 0:
        yield f"| and {numbers.count(left, 'value')} more | | |"


def _words(change: ValueChange) -> str:
    signs = {"same": "{}", "gone": "<del>{}</del>", "new": "<ins>{}</ins>"}
    pieces = diff_words.pieces_of(change)
    shown = [
        signs[what].format(escaped(text[:_LONGEST] + "…" * (len(text) > _LONGEST)))
        for what, text in pieces
    ]
    return ("" if change.prose else " ").join(shown)


def _actions(document: DocumentDiff) -> Iterator[str]:
    for name, members in groupby(document.actions, key=lambda one: one.scene):
        changed = [one for one in members if one.relation is not Relation.SAME]
        for what, ones in groupby(changed, key=lambda c: (diff_words.became(c), c.reason)):
            every = list(ones)
            which = ", ".join(one.action.id.rpartition("/")[2] for one in every[:10])
            more = f" and {len(every) - 10} more" if len(every) > 10 else ""
            where = f"{name}: {which}{more}" if every[0].action.group else name
            reason = f", {escaped(what[1])}" if what[1] else ""
            yield f"- {escaped(where)} {what[0]}{reason}"
