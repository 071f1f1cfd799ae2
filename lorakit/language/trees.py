"""The files of one command as trees, each read once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.language.yaml import source
from lorakit.language.yaml.findings import Findings, Unreadable

if TYPE_CHECKING:
    from pathlib import Path

    from lorakit.language.yaml.nodes import Node, Source
    from lorakit.language.yaml.reader import Reader


class Trees:
    """Trees by the paths of their files, and the lines of every text that was met."""

    def __init__(self, reader: Reader, findings: Findings) -> None:
        self.reader = reader
        self.lines: dict[str, tuple[str, ...]] = {}
        self._findings = findings
        self._read: dict[Path, Node | None] = {}

    @property
    def files(self) -> tuple[Path, ...]:
        """The files in the order in which they were met."""
        return tuple(self._read)

    def tree(self, path: Path, written: Path | None = None) -> Node:
        """The tree of a file, which messages call as it was `written`; raises Unreadable."""
        if path not in self._read:
            self._read[path] = None
            text = source.read(self.reader, written or path, self._findings)
            text.path = path
            self.met(text)
            self._read[path] = source.compose(text, self._findings)
        root = self._read[path]
        if root is None:
            raise Unreadable
        return root

    def met(self, text: Source) -> None:
        """Keep the lines of a text, so that later stages can show them."""
        self.lines[text.name] = text.lines
