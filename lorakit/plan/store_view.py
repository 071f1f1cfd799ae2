"""What a plan may see of the store, and of what a team's cache offers beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from lorakit.store.manifests import Manifest, Output

if TYPE_CHECKING:
    from lorakit.remote.account import CacheAccount


class StoreView(Protocol):
    """What a plan may see of the store."""

    def manifest(self, key: str) -> Manifest | None:
        """The manifest for a key."""

    def text(self, output: Output) -> str:
        """What a small object says; empty where it is gone."""

    def has(self, output: Output) -> bool:
        """Whether an object is there."""


class Offers(StoreView, Protocol):
    """What a team's cache offers, as a plan may see it."""

    def refusal(
        self, manifest: Manifest, packages: Iterable[str], environment: Mapping[str, str]
    ) -> str:
        """Why a result of it is not taken here; empty where it is."""

    def account(self) -> CacheAccount:
        """What is said of it."""


class BothViews:
    """The store first, and then what a cache offers.

    `offered` are manifests that only the cache has, by key, `away` objects that only it has, by digest.
    """

    def __init__(self, view: StoreView, offers: Offers | None) -> None:
        self._view, self._offers = view, offers
        self._keys: dict[str, str] = {}
        self.offered: dict[str, Manifest] = {}
        self.away: dict[str, Output] = {}

    def manifest(self, key: str) -> Manifest | None:
        """The manifest for a key."""
        here = self._view.manifest(key)
        if self._offers is None:
            return here
        if here is not None:
            self._keys |= {output.digest: key for output in here.outputs.values()}
            return here
        offered = self._offers.manifest(key)
        if offered is not None:
            self.offered[key] = offered
        return offered

    def text(self, output: Output) -> str:
        """What a small object says."""
        said = self._view.text(output)
        return said if said or self._offers is None else self._offers.text(output)

    def has(self, output: Output) -> bool:
        """Whether an object is here, or can be fetched."""
        if self._view.has(output):
            return True
        if self._offers is None:
            return False
        if output.digest in self._keys:  # of a manifest that is here: the cache's says what it has
            self._offers.manifest(self._keys[output.digest])
        if not self._offers.has(output):
            return False
        self.away[output.digest] = output
        return True

    def refusal(self, key: str, packages: Iterable[str], environment: Mapping[str, str]) -> str:
        """Why the result for a key is not taken, where only the cache has it; empty where it is."""
        manifest = self.offered.get(key)
        if manifest is None or self._offers is None:
            return ""
        return self._offers.refusal(manifest, packages, environment)
