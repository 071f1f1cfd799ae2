"""What can be wrong with the layers that a step's adapter names."""

from __future__ import annotations

import contextlib
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from lorakit.diagnostics import Diagnostic, Place
from lorakit.facts.networks.layer_targets import ALL_LINEAR, ends, hit, meant
from lorakit.language.recipe.trainings import LoraSettings
from lorakit.language.yaml import names
from lorakit.patterns import BadPattern
from lorakit.plan.kind import Context

_SHOWN = 24  # layers that a hint lists


def targets(
    lora: LoraSettings,
    layers: Sequence[str],
    model: str,
    place: Place,
    context: Context,
    heads: Sequence[str] = (),
) -> Iterator[Diagnostic]:
    """Each of `target_modules` must be the end of a layer's name; one that is none would be passed over.

    `heads` are layers that are trained whole.
    """
    chosen, at = lora.target_modules, lora.where("target_modules") or place
    if chosen == ALL_LINEAR:
        return
    if isinstance(chosen, str):
        if not any(hit(layer, chosen) for layer in layers):
            yield context.finding(
                "no-layer",
                f"no layer of {model} is called as target_modules says, which is a regular expression "
                "over whole names",
                at,
                _instead(chosen, layers),
            )
        return
    for number, item in enumerate(chosen):
        spot = lora.where(f"target_modules.{number}") or at
        if any(hit(layer, [item]) for layer in layers):
            continue
        if any(hit(layer, [item]) for layer in heads):
            yield context.finding(
                "no-effect",
                f"{item} is of the head, which is trained whole beside an adapter",
                spot,
                "remove it",
            )
        else:
            yield _missing(item, layers, model, spot, context)


def saved(
    lora: LoraSettings, modules: Sequence[str], model: str, place: Place, context: Context
) -> Iterator[Diagnostic]:
    """Each of `modules_to_save` must be how a module's name ends, dot or not, as PEFT reads it."""
    for number, item in enumerate(lora.modules_to_save):
        if not any(module.endswith(item) for module in modules):
            spot = lora.where(f"modules_to_save.{number}") or lora.where("modules_to_save") or place
            yield _missing(item, modules, model, spot, context)


def rank(
    lora: LoraSettings,
    sizes: Mapping[str, tuple[int, ...]],
    targets: Sequence[str] | str,
    context: Context,
) -> Iterator[Diagnostic]:
    """A rank at which an adapter has more parameters than the layers it goes to trains nothing in less."""
    place = lora.where("rank")
    chosen = [shape for name, shape in sizes.items() if hit(name, targets)]
    if (
        place is None or not chosen or lora.peft_type == "lokr"
    ):  # whose matrices are whole at any such rank
        return
    whole = sum(math.prod(shape) for shape in chosen)
    pairs = 2 if lora.peft_type == "loha" else 1
    per_rank = pairs * sum(shape[0] + math.prod(shape[1:]) for shape in chosen)
    if lora.rank * per_rank <= whole:
        return
    largest = max(1, whole // per_rank)
    yield context.finding(
        "rank",
        f"rank: {lora.rank} makes an adapter of {lora.rank * per_rank:,} parameters for layers that have "
        f"{whole:,} themselves",
        place,
        f"write rank: {largest} or less; 4 to 64 are usual",
        warning=True,
    )


def _instead(chosen: str, layers: Sequence[str]) -> str:
    """What was probably meant by an expression that names no layer."""
    if re.sub(r"[\s_-]", "", chosen.casefold()) == ALL_LINEAR.replace("-", ""):
        return f"write target_modules: {ALL_LINEAR}"
    listed = [part for part in re.split(r"[\s,;]+", chosen.strip(" ,;")) if part]
    if len(listed) > 1 and all(any(hit(layer, [part]) for layer in layers) for part in listed):
        return f"ends of names stand in a list: target_modules: [{', '.join(listed)}]"
    return f"for example: target_modules: '{_example(chosen, layers)}'"


def _example(chosen: str, layers: Sequence[str]) -> str:
    """An expression that names layers: what was written as the end of names, if there are such."""
    ended = rf".*\.({chosen})"
    with contextlib.suppress(BadPattern):  # in brackets of its own its groups have other numbers
        if any(hit(layer, ended) for layer in layers):
            return ended
    (end, _), *_ = Counter(layer.rpartition(".")[2] for layer in layers).most_common(1)
    return rf".*\.{end}"


def _missing(
    item: str, layers: Sequence[str], model: str, place: Place, context: Context
) -> Diagnostic:
    if item == ALL_LINEAR:
        way = f"write target_modules: {ALL_LINEAR}, without brackets"
        return context.finding("no-layer", f"{ALL_LINEAR} is no layer's name", place, way)
    with contextlib.suppress(BadPattern):
        if re.search(r"[*+?|\\^$(]", item) and any(hit(layer, item) for layer in layers):
            way = f"an expression stands alone, without brackets: target_modules: '{item}'"
            return context.finding("no-layer", f"no layer of {model} is called {item}", place, way)
    near = meant(item, layers)
    return context.finding(
        "no-layer",
        f"no layer of {model} is called {item}",
        place,
        f"did you mean {near}?" if near else f"it has {names.listed(ends(layers), _SHOWN)}",
    )
