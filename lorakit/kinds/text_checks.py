"""What can be wrong with a training on texts once its model is known."""

from __future__ import annotations

from collections.abc import Iterator

from lorakit.diagnostics import Diagnostic
from lorakit.facts.networks.layer_targets import ends
from lorakit.facts.texts.text_data import TextFacts
from lorakit.facts.texts.text_families import family_of
from lorakit.facts.texts.text_layers import head_layers, layer_sizes, module_names
from lorakit.kinds import layer_checks
from lorakit.language.recipe.documents import TrainTextStep
from lorakit.language.recipe.trainings import DataSource
from lorakit.language.yaml import names
from lorakit.plan.kind import Context


def length(step: TrainTextStep, context: Context) -> Iterator[Diagnostic]:
    """A text longer than the model has places for."""
    facts = context.facts.text_models[step.model]
    if facts.longest and step.max_length > facts.longest:
        yield context.finding(
            "too-long",
            f"max_length: {step.max_length} is more than {facts.source} reads, "
            f"which is {facts.longest} tokens",
            step.where("max_length"),
            f"write max_length: {facts.longest}, or less",
        )


def labels(step: TrainTextStep, context: Context) -> Iterator[Diagnostic]:
    """Labels of which nothing is learnt, or nothing is known."""
    data, source = context.facts.data[step.data], context.project.recipe.datasets[step.data]
    for counts, what, hint in (
        (data.train_counts, "to train on", "add some, or leave the label out"),
        (data.test_counts, "to be scored by", _way_to_score(data, source)),
    ):
        lacking = [label for label, n in zip(data.labels, counts, strict=False) if not n]
        if lacking:
            yield context.finding(
                "labels",
                f"{names.listed([repr(one) for one in lacking], 4)} of {step.data} "
                f"{'has' if len(lacking) == 1 else 'have'} no text {what}",
                source.where("labels"),
                hint,
                warning=True,
            )


def _way_to_score(data: TextFacts, source: DataSource) -> str:
    """How each label gets a text to be scored by."""
    if not data.cut:
        return f"add some to {source.test_split}"
    both = zip(data.train_counts, data.test_counts, strict=True)
    if source.limit or any(train + test < 2 for train, test in both):
        return f"add some{', or raise limit' if source.limit else ': of one text none can be held out'}"
    return f"hold more out: test_size: {len(data.labels)}, or add some"


def test_size(step: TrainTextStep, context: Context) -> Iterator[Diagnostic]:
    """A share that is held out of data which has a split for it."""
    data, source = context.facts.data[step.data], context.project.recipe.datasets[step.data]
    if "test_size" in dict(source.places) and data.digest is not None and not data.cut:
        yield context.finding(
            "no-effect",
            f"test_size has no effect: {step.data} has a split {source.test_split}, which is scored",
            source.where("test_size"),
            "remove it",
            warning=True,
        )


def layers(step: TrainTextStep, context: Context) -> Iterator[Diagnostic]:
    """Layers that there are, or any layers at all."""
    facts, lora = context.facts.text_models[step.model], step.lora
    sizes = layer_sizes(facts)
    known = tuple(sizes)
    if not lora.target_modules and not facts.targets and facts.config:
        family = facts.config.get("model_type") or "unknown"
        yield context.finding(
            "no-layer",
            f"{facts.source} is of the family {family}, of which it is not known where an adapter goes",
            step.where("lora"),
            f"write lora: {{target_modules: [...]}}; it has {names.listed(ends(known))}"
            if known
            else "write lora: {target_modules: [...]}",
        )
    if not known:
        return
    # without its family it is not known what a classifier calls its layers from the beginning
    if family_of(facts.config) is not None or not isinstance(lora.target_modules, str):
        heads = head_layers(facts)
        yield from layer_checks.targets(lora, known, facts.source, step.place, context, heads)
    yield from layer_checks.rank(lora, sizes, lora.target_modules or facts.targets, context)
    yield from layer_checks.saved(lora, module_names(facts), facts.source, step.place, context)
