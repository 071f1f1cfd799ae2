"""From the bytes of a file to nodes that know their place.

What cannot be a text is refused here, what is no YAML is put in words by `yaml_errors`, and the tree itself
is made by `composer`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from lorakit.language.yaml import conflicts
from lorakit.language.yaml.composer import Composer
from lorakit.language.yaml.findings import Unreadable
from lorakit.language.yaml.forbidden import CONTROL
from lorakit.language.yaml.nodes import Node, Source

if TYPE_CHECKING:
    from pathlib import Path

    from lorakit.language.yaml import yaml_errors
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.reader import Reader

MOST_BYTES = 5_000_000
MOST_REPAIRS = 30


def read(reader: Reader, path: Path, findings: Findings) -> Source:
    """The text of a file; raises Unreadable when its bytes are not one, with the findings saying why."""
    name = reader.display(path)
    nowhere = Source(path, name, "").spot(1, 1)
    try:
        data = reader.read_bytes(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        message = f"{name} cannot be read: {reason[:1].lower()}{reason[1:]}"
        findings.error("unreadable", message, None)
        raise Unreadable from error
    if len(data) > MOST_BYTES:
        size = f"the file has {len(data) / 1e6:.1f} MB"
        findings.error(
            "too-large", f"{size}; a document may have {MOST_BYTES / 1e6:.0f} MB", nowhere
        )
        raise Unreadable
    return Source(path, name, _decoded(data, path, name, findings))


def _decoded(data: bytes, path: Path, name: str, findings: Findings) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        nowhere = Source(path, name, "").spot(1, 1)
        findings.error("encoding", "the file is UTF-16", nowhere, "save it as UTF-8")
        raise Unreadable
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        # with bad bytes replaced, the text before the first of them keeps its lines and columns
        source = Source(path, name, data.decode("utf-8", "replace"))
        before = len(data[: error.start].decode("utf-8"))
        bad = data[error.start]
        hint = "save the file as UTF-8"
        if "end of data" in error.reason:
            hint = "the file seems cut short, in the middle of a character"
        elif bad >= 0xA0:
            hint += "; it looks like Latin-1 or Windows-1252 now"
        message = f"byte 0x{bad:02x} is not UTF-8"
        findings.error("encoding", message, source.spot_at(before), hint)
        raise Unreadable from error


def compose(source: Source, findings: Findings) -> Node:
    """The tree of a text; raises Unreadable when there is none, with the findings saying why."""
    control = CONTROL.search(source.text)
    if control:
        findings.error(
            "control-character",
            f"the control character U+{ord(control[0]):04X} cannot stand in a document",
            source.spot_at(control.start()),
            "remove it; editors often hide it",
        )
        raise Unreadable
    if conflicts.report(source, findings):
        raise Unreadable
    for _ in range(MOST_REPAIRS):
        try:
            root = Composer(source, findings).document()
        except yaml.MarkedYAMLError as error:
            repair = _explain(error, source, findings)
            if repair is None or repair.line in source.repaired:
                raise Unreadable from error
            # one bad line shall not hide the other lines' errors; the document is refused all the same
            source = source.with_line(repair.line, repair.text)
        except yaml.YAMLError as error:
            message = "YAML cannot make sense of this file"
            findings.error("yaml-syntax", message, source.spot(1, 1))
            raise Unreadable from error
        else:
            return root
    raise Unreadable


def _explain(
    error: yaml.MarkedYAMLError, source: Source, findings: Findings
) -> yaml_errors.Repair | None:
    from lorakit.language.yaml import yaml_errors
    from lorakit.language.yaml.complaint import Complaint

    mark = error.problem_mark or error.context_mark
    opened = error.context_mark
    complaint = Complaint(
        source,
        error.problem or "",
        mark.line + 1 if mark else 1,
        mark.column + 1 if mark else 1,
        error.context or "",
        (opened.line + 1, opened.column + 1) if opened else None,
    )
    return yaml_errors.report(complaint, findings)
