"""What a plan may see of the store."""

from __future__ import annotations

from typing import Protocol

from lorakit.store.manifests import Manifest, Output


class StoreView(Protocol):
    """What a plan may see of the store."""

    def manifest(self, key: str) -> Manifest | None:
        """The manifest for a key."""

    def text(self, output: Output) -> str:
        """What a small object says; empty where it is gone."""

    def has(self, output: Output) -> bool:
        """Whether an object is there."""
