"""Checks of what tells steps from each other: comparisons, and the best of a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.language.recipe.documents import SweepStep
from lorakit.language.recipe.figures import FIGURES
from lorakit.language.recipe.sweeps import own_steps
from lorakit.language.yaml import access, names

if TYPE_CHECKING:
    from lorakit.language.recipe.documents import Recipe
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node

# their losses, of labels and of noise, have nothing to do with each other
_SORTS = {
    "train-text": "trains on texts",
    "train-image": "trains on pictures",
    "generate": "draws pictures",
    "storyboard": "draws pictures",
}


def comparisons_are_of_one_sort(_recipe: Recipe, root: Node, findings: Findings) -> None:
    """What is compared are different steps that train on texts, or on pictures, or that draw."""
    steps = own_steps(root)
    sorts = {name: _SORTS.get(access.text(node, "kind") or "") for name, node in steps.items()}
    known = [name for name, sort in sorts.items() if sort]
    there = f"there is {names.listed(known)}" if known else "no step of this recipe trains or draws"
    for node in steps.values():
        if access.text(node, "kind") != "compare":
            continue
        first = ""
        seen: set[str] = set()
        for item in access.items(node, "of"):
            if not isinstance(item.value, str):
                continue
            if item.value in seen:
                message = f"{item.value} stands here twice, and would be compared with itself"
                findings.error("mixed-comparison", message, item, "write each step once")
                continue
            seen.add(item.value)
            sort = sorts.get(item.value)
            if item.value not in steps:
                hint = names.did_you_mean(item.value, known) or there
                findings.error("unknown-step", f"the recipe has no step {item.value}", item, hint)
            elif sort is None:
                kind = access.text(steps[item.value], "kind")
                message = f"{item.value} is a step of kind {kind}, which makes nothing to compare"
                own = "its own table has its members side by side" if kind == "sweep" else there
                findings.error("unknown-step", message, item, own)
            elif first and sort != sorts[first]:
                findings.error(
                    "mixed-comparison",
                    f"{item.value} {sort}, and {first} {sorts[first]}: their figures mean different things",
                    item,
                    "write a compare step for each sort, of two steps or more",
                )
            first = first or (item.value if sort else "")


def bests_are_by_a_figure(recipe: Recipe, root: Node, findings: Findings) -> None:
    """The metric of `best` is one that the members have."""
    steps = access.mapping(root, "steps")
    for name, sweep in recipe.steps.items():
        if not isinstance(sweep, SweepStep) or sweep.best is None or not sweep.members:
            continue
        kind = access.text(steps[f"{name}/{sweep.members[0].name}"], "kind") or ""
        known = FIGURES.get(kind, ())
        link = access.child(access.child(steps[name], "best"), "metric")
        if sweep.best.metric not in known:
            findings.error(
                "unknown-metric",
                f"steps of kind {kind} have no figure called {sweep.best.metric}",
                link,
                names.did_you_mean(sweep.best.metric, known)
                or (
                    f"there is {names.listed(known)}"
                    if known
                    else "remove best: which is best is seen on the sheet"
                ),
            )
