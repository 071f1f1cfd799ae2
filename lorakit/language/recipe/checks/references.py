"""Checks of the names by which steps use models, adapters and each other."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from lorakit.language.recipe.documents import (
    CompareStep,
    Step,
    SweepStep,
    TrainImageStep,
    TrainTextStep,
    VideoStep,
)
from lorakit.language.recipe.sweeps import own_steps
from lorakit.language.recipe.trainings import maker_of
from lorakit.language.yaml import access, names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lorakit.language.recipe.documents import Recipe
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node, Spot


def models_exist(_recipe: Recipe, root: Node, findings: Findings) -> None:
    """A step's model is one of the recipe's, or studio."""
    known = [*access.mapping(root, "models"), "studio", "minilm"]
    for node in access.mapping(root, "steps").values():
        link = access.child(node, "model")
        name = access.text(node, "model")
        if link is None or name is None or name in known:
            continue
        if name.startswith(("lorakit:", "hub:")) or "/" in name:
            hint = f"name it first, models: {{mine: {{from: {name}}}}}, and write model: mine"
        else:
            hint = (
                names.did_you_mean(name, known) or f"there is {names.listed(dict.fromkeys(known))}"
            )
        findings.error("unknown-model", f"the recipe has no model {name}", link, hint)


def adapters_exist(recipe: Recipe, root: Node, findings: Findings) -> None:
    """An adapter that a step wears is one of the recipe's."""
    steps = own_steps(root)
    trained = [name for name, node in steps.items() if access.text(node, "kind") == "train-image"]
    swept = {
        name: sweep.best is not None
        for name, sweep in recipe.steps.items()
        if isinstance(sweep, SweepStep)
        and any(isinstance(member.step, TrainImageStep) for member in sweep.members)
    }
    files = access.mapping(root, "adapters")
    makers = [*trained, *(f"{name}.best" for name, best in swept.items() if best)]
    known = [*files, *makers]
    for name in files:
        if name in makers:
            owner = access.child(root, "adapters")
            assert owner is not None
            findings.error(
                "duplicate-name",
                f"both an adapter from a file and what the step {name.removesuffix('.best')} trains "
                f"are called {name}",
                owner.key_spot(name),
                "give one of them another name, or adapters: could mean either",
            )
    for node in access.mapping(root, "steps").values():
        owner = access.child(node, "adapters")
        for name in access.mapping(node, "adapters"):
            step, output = maker_of(name)
            if name in known or (step in trained and output != "adapter"):
                continue
            if name in _unread_bests(recipe, root):
                continue
            assert owner is not None
            if swept.get(name.removesuffix(".best")) is False:
                findings.error(
                    "unknown-adapter",
                    f"the sweep {name.removesuffix('.best')} does not say which member is best",
                    owner.key_spot(name),
                    "write best: {metric: fixed_loss, mode: min} into it",
                )
                continue
            findings.error(
                "unknown-adapter",
                f"the recipe has no adapter {name}",
                owner.key_spot(name),
                names.did_you_mean(name, known)
                or (
                    f"there is {names.listed(known)}"
                    if known
                    else f"name it first, adapters: {{{step}: {{from: {step}.safetensors}}}}"
                ),
            )


def trainings_go_on_from_adapters(recipe: Recipe, root: Node, findings: Findings) -> None:
    """What a training goes on from is an adapter of its own sort."""
    steps = own_steps(root)
    for own, node in access.mapping(root, "steps").items():
        kind = access.text(node, "kind")
        lora = access.child(node, "lora")
        link, name = access.child(lora, "from"), access.text(lora, "from")
        if link is None or not name or kind not in ("train-image", "train-text"):
            continue
        like = [
            other
            for other, step in steps.items()
            if access.text(step, "kind") == kind and access.text(step, "method") != "full"
        ]
        known = [other for other in like if other != own]
        known += [*access.mapping(root, "adapters")]
        bests = _bests(recipe, kind)
        known += [best for best, adapters in bests.items() if adapters]
        step, output = maker_of(name)
        if name in known or (step in like and output != "adapter"):
            continue
        if name in _unread_bests(recipe, root):
            continue
        known = [other for other in known if own not in _line_of(other, steps)]
        if ":" in name or "/" in name or name.endswith(".safetensors"):
            hint = f"name it first, adapters: {{mine: {{from: {name}}}}}, and write from: mine"
        else:
            hint = names.did_you_mean(name, known) or (
                f"there is {names.listed(known)}"
                if known
                else "it names one of adapters, or a step"
            )
        whole = name in steps and access.text(steps[name], "method") == "full"
        if whole or bests.get(name) is False:
            kept = f"outputs/{recipe.name}/NNN/{step}"
            kept += "/best" if name not in steps else "/model" if kind == "train-image" else ""
            hint = (
                "to go on from trained weights, name their folder, "
                f"models: {{mine: {{from: {kept}}}}}, and write model: mine"
            )
        what = "is no adapter"
        if bests.get(name) is False:
            what = "may be no adapter: members of that sweep train every weight"
        elif name in steps:
            what = "trains another sort of model, or every weight"
        findings.error(
            "unknown-adapter",
            f"a training cannot go on from itself: {name}"
            if name == own
            else f"{name} {what}: from names one that this step could have trained",
            link,
            hint,
        )


