"""A team's cache as a command reads it: which results it offers, and their files, verified by digest.

It may be slow, absent, damaged or hostile. Nothing of it is used but bytes with the digest that was asked
for, no name of it becomes a path, and whatever goes wrong is told in `troubles` and leaves it to the command
to make things itself.
"""

from __future__ import annotations

import hashlib
import shutil
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lorakit.remote import policy
from lorakit.remote.account import CacheAccount
from lorakit.remote.cache_files import CacheFiles, object_name
from lorakit.remote.pace import Beside, GaveUp, Pulse, said
from lorakit.remote.pack_index import PackIndex
from lorakit.remote.packs import PackEntry
from lorakit.remote.protocols import close, prepare
from lorakit.remote.settings import CacheSettings
from lorakit.remote.transport import Transport
from lorakit.store.manifests import Manifest, Output
from lorakit.store.store import Store

_SMALL = 1_000_000  # bytes of a text that a plan reads
_LEFT_FREE = 1_000_000_000  # bytes of disk that are not filled
_SCORE = b'"kind": "score"'


class Damaged(ValueError):
    """Bytes that are not those of their digest."""


@dataclass(slots=True)
class Fetched:
    """What came of fetching: objects and bytes that came, and the digests of those that did not."""

    objects: int = 0
    bytes: int = 0
    seconds: float = 0.0
    missing: set[str] = field(default_factory=set)


