"""Licences: of what the hub has as its cards state them, of what ships as NOTICE does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

CARD = "README.md"
_MOST = 10_000_000  # bytes
SHIPPED: Mapping[str, str] = {  # NOTICE has their whole texts
    "lorakit:studio": "Apache-2.0",
    "lorakit:minilm": "Apache-2.0",
    "lorakit:movie-snippets": "MIT",
    "lorakit:hologram": "MIT",
}


def license_of(card: Path) -> str:
    """What a card says of the licence, by its own name if it has one; empty where it says nothing."""
    from huggingface_hub import RepoCard

    from lorakit.files import read_regular

    try:
        text = read_regular(card, _MOST).decode("utf-8")
        data = vars(RepoCard(text, ignore_metadata_errors=True).data)
    except Exception:  # noqa: BLE001 - a card is anybody's text
        return ""
    told = data.get("license")
    if told == "other":
        told = data.get("license_name") or told
    names = told if isinstance(told, list) else [told]
    return ", ".join(name for name in names if isinstance(name, str) and name)
