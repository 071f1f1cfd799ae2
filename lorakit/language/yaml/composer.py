"""A parser's events become nodes, in one loop without recursion.

libyaml's own composer recurses in C, where a deep document ends the process. What no document needs is
rejected on the way, with its place: duplicate keys, recursive aliases, bombs of aliases, several
documents; tags and control characters by `forbidden`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from lorakit.language.yaml.findings import Unreadable
from lorakit.language.yaml.forbidden import CONTROL, reject_control_character, reject_tag
from lorakit.language.yaml.nodes import BROKEN, Node
from lorakit.language.yaml.scalars import NotFinite, resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Source

MOST_NODES = 100_000
MOST_LETTERS = 10_000_000
MOST_DEPTH = 100

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_END = yaml.StreamEndEvent
_ENDS_A_TEXT = frozenset({"", "\n", "\r", ",", "}", "]", ":"})
# PyYAML's event classes have no types worth the name
_Event = Any


class _Open:
    """A collection whose end is still to come; of a mapping, the key that waits for its value."""

    __slots__ = ("anchor", "broken", "count", "key", "letters", "node")

    def __init__(
        self, node: Node, anchor: str | None, count: int, letters: int, broken: bool
    ) -> None:
        self.node = node
        self.anchor = anchor
        self.count = count
        self.letters = letters
        self.broken = broken
        self.key: Node | None = None


class Composer:
    """One pass over a text's events."""

    def __init__(self, source: Source, findings: Findings) -> None:
        self._source = source
        self._text = source.text
        self._findings = findings
        self._anchors: dict[str, Node] = {}
        self._sizes: dict[str, tuple[int, int]] = {}
        self._open: list[_Open] = []
        self._root: Node | None = None
        self._count = 0
        self._letters = 0
        self._makes: dict[type, Callable[[_Event], Node]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
        }

    def document(self) -> Node:
        """Make the tree of the text; raises Unreadable, or yaml.YAMLError for what is no YAML."""
        loader = _LOADER(self._source.text)
        following, makes = loader.get_event, self._makes
        try:
            event = following()
            while (kind := type(event)) is not _END:
                make = makes.get(kind)
                if make is not None:
                    self._place(make(event), event)
                else:
                    self._take(event, kind)
                event = following()
        finally:
            loader.dispose()
        if self._root is None or self._root.value is None:
            hints = ("a recipe begins with recipe: 1", "a storyboard begins with storyboard: 1")
            top = self._source.spot(1, 1)
            self._findings.error("empty-document", "the file is empty", top, *hints)
            raise Unreadable
        return self._root

    def _take(self, event: _Event, kind: type) -> None:
        """What makes no node yet."""
        if kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            self._begin(event, {} if kind is yaml.MappingStartEvent else [])
        elif kind is yaml.DocumentStartEvent and self._root is not None:
            raise self._fail(
                "several-documents",
                "a second document begins here; a file holds one",
                event.start_mark,
                "remove the line, or put what follows into a file of its own",
            )

    def _place(self, node: Node, event: _Event) -> None:
        """Put a finished node where it belongs."""
        if self._count > MOST_NODES:
            raise self._fail(
                "too-many-nodes",
                f"the document has more than {MOST_NODES:,} values once its aliases are written out",
                event.start_mark,
                "write fewer aliases, or make several documents of it",
            )
        if self._letters > MOST_LETTERS:
            raise self._fail(
                "too-many-nodes",
                f"the document has more than {MOST_LETTERS:,} letters once its aliases are written out",
                event.start_mark,
                "write fewer aliases, or make several documents of it",
            )
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        value = parent.node.value
        if isinstance(value, list):
            value.append(node)
        elif parent.key is None:
            parent.key = node
        else:
            self._put(parent.node, parent.key, node)
            parent.key = None

    def _begin(self, event: _Event, value: dict[str, Node] | list[Node]) -> None:
        mark = event.start_mark
        if len(self._open) >= MOST_DEPTH:
            message = f"nested more than {MOST_DEPTH} levels deep"
            raise self._fail("too-deep", message, mark, "no document needs more than a few levels")
        start, line, column = mark.index, mark.line + 1, mark.column + 1
        style = "{" if event.flow_style else ""
        node = Node(value, self._source, start, start, line, column, style, event.anchor, {})
        broken = reject_tag(event, self._source, self._findings)
        self._open.append(_Open(node, event.anchor, self._count, self._letters, broken))
        self._count += 1

    def _end(self, event: _Event) -> Node:
        done = self._open.pop()
        node = done.node
        node.end = event.end_mark.index
        if done.broken:
            node.value = BROKEN
        if done.anchor is not None:
            self._anchors[done.anchor] = node
            size = (self._count - done.count, self._letters - done.letters)
            self._sizes[done.anchor] = size
        return node

    def _scalar(self, event: _Event) -> Node:
        mark = event.start_mark
        text: str = event.value
        self._count += 1
        self._letters += len(text)
        plain: bool = event.implicit[0]
        node = Node(
            text,
            self._source,
            mark.index,
            event.end_mark.index,
            mark.line + 1,
            mark.column + 1,
            "" if plain else (event.style or "'"),
            event.anchor,
        )
        if event.tag is not None:
            node.style = "!"
            if reject_tag(event, self._source, self._findings):
                node.value = BROKEN
        elif plain:
            try:
                value = node.value = resolve(text)
                end = node.end
                if value is text and self._text[end : end + 1] not in _ENDS_A_TEXT:
                    node.cut = True
            except NotFinite:
                shown = text if len(text) <= 20 else text[:20] + "…"
                message = f"{shown} is not a number that can be computed with"
                hint = "write a number in digits, or put it in quotes if it is a text"
                self._findings.error("not-finite", message, node, hint)
                node.value = BROKEN
        elif event.style == '"' and CONTROL.search(text):
            reject_control_character(node, self._findings)
            node.value = CONTROL.sub(" ", text)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
            self._sizes[event.anchor] = (1, len(text))
        return node

    def _alias(self, event: _Event) -> Node:
        name: str = event.anchor
        mark = event.start_mark
        if any(around.anchor == name for around in self._open):
            raise self._fail(
                "recursive-alias",
                f"*{name} stands inside the value that &{name} names",
                mark,
                f"write out what is meant: &{name} has no value yet where *{name} stands",
            )
        if name not in self._anchors:
            from lorakit.language.yaml import traps
            from lorakit.language.yaml.names import did_you_mean

            trap = traps.on_line(self._source.lines[mark.line], mark.column + 1)
            meant = trap.hint if trap and trap.corrected else "put the text in quotes"
            raise self._fail(
                "unknown-alias",
                f"*{name} stands for a value that nothing before it names",
                mark,
                did_you_mean(name, self._anchors, "*{}") or f"if * belongs to a text, {meant}",
            )
        self._count += self._sizes[name][0]
        self._letters += self._sizes[name][1]
        node = self._anchors[name]
        node.anchor = None  # it is used, so the author meant one
        return node

    def _put(self, mapping: Node, key: Node, value: Node) -> None:
        name = key.value
        assert isinstance(mapping.value, dict)
        assert mapping.keys is not None
        if not isinstance(name, str) and key.end > key.start and name is not BROKEN:
            if isinstance(name, (dict, list)):
                self._bad_key(key)
                return
            # 7: and true: are words here; whether they may stand is the schema's to say
            name = key.value = self._text[key.start : key.end]
        if not isinstance(name, str):
            self._bad_key(key)
        elif name == "<<" and not key.style:
            self._findings.error(
                "merge-key",
                "YAML's merge key << is not part of this format",
                key,
                "write the keys out; a recipe builds on another with extends:",
            )
        elif name in mapping.value:
            self._findings.error(
                "duplicate-key",
                f"{name} stands here a second time; line {mapping.keys[name].line} has it already",
                key,
                "keep one of them",
            )
        else:
            mapping.value[name] = value
            mapping.keys[name] = key

    def _bad_key(self, key: Node) -> None:
        text = self._source.text[key.start : key.end]
        bare = text.strip("{}[] ")
        if isinstance(key.value, (dict, list)):
            message = "a key must be a text, not a collection"
            hint = f"write {bare}:" if re.fullmatch(r"[\w .-]+", bare) else ""
        elif key.value is BROKEN:
            return  # told already
        else:
            message, hint = "a key is missing before the colon", "write it, or remove the line"
        self._findings.error("key-not-text", message, key, hint)

    def _fail(self, code: str, message: str, mark: Any, *hints: str) -> Unreadable:
        """Report what ends the reading, and return what to raise."""
        spot = self._source.spot(mark.line + 1, mark.column + 1)
        self._findings.error(code, message, spot, *hints)
        return Unreadable()
