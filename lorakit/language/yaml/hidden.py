"""Letters in names that nobody can see, and nobody could type."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node, Spot

# these join letters of some scripts, and pictures that are made of several
_JOINERS = "\u200c\u200d"


def hidden_letters(name: str, called: str, spot: Node | Spot, findings: Findings) -> None:
    """Refuse a name with such letters; `called` is what a message calls it."""
    hidden = next((c for c in name if not c.isprintable() and c not in _JOINERS), None)
    if hidden is not None:
        findings.error(
            "wrong-form",
            f"{called} must be letters that can be seen; U+{ord(hidden):04X} is none",
            spot,
            "write the name anew: such signs come along when text is copied",
        )
