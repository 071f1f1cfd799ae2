"""From a project to its plan: what planning knows of the world, the plan, and what a cache brings to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lorakit.language.recipe.project import Project
from lorakit.language.uncollected import uncollected
from lorakit.records import record

if TYPE_CHECKING:
    from lorakit.facts.facts import Facts
    from lorakit.facts.machine.nodes import Nodes
    from lorakit.pages.shown_plan import ShownPlan
    from lorakit.plan.expand import Expanded
    from lorakit.plan.selection import Selection
    from lorakit.plan.states import Plan
    from lorakit.remote.team_cache import TeamCache


@record
class Planning:
    """A project, and the `nodes` that it is planned for, if not for this machine."""

    project: Project
    nodes: Nodes | None

    def facts(self, *, download: bool = False, keys: bool = True, verify: bool = False) -> Facts:
        """What planning needs to know of the world, in full or to check by. Raises InvalidDocument."""
        from lorakit.facts.gather import gather

        found = gather(self.project, download=download, keys=keys, verify=verify)
        if self.nodes is None:
            return found
        return replace(found, machine=self.nodes.machine, environment=self.nodes.environment)

    def expanded(self, facts: Facts | None = None) -> Expanded:
        """All actions, with neither keys nor states; `facts` where they are known. Raises InvalidDocument."""
        from lorakit.kinds import kind_of
        from lorakit.plan.expand import expand

        return expand(self.project, facts or self.facts(keys=False), kind_of)

    def plan(
        self,
        cache: TeamCache | None,
        selection: Selection | None,
        *,
        download: bool = False,
        verify: bool = False,
        cards: Sequence[int] | None = None,
    ) -> ShownPlan:
        """What a run would make, and why, beside what a team's `cache` offers. Raises InvalidDocument."""
        from lorakit.facts.machine.environment import environment
        from lorakit.kinds import kind_of
        from lorakit.pages.shown_plan import ShownPlan
        from lorakit.plan import planner
        from lorakit.plan.selection import EVERYTHING
        from lorakit.store.journal import Addresses
        from lorakit.store.store import Store

        store, chosen = Store(self.project.home), selection or EVERYTHING
        if verify:
            store.verify()
        facts = self.facts(download=download, verify=verify)
        with uncollected():
            found = planner.plan(
                self.project,
                replace(facts, environment=facts.environment or environment()),
                kind_of,
                store,
                Addresses(store.folder, self.project.recipe.name).read(),
                chosen,
                cache,
            )
            if cards is not None:
                found = self._on_cards(found, facts, cards, chosen.draft)
        store.remember()
        return ShownPlan.of(replace(found, nodes=self.nodes))

    def _on_cards(self, plan: Plan, facts: Facts, cards: Sequence[int], draft: bool) -> Plan:
        """The plan with what it would be on cards of so many GB."""
        from lorakit.kinds import kind_of
        from lorakit.plan import card_table

        if not cards and not card_table.wanted(facts):
            return plan
        sizes = cards or card_table.CARDS
        table = card_table.card_table(self.project, facts, kind_of, sizes, draft=draft)
        return replace(plan, cards=table)

    def fetched(
        self,
        plan: Plan,
        selection: Selection | None,
        progress: Callable[[int, int], None],
        stop: Callable[[], bool],
        *,
        copy: bool,
    ) -> ShownPlan:
        """The plan once all is here that it takes from its cache, as far as it comes. Raises LorakitError."""
        from lorakit.pages.shown_plan import ShownPlan

        if plan.offers is None:
            return ShownPlan.of(plan)
        from lorakit.execute import nothing_new
        from lorakit.remote.team_cache import TeamCache
        from lorakit.store.store import Store

        cache, store = plan.offers, Store(self.project.home)
        if not isinstance(cache, TeamCache) or not any(p.fetch or p.offer for p in plan.actions):
            return ShownPlan.of(plan)
        store.refuse_links()
        if not copy and nothing_new.folder_with_all(plan, self.project.home) is not None:
            return ShownPlan.of(plan)
        store.prepare()
        # what did not come is offered no more, and what it is made of may be asked for then
        while any(p.fetch or p.offer for p in plan.actions):
            missing = cache.fetch(plan.to_fetch, store, progress, stop).missing
            for one in plan.actions:
                if one.offer is not None and not any(o.digest in missing for o in one.fetch):
                    store.record(one.offer)
            store.remember()
            plan = self.plan(cache, selection)
        return ShownPlan.of(plan)
