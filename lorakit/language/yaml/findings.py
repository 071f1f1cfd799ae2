"""Where the stages of the language put what they find, so that an author gets all of it in one go."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lorakit.diagnostics import Diagnostic
from lorakit.language.yaml.nodes import Node, Spot

if TYPE_CHECKING:
    from lorakit.diagnostics import Severity


# an excerpt is printed to terminals, which obey what they are shown
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Unreadable(Exception):
    """A text of which no tree can be made; what is wrong stands in the findings already."""


class Findings:
    """A growing list of diagnostics."""

    def __init__(self) -> None:
        self.all: list[Diagnostic] = []

    def __bool__(self) -> bool:
        return any(d.severity == "error" for d in self.all)

    def error(self, code: str, message: str, at: Node | Spot | None, *hints: str) -> None:
        """Add something fatal."""
        self._add("error", code, message, at, hints)

    def warning(self, code: str, message: str, at: Node | Spot | None, *hints: str) -> None:
        """Add something that an author should know."""
        self._add("warning", code, message, at, hints)

    def _add(
        self,
        severity: Severity,
        code: str,
        message: str,
        at: Node | Spot | None,
        hints: tuple[str, ...],
    ) -> None:
        spot = at.spot if isinstance(at, Node) else at
        if spot and spot.line in spot.source.repaired:
            return  # told already, and what stands there now is not what the author wrote
        self.all.append(
            Diagnostic(
                code,
                message,
                spot.place if spot else None,
                _CONTROL.sub("\ufffd", spot.excerpt) if spot and spot.source.text else None,
                tuple(hint for hint in hints if hint),
                severity,
            )
        )