def _line_of(name: str, steps: Mapping[str, Node]) -> list[str]:
    """The steps that a training goes on from, nearest first, itself among them."""
    found: list[str] = []
    step = maker_of(name)[0]
    while step in steps and step not in found:
        found.append(step)
        step = maker_of(access.text(access.child(steps[step], "lora"), "from") or "")[0]
    return found


def _bests(recipe: Recipe, kind: str) -> dict[str, bool]:
    """The best of sweeps over trainings of a kind, and whether it is an adapter whichever member it is."""
    trains: type[TrainImageStep | TrainTextStep] = (
        TrainImageStep if kind == "train-image" else TrainTextStep
    )
    found = {}
    for name, sweep in recipe.steps.items():
        if isinstance(sweep, SweepStep) and sweep.best is not None:
            of_kind = [one.step for one in sweep.members if isinstance(one.step, trains)]
            if of_kind:
                found[f"{name}.best"] = all(step.method == "lora" for step in of_kind)
    return found


def _unread_bests(recipe: Recipe, root: Node) -> list[str]:
    """The best of sweeps whose members have errors of their own, so that nothing is known of them yet."""
    return [
        f"{name}.best"
        for name, node in access.mapping(root, "steps").items()
        if access.text(node, "kind") == "sweep"
        and access.child(node, "best") is not None
        and not getattr(recipe.steps.get(name), "members", ())
    ]


def films_join_steps(_recipe: Recipe, root: Node, findings: Findings) -> None:
    """What a video step joins are other steps of the recipe."""
    steps = own_steps(root)
    for own, node in steps.items():
        if access.text(node, "kind") != "video":
            continue
        others = [name for name in steps if name != own]
        for item in access.items(node, "of"):
            if not isinstance(item.value, str) or item.value in steps:
                continue
            findings.error(
                "unknown-step",
                f"the recipe has no step {item.value}",
                item,
                names.did_you_mean(item.value, others)
                or (f"there is {names.listed(others)}" if others else "it has no other step"),
            )


def steps_do_not_go_round(recipe: Recipe, root: Node, findings: Findings) -> None:
    """Steps that wait for each other never begin."""
    needs = {
        name: [other for other in _needs(step) if other in recipe.steps]
        for name, step in recipe.steps.items()
    }
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        # graphlib tells a ring from what is needed to what needs it
        ring = list(reversed(error.args[1]))
        first = min(ring[:-1], key=list(recipe.steps).index)
        at = ring.index(first)
        ring = [*ring[at:-1], *ring[:at], first]
        node = access.mapping(root, "steps")[first]
        findings.error(
            "step-cycle",
            f"steps wait for each other in a ring: {' -> '.join(ring)}"
            if len(ring) > 2
            else f"the step {first} waits for itself",
            _link(node, ring[1]),
            "remove it here, or one of the others" if len(ring) > 2 else "remove it",
        )


def _link(node: Node, other: str) -> Node | Spot:
    """Where a step names another one."""
    start = access.child(access.child(node, "lora"), "from")
    if start is not None and maker_of(str(start.value))[0] == other:
        return start
    owner = access.child(node, "adapters")
    for name in access.mapping(node, "adapters"):
        if owner is not None and maker_of(name)[0] == other:
            return owner.key_spot(name)
    return next((item for item in access.items(node, "of") if item.value == other), node)


def _needs(step: Step) -> list[str]:
    """The steps that one waits for, whichever way it names them."""
    if isinstance(step, VideoStep | CompareStep):
        return list(step.of)
    if isinstance(step, SweepStep):
        return [other for member in step.members for other in _needs(member.step)]
    lora = getattr(step, "lora", None)
    # one that goes on from itself is told of by itself
    starts = [lora.start_step] if lora and lora.start_step not in ("", step.name) else []
    return [*(use.step for use in getattr(step, "adapters", ())), *starts]
