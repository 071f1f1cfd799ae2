"""Sweeps: from what varies to the steps it makes, as nodes.

    of: film, over: {storyboard.chain.strength: [0.4, 0.7]}  ->  strength=0.4, strength=0.7

A member is the swept step with other values laid over it. It stands among the steps as `sweep/member`, so
that the schema and every check speak of it too, and nodes keep their places: what is wrong with a value is
told where the sweep gives it.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lorakit.language.recipe.overrides import Override, parts
from lorakit.language.recipe.sweep_values import Change, axes_of, drawn, listed
from lorakit.language.yaml import access, names, schemas, validation
from lorakit.language.yaml.nodes import Node
from lorakit.records import record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lorakit.language.yaml.findings import Findings

KINDS = ("generate", "storyboard", "train-text", "train-image")
MOST_MEMBERS = 1000
_LONGEST_NAME = 120
_CHOSEN = frozenset({"characters"})  # the other named things of a step a sweep may add: adapters


@record
class Draft:
    """A member before it is built. `like` names what it shares with those that differ in seed alone."""

    name: str
    like: str
    changes: tuple[Change, ...]
    board: tuple[Change, ...] = ()


@dataclass(slots=True)
class Sweeps:
    """All sweeps of a recipe, and the recipe's tree with their members among its steps."""

    root: Node
    drafts: dict[str, list[Draft]] = field(default_factory=dict)

    def board(self, step: str) -> tuple[Change, ...]:
        """What a member lays over its storyboard."""
        name, _, member = step.partition("/")
        return next((d.board for d in self.drafts.get(name, ()) if d.name == member), ())


def own_steps(root: Node) -> dict[str, Node]:
    """The steps that an author wrote, without the members of sweeps."""
    return {n: node for n, node in access.mapping(root, "steps").items() if "/" not in n}


def expanded(root: Node, findings: Findings) -> Sweeps:
    """Find the members of every sweep; what is wrong with one is told, and leaves it without any."""
    steps, owner = access.mapping(root, "steps"), access.child(root, "steps")
    sweeps = Sweeps(root)
    added: dict[str, Node] = {}
    for name, node in steps.items():
        if access.text(node, "kind") != "sweep":
            continue
        base = _swept(name, node, steps, findings)
        sweeps.drafts[name] = []
        if base is None or not validation.accepts(node, schemas.RECIPE, "sweep"):
            continue  # what is wrong with it has been told
        for draft in _drafts(node, root, base, findings):
            tree, board = _laid(base, draft, findings)
            validation.check(tree, schemas.RECIPE, findings, "a step", "step")
            sweeps.drafts[name].append(replace(draft, board=board))
            added[f"{name}/{draft.name}"] = tree
    if added and owner is not None:
        every = owner.like({**steps, **added})
        spots = owner.keys or {}
        at = {name: spots.get(name.partition("/")[0], owner) for name in added}
        every.keys = {**spots, **at}
        assert isinstance(root.value, dict)
        sweeps.root = root.like({**root.value, "steps": every})
    return sweeps


def _swept(name: str, node: Node, steps: dict[str, Node], findings: Findings) -> Node | None:
    """The step that is varied: another of the recipe, or one that stands in the sweep itself."""
    link = access.child(node, "of")
    if link is None:
        return None
    could = [other for other, step in steps.items() if access.text(step, "kind") in KINDS]
    there = f"there is {names.listed(could)}" if could else "no step of this recipe can be varied"
    if isinstance(link.value, dict):
        return link if access.text(link, "kind") in KINDS else None
    if not isinstance(link.value, str) or not link.value.strip():
        return None
    other = link.value.strip()
    if other in could:
        return steps[other]
    if other == name:
        findings.error("unknown-step", "a sweep cannot vary itself", link, there)
    elif other in steps:
        kind = access.text(steps[other], "kind")
        message = f"{other} is a step of kind {kind}, which cannot be varied"
        findings.error("unknown-step", message, link, there)
    else:
        hint = names.did_you_mean(other, could) or there
        findings.error("unknown-step", f"the recipe has no step {other}", link, hint)
    return None


