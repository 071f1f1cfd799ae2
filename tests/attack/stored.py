"""What a run has put into a store, and where it is there."""

from __future__ import annotations

from pathlib import Path

from tests.support.runs import Ran


def files(ran: Ran) -> dict[str, str]:
    """Pictures, contact sheet and film of a run."""
    outputs = {a["id"]: a["outputs"] for a in ran.manifest["actions"]}
    return {f"{id_}/{name}": digest for id_, one in outputs.items() for name, digest in one.items()}


def object_of(home: Path, ran: Ran, output: str) -> Path:
    digest = files(ran)[output]
    return home / ".lorakit" / "objects" / digest[:2] / digest[2:]
