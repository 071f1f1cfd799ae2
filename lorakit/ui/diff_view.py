"""A comparison on the terminal: documents with their changed values, and what a run would make of them."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from lorakit.diagnostics import render_text
from lorakit.diff.report import Relation, noun_of
from lorakit.plan import numbers
from lorakit.plan.frame_names import frame_address
from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.tasks.pick import PickTask
from lorakit.plan.tasks.task import WorkerTask
from lorakit.ui import diff_words
from lorakit.ui.outline import TreeNode, lines_of, show
from lorakit.ui.theme import BAD, FAINT, GOOD, STRONG, WARN, clean, glyphs_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console

    from lorakit.diff.report import ActionChange, Comparison, DocumentDiff, Side, ValueChange
    from lorakit.ui.outline import Line

_REASONS = 6  # lines under a scene
_SCENES = 6  # names of scenes that stay
_FOREMOST = (Relation.AGAIN, Relation.NEW, Relation.MOVED, Relation.GONE, Relation.SAME)
_STYLES = {"same": "", "gone": BAD, "new": GOOD}


def show_comparison(comparison: Comparison, console: Console) -> None:
    """Print a comparison: in colour on a terminal, and readable without."""
    show(console, (("", "  ", line) for line in _head(comparison)))
    glyphs = glyphs_for(console)
    for document in comparison.documents:
        show(console, (("", "  ", line) for line in _document_head(document)))
        show(console, (("  ", "    ", line) for line in _values(document)))
        show(
            console,
            (
                (f"  {before}", f"  {after}", line)
                for before, after, line in lines_of(_steps(document), glyphs)
            ),
        )
        show(console, (("  ", "    ", line) for line in _sums(document)))
    show(console, (("", "  ", line) for line in _foot(comparison)))


def _head(comparison: Comparison) -> Iterator[Line]:
    yield [
        (clean(comparison.before), STRONG),
        (" against ", FAINT),
        (clean(comparison.after), STRONG),
    ]


def _document_head(document: DocumentDiff) -> Iterator[Line]:
    yield []
    line: list[tuple[str, str]] = [(clean(document.path), STRONG)]
    if document.renamed:
        line.append((f"  renamed from {clean(document.before.path)}", FAINT))
    elif not document.before.there:
        line.append(("  new", GOOD))
    elif not document.after.there:
        line.append(("  gone", BAD))
    yield line


def _values(document: DocumentDiff) -> Iterator[Line]:
    shown = document.values[: diff_words.MOST_VALUES]
    yield from map(_value, shown)
    left = len(document.values) - len(shown)
    if left:
        yield [(f"and {numbers.count(left, 'value')} more; --json has all", FAINT)]
    if document.files:
        names = ", ".join(map(clean, document.files[:_SCENES]))
        left = len(document.files) - _SCENES
        more = f" and {left} more" if left > 0 else ""
        yield [("~ ", WARN), (f"files it is made of: {names}{more}", "")]


def _value(change: ValueChange) -> Line:
    symbol, style = ("~", WARN)
    if change.before is None:
        symbol, style = ("+", GOOD)
    elif change.after is None:
        symbol, style = ("-", BAD)
    line = [(f"{symbol} ", style), (f"{clean(diff_words.path_of(change))}: ", "")]
    line += _words(change)
    place = change.shown_place
    if place is not None:
        line.append((f"  ({clean(str(place))})", FAINT))
    return line


def _words(change: ValueChange) -> Iterator[tuple[str, str]]:
    pieces = diff_words.pieces_of(change)
    if change.before is None or change.after is None:
        yield from ((clean(text), _STYLES[what]) for what, text in pieces)
    elif change.prose:
        for what, text in pieces:
            yield diff_words.marked([(what, text)]), _STYLES[what]
    else:
        (_, before), (_, after) = pieces
        yield from ((clean(before), BAD), (" -> ", FAINT), (clean(after), GOOD))


def _steps(document: DocumentDiff) -> Iterator[TreeNode]:
    for step, members in groupby(document.actions, key=lambda one: one.action.step):
        node = TreeNode([(step, STRONG)])
        untouched: list[str] = []
        for group in _groups(members):
            if all(one.relation is Relation.SAME for one in group):
                untouched.append(_title(group[0]))
            else:
                node.branches.append(_group(group) if group[0].action.group else _single(group[0]))
        if untouched and node.branches:
            names = ", ".join(map(clean, untouched[:_SCENES]))
            more = f" and {len(untouched) - _SCENES} more" if len(untouched) > _SCENES else ""
            node.branches.append(
                TreeNode([("= ", Relation.SAME.style), (f"as it was: {names}{more}", FAINT)])
            )
        if node.branches:
            yield node


def _groups(members: Iterable[ActionChange]) -> list[list[ActionChange]]:
    """Sort a step's actions by scene; what stands alone is a group of its own."""
    rows: dict[str, list[ActionChange]] = {}
    for one in members:
        rows.setdefault(one.scene, []).append(one)
    return list(rows.values())


def _title(change: ActionChange) -> str:
    action = change.action
    if not action.group:
        return action.name
    scene = change.scene
    return scene.removeprefix(f"{action.step}/") if scene != action.step else action.group