def _drafts(node: Node, root: Node, base: Node, findings: Findings) -> list[Draft]:
    """The members of a sweep, in the order in which they are told."""
    over, seeds = access.child(node, "over"), _seeds(node, base)
    before = len(findings.all)
    if over is None and not seeds:
        spot = node.key_spot("kind")
        findings.error("missing-key", 'a sweep needs "over" or "seeds"', spot, _EXAMPLE)
        return []
    draws = access.integer(node, "random")
    rows: list[tuple[Change, ...]] = [()]
    if over is not None and isinstance(over.value, list):
        if draws is not None:
            findings.error(
                "both-given",
                "random and a list of members cannot stand side by side",
                node.key_spot("random"),
                "write over as a mapping of paths to values for it to draw from",
            )
        rows = listed(over)
    elif over is not None and isinstance(over.value, dict):
        axes = axes_of(over, draws, findings)
        if len(findings.all) > before:
            return []
        if draws is None:
            if math.prod(len(axis) for axis in axes) * max(1, len(seeds)) <= MOST_MEMBERS:
                rows = list(itertools.product(*axes))
            else:
                rows = [()] * (MOST_MEMBERS + 1)
        else:
            rows = drawn(over, axes, draws, _draw_seed(node, root), findings)
    elif draws is not None:
        message = "random has nothing to draw from"
        findings.error("no-effect", message, node.key_spot("random"), _EXAMPLE)
    if len(rows) * max(1, len(seeds)) > MOST_MEMBERS:
        findings.error(
            "too-many-members",
            f"a sweep has {MOST_MEMBERS:,} members at most",
            node.key_spot("over"),
            "random: 20 tries twenty of them",
        )
    if len(findings.all) > before:
        return []
    return list(_named(rows, seeds, node, findings))


_EXAMPLE = "for example: over: {train.learning_rate: [1e-4, 3e-4]}"


def _seeds(node: Node, base: Node) -> list[Change]:
    given = access.items(node, "seeds")
    path = "storyboard.seed" if access.text(base, "kind") == "storyboard" else "seed"
    return [
        Change(seed.like(path), "seed", seed, f"{seed.value}", f"{seed.value}") for seed in given
    ]


def _draw_seed(node: Node, root: Node) -> int:
    own = access.integer(node, "seed")
    return (access.integer(root, "seed") or 0) if own is None else own


def _named(
    rows: Sequence[tuple[Change, ...]], seeds: Sequence[Change], node: Node, findings: Findings
) -> Iterator[Draft]:
    taken: dict[str, None] = {}
    for row in rows:
        like = ",".join(f"{change.label}={change.text}" for change in row)
        for seed in seeds or (None,):
            changes = row if seed is None else (*row, seed)
            name = ",".join(f"{change.label}={change.text}" for change in changes)
            if name in taken:
                at = changes[-1].value if changes else node
                message = f"two members of the sweep are {name}"
                findings.error("duplicate-name", message, at, "remove one of the two values")
                continue
            taken[name] = None
            short = name if len(name) <= _LONGEST_NAME else f"member_{len(taken)}"
            yield Draft(short or "all", like, changes)


def _laid(base: Node, draft: Draft, findings: Findings) -> tuple[Node, tuple[Change, ...]]:
    """The swept step with a member's values laid over it; what leads into its storyboard is kept apart."""
    tree, board = base, list[Change]()
    is_board = access.text(base, "kind") == "storyboard"
    for change in draft.changes:
        steps = parts(str(change.path.value))
        if not all(step.name for step in steps):
            message = "a path is keys with dots between them"
            findings.error("bad-path", message, change.path, "for example: train.learning_rate")
        elif steps[0].name == "kind":
            message = "a sweep varies what a step says, not its kind"
            findings.error("bad-path", message, change.path, "write a sweep for each kind")
        elif is_board and steps[0].name == "storyboard" and len(steps) > 1:
            board.append(change)
        else:
            tree = laid(tree, change, findings)
    return tree, tuple(board)


def laid(root: Node, change: Change, findings: Findings, *, skip: int = 0) -> Node:
    """`root` with one value laid over it; `skip` keys of the path are those that lead to `root`."""
    key = change.path
    path = parts(str(key.value))
    column = key.column + (1 if key.style in ("'", '"') else 0)
    override = Override(key.source, key.line, column, change.value, findings, "bad-path", _CHOSEN)
    return override.applied(root, path[skip:], path[skip - 1].name if skip else "the step")
