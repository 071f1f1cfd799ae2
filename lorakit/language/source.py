"""From the bytes of a file to nodes that know their place.

The tree is composed here from the parser's events, in one loop without recursion: libyaml's own composer
recurses in C, where a deep document ends the process. What no document needs is rejected on the way, with
its place: duplicate keys, recursive aliases, bombs of aliases, tags, several documents.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml

from lorakit.language import yaml_errors
from lorakit.language.findings import Unreadable
from lorakit.language.nodes import Node, Source
from lorakit.language.scalars import NotFinite, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lorakit.language.findings import Findings
    from lorakit.language.reader import Reader

MOST_BYTES = 5_000_000
MOST_NODES = 100_000
MOST_DEPTH = 100

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TEXT_TAG = "tag:yaml.org,2002:str"


def read(reader: Reader, path: Path, findings: Findings) -> Source:
    """The text of a file; raises Unreadable when its bytes are not a text, with the findings saying why."""
    name = reader.display(path)
    nowhere = Source(path, name, "").spot(1, 1)
    try:
        data = reader.read_bytes(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        findings.error(
            "unreadable", f"{name} cannot be read: {reason[:1].lower()}{reason[1:]}", None
        )
        raise Unreadable from error
    if len(data) > MOST_BYTES:
        findings.error(
            "too-large",
            f"the file has {len(data) / 1e6:.1f} MB; a document may have {MOST_BYTES / 1e6:.0f} MB",
            nowhere._replace(source=Source(path, name, "")),
        )
        raise Unreadable
    return Source(path, name, _decoded(data, path, name, findings))


def _decoded(data: bytes, path: Path, name: str, findings: Findings) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        findings.error(
            "encoding", "the file is UTF-16", Source(path, name, "").spot(1, 1), "save it as UTF-8"
        )
        raise Unreadable
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # with the bad byte and what follows it replaced, the text before it keeps its lines and columns
        skipped = 3 if data.startswith(b"\xef\xbb\xbf") else 0
        good = data[skipped : skipped + error.start].decode("utf-8", "replace")
        source = Source(path, name, data[skipped:].decode("utf-8", "replace"))
        bad = data[skipped + error.start]
        findings.error(
            "encoding",
            f"byte 0x{bad:02x} is not UTF-8",
            source.spot_at(len(good)),
            "save the file as UTF-8; it looks like Latin-1 or Windows-1252 now"
            if bad >= 0xA0
            else "save the file as UTF-8",
        )
        raise Unreadable from error


def compose(source: Source, findings: Findings) -> Node:
    """The tree of a text; raises Unreadable when there is none, with the findings saying why."""
    control = _CONTROL.search(source.text)
    if control:
        findings.error(
            "control-character",
            f"the control character U+{ord(control[0]):04X} cannot stand in a document",
            source.spot_at(control.start()),
            "remove it; editors often hide it",
        )
        raise Unreadable
    try:
        return _Composer(source, findings).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        opened = error.context_mark
        complaint = yaml_errors.Complaint(
            source,
            error.problem or "",
            mark.line + 1 if mark else 1,
            mark.column + 1 if mark else 1,
            error.context or "",
            (opened.line + 1, opened.column + 1) if opened else None,
        )
        yaml_errors.report(complaint, findings)
        raise Unreadable from error
    except yaml.YAMLError as error:
        findings.error("yaml-syntax", "YAML cannot make sense of this file", source.spot(1, 1))
        raise Unreadable from error


class _Composer:
    """One pass over a text's events."""

    def __init__(self, source: Source, findings: Findings) -> None:
        self._source = source
        self._findings = findings
        self._anchors: dict[str, Node] = {}
        self._sizes: dict[str, int] = {}
        self._count = 0

    def document(self) -> Node:
        loader = _LOADER(self._source.text)
        try:
            return self._document(_events(loader))
        finally:
            loader.dispose()

    def _fail(self, code: str, message: str, mark: yaml.Mark, *hints: str) -> Unreadable:
        self._findings.error(
            code, message, self._source.spot(mark.line + 1, mark.column + 1), *hints
        )
        return Unreadable()

    def _document(self, events: Iterator[yaml.Event]) -> Node:
        root: Node | None = None
        # open collections; of a mapping, the key that waits for its value
        stack: list[Node] = []
        pending: list[Node | None] = []
        opened: list[tuple[str | None, int]] = []
        for event in events:
            kind = type(event)
            if kind is yaml.ScalarEvent:
                node = self._scalar(event)
            elif kind is yaml.AliasEvent:
                node = self._alias(event, opened)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                node = self._collection(event)
                if len(stack) >= MOST_DEPTH:
                    what = f"nested more than {MOST_DEPTH} levels deep"
                    raise self._fail("too-deep", what, event.start_mark)
                opened.append((event.anchor, self._count))
                self._count += 1
                stack.append(node)
                pending.append(None)
                continue
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                node = stack.pop()
                pending.pop()
                node.end = event.end_mark.index
                anchor, before = opened.pop()
                if anchor is not None:
                    self._anchors[anchor] = node
                    self._sizes[anchor] = self._count - before
            elif kind is yaml.DocumentStartEvent and root is not None:
                raise self._fail(
                    "several-documents",
                    "a second document begins here; a file holds one",
                    event.start_mark,
                    "remove the line, or put what follows into a file of its own",
                )
            else:
                continue
            if self._count > MOST_NODES:
                raise self._fail(
                    "too-many-nodes",
                    f"the document has more than {MOST_NODES:,} values once its aliases are written out",
                    event.start_mark,
                )
            if not stack:
                root = node
                continue
            parent = stack[-1]
            if isinstance(parent.value, list):
                parent.value.append(node)
            elif pending[-1] is None:
                pending[-1] = node
            else:
                self._put(parent, pending[-1], node)
                pending[-1] = None
        if root is None or root.value is None:
            self._findings.error("empty-document", "the file is empty", self._source.spot(1, 1))
            raise Unreadable
        return root

    def _collection(self, event: yaml.CollectionStartEvent) -> Node:
        mark = event.start_mark
        self._reject_tag(event)
        if isinstance(event, yaml.MappingStartEvent):
            value: dict[str, Node] | list[Node] = {}
        else:
            value = []
        return Node(
            value,
            self._source,
            mark.index,
            mark.index,
            mark.line + 1,
            mark.column + 1,
            "{" if event.flow_style else "",
            event.anchor,
            {},
        )

    def _scalar(self, event: yaml.ScalarEvent) -> Node:
        mark = event.start_mark
        self._count += 1
        text = event.value
        plain = event.implicit[0]
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
            self._reject_tag(event)
            node.style = "!"
        elif plain:
            try:
                node.value = resolve(text)
            except NotFinite:
                shown = text if len(text) <= 20 else text[:20] + "…"
                message = f"{shown} is not a number that can be computed with"
                self._findings.error("not-finite", message, node)
                node.value = 0
        elif event.style == '"' and _CONTROL.search(text):
            self._findings.error("control-character", "the text holds a control character", node)
            node.value = _CONTROL.sub(" ", text)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
            self._sizes[event.anchor] = 1
        return node

    def _alias(self, event: yaml.AliasEvent, opened: list[tuple[str | None, int]]) -> Node:
        name = event.anchor
        if any(anchor == name for anchor, _ in opened):
            raise self._fail(
                "recursive-alias",
                f"*{name} stands inside the value that &{name} names",
                event.start_mark,
            )
        if name not in self._anchors:
            from lorakit.language.names import did_you_mean

            raise self._fail(
                "unknown-alias",
                f"*{name} stands for a value that nothing before it names",
                event.start_mark,
                did_you_mean(name, self._anchors, "*{}"),
                f'if * belongs to a text, put the text in quotes: "*{name} …"',
            )
        self._count += self._sizes[name]
        node = self._anchors[name]
        node.anchor = None  # it is used, so the author meant one
        return node

    def _reject_tag(self, event: yaml.NodeEvent) -> None:
        tag = event.tag
        if tag is None or tag in ("!", _TEXT_TAG):
            return
        mark = event.start_mark
        shown = tag.replace("tag:yaml.org,2002:", "!!")
        self._findings.error(
            "unknown-tag",
            f"the tag {shown[:60]} has no meaning here",
            self._source.spot(mark.line + 1, mark.column + 1, len(shown)),
            "remove it; if ! belongs to a text, put the text in quotes",
        )

    def _put(self, mapping: Node, key: Node, value: Node) -> None:
        name = key.value
        assert isinstance(mapping.value, dict)
        assert mapping.keys is not None
        if not isinstance(name, str):
            self._bad_key(key)
            return
        if name == "<<" and not key.style:
            self._findings.error(
                "merge-key",
                "YAML's merge key << is not part of this format",
                key,
                "write the keys out; a recipe builds on another with extends:",
            )
            return
        if name in mapping.value:
            first = mapping.keys[name]
            self._findings.error(
                "duplicate-key",
                f"{name} stands here a second time; line {first.line} has it already",
                key,
                "keep one of them",
            )
            return
        mapping.value[name] = value
        mapping.keys[name] = key

    def _bad_key(self, key: Node) -> None:
        if isinstance(key.value, (dict, list)):
            shown = self._source.text[key.start : key.end]
            hint = "put the text in quotes" if len(shown) > 60 else f'put it in quotes: "{shown}"'
            self._findings.error(
                "key-not-text", "a key must be a text, not a collection", key, hint
            )
            return
        shown = self._source.text[key.start : key.end] or "an empty key"
        self._findings.error(
            "key-not-text",
            f"a key must be a text, but {shown} is not",
            key,
            f'put it in quotes: "{shown}"' if shown != "an empty key" else "",
        )


def _events(loader: yaml.SafeLoader) -> Iterator[yaml.Event]:
    while loader.check_event():
        yield loader.get_event()