class TeamCache:
    """A team's cache, as far as it could be reached; `troubles` says what was wrong with it.

    `kept` is a folder of the project's store in which packs are kept from one command to the next.
    """

    def __init__(self, settings: CacheSettings, kept: Path | None = None) -> None:
        self.settings = settings
        self.troubles: list[str] = []
        self.damaged: set[str] = set()  # digests of objects that are not there as they should be
        self.lost = ""  # why nothing more is asked of it
        self._files = CacheFiles(settings)
        self._packs = PackIndex(self._files, kept, self.troubles.append)
        self._read: dict[str, Manifest | None] = {}
        self._digests: dict[str, int] = {}
        self._texts: dict[str, str] = {}
        self.fetched = Fetched()  # all in all

    # -- what it offers --------------------------------------------------------------------------

    def look(self) -> None:
        """Read what it offers. A cache that cannot be reached offers nothing, and that is told."""
        try:
            prepare(self.settings.address)
            self._packs.read()
        except Exception as error:  # noqa: BLE001 - whatever a library raises, the command goes on without
            self.give_up(error)

    def give_up(self, error: Exception) -> None:
        """Ask nothing more of it."""
        if not self.lost:
            self.lost = said(error)
            self.troubles.append(f"it cannot be used now: {self.lost}")
            close(self.settings.address.url)

    @property
    def keys(self) -> Iterable[str]:
        """The keys of all results that it offers."""
        return self._packs.entries.keys()

    @property
    def entries(self) -> Mapping[str, PackEntry]:
        """Its manifests, unread, by key."""
        return self._packs.entries

    @property
    def pack_names(self) -> list[str]:
        """The packs it has, the oldest first."""
        return self._packs.names

    @property
    def unread(self) -> set[str]:
        """Packs that did not come, and may be whole."""
        return self._packs.unread

    @property
    def pulse(self) -> Pulse:
        """When something last came from it."""
        return self._files.pulse

    def manifest(self, key: str) -> Manifest | None:
        """The manifest that it offers for a key, whole; None where it has none."""
        if self.lost:
            return None
        if key not in self._read:
            one = self._packs.entries.get(key)
            self._read[key] = manifest = one.manifest(key) if one is not None else None
            for output in manifest.outputs.values() if manifest is not None else ():
                self._digests[output.digest] = output.size
        return self._read[key]

    def has(self, output: Output) -> bool:
        """Whether it offers an object, by a manifest that was asked for."""
        return (
            not self.lost
            and self._digests.get(output.digest) == output.size
            and output.digest not in self.damaged
        )

    def text(self, output: Output) -> str:
        """What a small object of it says; empty where it cannot be had."""
        if output.digest not in self._texts and self.has(output) and output.size <= _SMALL:
            self._read_scores(output)
        return self._texts.get(output.digest, "")

    def _read_scores(self, asked: Output) -> None:
        """Read the text that is asked for, and all scores, of which a plan will ask one after another."""
        outputs = {asked.digest: asked}
        for key, one in self._packs.entries.items():
            if _SCORE in one.text[:200]:
                manifest = self.manifest(key)
                score = manifest.outputs.get("score") if manifest is not None else None
                if score is not None and score.size <= _SMALL and self.has(score):
                    outputs[score.digest] = score
        wanted = [o for o in outputs.values() if o.digest not in self._texts]

        def reading(output: Output) -> Callable[[], bytes]:
            return lambda: self._files.small(object_name(output.digest), output.size)

        try:
            for number, result in Beside([reading(o) for o in wanted], self.pulse).results():
                output = wanted[number]
                if isinstance(result, bytes) and Output.of(result) == output:
                    self._texts[output.digest] = result.decode("utf-8", "replace")
                else:
                    self._note(output, result if isinstance(result, Exception) else Damaged())
        except GaveUp as error:
            self.give_up(error)

    def refusal(
        self, manifest: Manifest, packages: Iterable[str], environment: Mapping[str, str]
    ) -> str:
        """Why a result of it is not taken here, by the settings; empty where it is."""
        return policy.refusal(self.settings.accept, manifest.environment, environment, packages)

    def account(self) -> CacheAccount:
        """What a plan says of it."""
        settings = self.settings
        return CacheAccount(
            url=settings.address.url,
            mode="read-write" if settings.writable else "read",
            why=settings.why_read,
            source=settings.source,
            accept=settings.accept,
            policy=policy.IN_WORDS[settings.accept],
            results=0 if self.lost else len(self._packs.entries),
            troubles=tuple(self.troubles),
        )

    # -- its files -------------------------------------------------------------------------------

    def transport(self) -> Transport:
        """What moves its files. Raises OSError, LorakitError for a library that is not here."""
        return self._files.transport()

    def fetch(
        self,
        outputs: Iterable[Output],
        store: Store,
        progress: Callable[[int, int], None] = lambda _, __: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> Fetched:
        """Bring objects into the store, each verified; those that are damaged or missing are noted.

        `progress` is told the bytes that have come and those that are to come. Raises StoreError.
        """
        wanted = list({o.digest: o for o in outputs if not store.has(o)}.values())
        fetched, size = Fetched(), sum(o.size for o in wanted)
        if not wanted:
            return fetched
        free = shutil.disk_usage(store.folder).free
        if size > free - _LEFT_FREE:
            self.give_up(
                OSError(f"its results take {size:,} bytes, and the disk has {free:,} left")
            )
        if self.lost:
            fetched.missing = {o.digest for o in wanted}
            return fetched
        fetched.missing = {o.digest for o in wanted}
        began = time.monotonic()
        work = Beside([self._getting(o, store) for o in wanted], self.pulse)
        left: list[Path] = []
        try:
            for number, result in work.results(stop):
                output = wanted[number]
                if isinstance(result, Path):
                    left.append(result)
                    store.adopt(result)
                    left.clear()
                    fetched.missing.discard(output.digest)
                    for count in (fetched, self.fetched):
                        count.objects += 1
                        count.bytes += output.size
                    progress(fetched.bytes, size)
                else:
                    self._note(output, result)
        except GaveUp as error:
            self.give_up(error)
        finally:
            self.fetched.seconds += time.monotonic() - began
            for path in left:
                path.unlink(missing_ok=True)
        return fetched

    def _getting(self, output: Output, store: Store) -> Callable[[], Path]:
        def get() -> Path:
            target = store.object_path(output.digest)
            target.parent.mkdir(parents=True, exist_ok=True)
            # as a write that a kill cuts short, which `lorakit gc` knows
            part = target.with_name(f".{uuid.uuid4().hex}.part")
            try:
                self._files.get(object_name(output.digest), part, output.size)
                with part.open("rb") as file:
                    if hashlib.file_digest(file, "sha256").hexdigest() != output.digest:
                        raise Damaged("other bytes than its digest's")  # noqa: TRY301
            except BaseException:
                part.unlink(missing_ok=True)
                raise
            return part

        return get

    def _note(self, output: Output, error: Path | Exception) -> None:
        """An object did not come as it should: nothing of it is used, and it is sent again once made."""
        self.damaged.add(output.digest)
        name = output.digest[:8]
        if isinstance(error, FileNotFoundError):
            self.troubles.append(f"object {name} is not there, though a manifest names it")
        elif isinstance(error, ValueError):
            self.troubles.append(f"object {name} is damaged")
        else:
            self.troubles.append(f"object {name} did not come: {said(error)}")