def _group(group: Sequence[ActionChange]) -> TreeNode:
    counts = {r: [one for one in group if one.relation is r] for r in Relation}
    foremost = next(r for r in _FOREMOST if counts[r])
    members = [one for one in group if one.relation is not Relation.GONE] or group
    nouns = {noun_of(one.action) for one in group}
    noun = nouns.pop() if len(nouns) == 1 else WorkerTask.noun
    line: list[tuple[str, str]] = [
        (f"{foremost.symbol} ", foremost.style),
        (f"{clean(_title(group[0]))}  {numbers.count(len(members), noun)}: ", ""),
    ]
    shown = [(relation, ones) for relation, ones in counts.items() if ones]
    for number, (relation, ones) in enumerate(shown):
        word = "stay" if relation is Relation.SAME and len(ones) > 1 else diff_words.became(ones[0])
        line += [(", ", "")] * bool(number) + [
            (f"{len(ones)} {word}{_store(ones)}", relation.style)
        ]
    return TreeNode(line, notes=list(_reasons(group)))


def _store(ones: Sequence[ActionChange]) -> str:
    """What of these the store has although they differ, or lacks although they do not."""
    drawn = ones[0].relation in (Relation.AGAIN, Relation.NEW)
    odd = sum(one.to_make is not drawn for one in ones if one.relation is not Relation.GONE)
    if not odd:
        return ""
    which = "" if odd == len(ones) else f"{odd} "
    return f" ({which}{'in the store already' if drawn else 'not made yet'})"


def _reasons(group: Sequence[ActionChange]) -> Iterator[Line]:
    """Yield why frames of a scene are made again, those with one cause in one line."""
    causes: dict[tuple[Relation, str], list[ActionChange]] = {}
    for one in group:
        if one.relation is Relation.MOVED:
            causes.setdefault((Relation.MOVED, ""), []).append(one)
        elif one.reason:
            causes.setdefault((one.relation, one.reason), []).append(one)
    for number, ((relation, reason), same) in enumerate(causes.items()):
        if number == _REASONS and len(causes) > _REASONS + 1:
            rest = sum(len(ones) for ones in list(causes.values())[_REASONS:])
            yield [(f"and {rest} more; --json shows each", FAINT)]
            return
        head = (f"{relation.symbol} {_which(same)}", relation.style)
        if relation is Relation.MOVED:
            yield [head, (f": {_moves(same)}, nothing is drawn", "")]
        else:
            yield [head, (f": {clean(reason)}", "")]


def _which(ones: Sequence[ActionChange]) -> str:
    noun = "frame" if isinstance(ones[0].action.task, FrameTask | PickTask) else ""
    numbered = [frame_address(one.action).last for one in ones]
    if not noun:
        return ", ".join(numbered[:3])
    if len(numbered) == 1:
        return f"{noun} {numbered[0]}"
    last = [int(n) for n in numbered if n.isdecimal()]
    if len(last) == len(numbered) and last == list(range(last[0], last[0] + len(last))):
        return f"{noun}s {last[0]} to {last[-1]}"
    return f"{noun}s {', '.join(numbered[:6])}{' …' if len(numbered) > 6 else ''}"


def _moves(ones: Sequence[ActionChange]) -> str:
    return f"was {clean(ones[0].other)}" + (" and so on" if len(ones) > 1 else "")


def _single(change: ActionChange) -> TreeNode:
    relation = change.relation
    line = [
        (f"{relation.symbol} ", relation.style),
        (f"{clean(_title(change))}  ", ""),
        (f"{diff_words.became(change)}{_store([change])}", relation.style),
    ]
    if change.reason:
        line.append((f"  {clean(change.reason)}", FAINT))
    return TreeNode(line)


def _sums(document: DocumentDiff) -> Iterator[Line]:
    for side in (document.before, document.after):
        if side.problems:
            yield from _problems(side)
    for side in document.planned_alone:
        yield [(f"{clean(side.name)}: ", STRONG), (diff_words.one_side(side), "")]
    if document.actions:
        yield [("; ".join(diff_words.sums(document)), "")]
        kept = diff_words.kept_words(document)
        if kept:
            yield [(kept, FAINT)]
        if document.after.there:
            yield [(diff_words.to_make(document), STRONG)]


def _problems(side: Side) -> Iterator[Line]:
    yield [(f"{clean(side.name)} cannot be planned:", BAD)]
    for number, text in enumerate(render_text(side.problems).splitlines()):
        yield [(text, WARN if number == 0 else "")]


def _foot(comparison: Comparison) -> Iterator[Line]:
    yield []
    for note in comparison.notes:
        yield [(f"note: {clean(note)}", FAINT)]
    found = len(comparison.documents)
    if not found:
        yield [("no recipe or storyboard differs, and none is made of a file that does", STRONG)]
        return
    words = numbers.count(found, "document")
    if comparison.untouched:
        words += f", {comparison.untouched} untouched"
    broken = sum(bool(one.after.problems) for one in comparison.documents)
    if broken:
        words += f", {broken} of which cannot be planned"
    if found == 1 and not broken:
        pass  # what it comes to has just been said
    elif comparison.to_make:
        words += f": {comparison.to_make:,} to make, {diff_words.time_of(comparison)}"
    elif not broken:
        words += ": nothing to make"
    yield [(words, STRONG)]
