"""What git leaves in a text where it could not merge two versions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Source

# from <<<<<<< over ======= to >>>>>>>, each at the start of a line; ||||||| with the base may stand between
_CONFLICT = re.compile(
    r"^<{7}(?: (?P<ours>[^\n]*))?\n(?P<above>.*?)^={7}\r?\n.*?^>{7}(?: (?P<theirs>[^\r\n]*))?",
    re.MULTILINE | re.DOTALL,
)


def report(source: Source, findings: Findings) -> bool:
    """Tell of every place where two versions stand one above the other; says whether there was one."""
    if "<<<<<<<" not in source.text:
        return False
    found = list(_CONFLICT.finditer(source.text))
    for match in found:
        first = source.text.count("\n", 0, match.start()) + 1
        last = source.text.count("\n", 0, match.end()) + 1
        ours = (match["ours"] or "").strip() or "one version"
        theirs = (match["theirs"] or "").strip() or "another"
        findings.error(
            "merge-conflict",
            f"git could not merge lines {first} to {last}: {ours} stands above, {theirs} below",
            source.spot_at(match.start()),
            "keep the lines of one side, or of both in their order, and remove git's marks",
        )
    return bool(found)
