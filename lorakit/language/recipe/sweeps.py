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

from lorakit.language.recipe.member_names import in_a_name, shown
from lorakit.language.recipe.overrides import Override, parts
from lorakit.language.yaml import access, names, schemas, validation
from lorakit.language.yaml.nodes import Node

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence

    from lorakit.language.yaml.findings import Findings

KINDS = ("generate", "storyboard", "train-text", "train-image")
MOST_MEMBERS = 1000
_TRIES = 100  # draws for a member that is not there yet
_LONGEST_NAME = 120
_CHOSEN = frozenset({"characters"})  # the other named things of a step a sweep may add: adapters


@dataclass(frozen=True, slots=True)
class Change:
    """One value of a member: where it goes, what it is called there, what it is, in names and shown."""

    path: Node
    label: str
    value: Node
    text: str
    shown: str


@dataclass(frozen=True, slots=True)
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
        rows = _listed(over)
    elif over is not None and isinstance(over.value, dict):
        axes = _axes(over, draws, findings)
        if len(findings.all) > before:
            return []
        if draws is None:
            if math.prod(len(axis) for axis in axes) * max(1, len(seeds)) <= MOST_MEMBERS:
                rows = list(itertools.product(*axes))
            else:
                rows = [()] * (MOST_MEMBERS + 1)
        else:
            rows = _drawn(over, axes, draws, _draw_seed(node, root), findings)
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


def _listed(over: Node) -> list[tuple[Change, ...]]:
    """Members that are written out one by one."""
    assert isinstance(over.value, list)
    paths = [path for item in over.value if isinstance(item.value, dict) for path in item.value]
    labels = _labels(paths)
    rows = [
        tuple(
            _change((item.keys or {})[path], labels[path], value, number)
            for path, value in item.value.items()
        )
        for number, item in enumerate(over.value, 1)
        if isinstance(item.value, dict)
    ]
    apart = iter(_told_apart([change for row in rows for change in row]))
    return [tuple(next(apart) for _ in row) for row in rows]


def _change(path: Node, label: str, value: Node, number: int) -> Change:
    return Change(path, label, value, in_a_name(value, number), shown(value))


def _told_apart(changes: Sequence[Change]) -> list[Change]:
    """The same with other names for values that differ in what no name of a folder has: `a b` and `a, b`."""
    means: dict[tuple[str, str], str] = {}
    rows = []
    for change in changes:
        text, number = change.text, 1
        # some file systems take large letters for small ones
        while means.setdefault((change.label, text.casefold()), change.shown) != change.shown:
            number += 1
            text = f"{change.text}-{number}"
        rows.append(replace(change, text=text))
    return rows


_Axis = list[Change]


def _axes(over: Node, draws: int | None, findings: Findings) -> list[_Axis]:
    """What each path may be; a range is an axis of its two ends."""
    assert isinstance(over.value, dict)
    labels = _labels(over.value)
    axes: list[_Axis] = []
    for path, values in over.value.items():
        key = (over.keys or {})[path]
        if isinstance(values.value, list):
            changes = [_change(key, labels[path], v, n) for n, v in enumerate(values.value, 1)]
            axes.append(_told_apart(changes))
        elif isinstance(values.value, dict):
            axes.append([Change(key, labels[path], values, "", "")])
            if draws is None:
                findings.error(
                    "range-without-random",
                    f"{path} has a range, from which nothing is drawn without random",
                    values,
                    "write random: 8 beside over, or the values: [1e-5, 1e-4]",
                )
            else:
                _check_range(values, findings)
    return axes


def _check_range(node: Node, findings: Findings) -> None:
    low, high = access.number(node, "min"), access.number(node, "max")
    if low is None or high is None:
        return
    if low >= high:
        findings.error("out-of-range", "min must be below max", access.child(node, "min"))
    elif low <= 0 and access.text(node, "scale") == "log":
        hint = "write scale: linear, or a min such as 1e-6"
        message = "min must be above 0 where scale is log"
        findings.error("out-of-range", message, access.child(node, "min"), hint)


def _drawn(
    over: Node, axes: list[_Axis], draws: int, seed: int, findings: Findings
) -> list[tuple[Change, ...]]:
    """Draw so many different members; a larger number keeps those of a smaller one."""
    import random

    source = random.Random(seed)  # noqa: S311 - not for secrets
    rows: dict[tuple[str, ...], tuple[Change, ...]] = {}
    for _ in range(draws * _TRIES):
        row = tuple(_one_of(axis, source) for axis in axes)
        rows.setdefault(tuple(change.text for change in row), row)
        if len(rows) == draws:
            break
    else:
        message = f"random: {draws} is more than the {len(rows)} different members that over leaves"
        findings.error("out-of-range", message, over, "leave random out to make them all")
    return list(rows.values())


def _one_of(axis: _Axis, source: random.Random) -> Change:
    share = source.random()
    first = axis[0]
    if not isinstance(first.value.value, dict) or first.text:
        return axis[min(int(share * len(axis)), len(axis) - 1)]
    node = first.value
    ends = access.child(node, "min"), access.child(node, "max")
    low, high = access.number(node, "min") or 0.0, access.number(node, "max") or 0.0
    if access.text(node, "scale") == "log":
        number: float = math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
    else:
        number = low + share * (high - low)
    if all(end is not None and isinstance(end.value, int) for end in ends):
        number = min(int(high), round(number))
    else:
        number = min(high, max(low, float(f"{number:.3g}")))
    value = node.like(number)
    value.keys = None
    return replace(first, value=value, text=in_a_name(value, 0), shown=shown(value))


def _labels(paths: Sequence[str] | dict[str, Node]) -> dict[str, str]:
    """What each path is called: its last key, or as many as tell it from the others."""
    unique = list(dict.fromkeys(paths))
    labels = {}
    for path in unique:
        keys = path.split(".")
        for many in range(1, len(keys) + 1):
            label = ".".join(keys[-many:])
            if sum(f".{other}".endswith(f".{label}") for other in unique) == 1:
                break
        labels[path] = label
    return labels


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
