"""The team's cache as one run has it: what came, what is fetched on the way, what is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lorakit.execute.bringing import Bringing
from lorakit.execute.workers import Inbox
from lorakit.plan import numbers
from lorakit.records import record
from lorakit.remote.sending import Sending
from lorakit.remote.team_cache import TeamCache
from lorakit.store.store import Store


@record
class Team:
    """A cache with both ways between it and a run."""

    cache: TeamCache
    bringing: Bringing
    sending: Sending
    told: list[str]  # troubles that are known to the user

    @classmethod
    def of(cls, cache: TeamCache | None, store: Store, inbox: Inbox) -> Team | None:
        """What a run has of a cache; None where there is none."""
        if cache is None:
            return None

        def brought(id_: str) -> None:
            inbox.put((None, {"event": "brought", "id": id_}))

        bringing = Bringing(cache, store.folder.parent, brought)
        return cls(cache, bringing, Sending(cache, store), [])

    @property
    def url(self) -> str:
        """Where the cache is."""
        return self.cache.settings.address.url

    @property
    def came(self) -> Iterator[str]:
        """What was fetched before the run began, and what was wrong with it, in words."""
        fetched = self.cache.fetched
        if fetched.objects:
            what = f"{numbers.count(fetched.objects, 'file')}, {numbers.size(fetched.bytes)}"
            yield f"fetched {what}, from {self.url} in {numbers.duration(fetched.seconds)}"
        yield from self._new_troubles()

    def finish(self, stop: Callable[[], bool], tell: Callable[[str], None]) -> None:
        """Wait for what is being sent, as long as the cache answers, and say what came of it."""
        sending = self.sending
        if sending.pending:
            tell(f"sends {numbers.count(sending.pending, 'result')} to {self.url}")
        sending.finish(stop)
        if sending.sent:
            what = f"{numbers.count(sending.sent, 'result')}, {numbers.size(sending.bytes)}"
            tell(f"sent {what}, to {self.url}")
        for words in (*self._new_troubles(), *sending.troubles):
            tell(words)

    def _new_troubles(self) -> Iterator[str]:
        for words in self.cache.troubles[len(self.told) :]:
            self.told.append(words)
            yield f"the cache {self.url}: {words}"
