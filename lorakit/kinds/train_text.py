"""`train-text`: a text classifier, whole or as a LoRA."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lorakit.diagnostics import Diagnostic
from lorakit.facts.adapters import PEFT_FILE, PEFT_SETTINGS
from lorakit.facts.texts.text_data import TextFacts
from lorakit.facts.texts.text_json import as_json
from lorakit.facts.texts.text_layers import Counts, counts
from lorakit.kinds import text_checks
from lorakit.kinds.starts import (
    check_start,
    check_text_start,
    differing,
    start_of,
    steps_needed,
    trainings_of_start,
    written,
)
from lorakit.kinds.text_cost import cost, weights_line
from lorakit.kinds.training_plan import (
    TrainingPlan,
    check_training,
    checkpoint_every,
    lora_arguments,
    plan_training,
    saved_steps,
)
from lorakit.language.recipe.documents import TrainTextStep
from lorakit.plan import numbers
from lorakit.plan.actions import Action, Engine
from lorakit.plan.engine_specs import EngineSpec
from lorakit.plan.kind import Context, StepPlan
from lorakit.plan.tasks.training import LoraArguments, TrainTextTask
from lorakit.plan.workers import TRAIN
from lorakit.store.canonical import digest_of

_NOT_KEYED = ("name", "texts", "revision", "named")  # the data's digest stands for them
_SHOWN = 12  # labels that a plan prints
_RATES = {"lora": 5e-4, "full": 5e-5}


class TrainTexts:
    """One action a training; its outputs are the weights, what loads them, and figures."""

    def needs(self, step: TrainTextStep) -> Sequence[str]:
        """The step that trains what it goes on from."""
        return steps_needed(step.lora)

    def check(self, step: TrainTextStep, context: Context) -> Iterator[Diagnostic]:
        """Precision, length, and layers that there are."""
        yield from check_training(_training(step, context), step.place, context)
        yield from text_checks.length(step, context)
        yield from text_checks.labels(step, context)
        yield from text_checks.test_size(step, context)
        if step.method == "lora":
            yield from text_checks.layers(step, context)
            yield from _check_start(step, context)

    def plan(self, step: TrainTextStep, context: Context) -> StepPlan:
        """The training."""
        facts, data = context.facts.text_models[step.model], context.facts.data[step.data]
        training, full = _training(step, context), step.method == "full"
        source = context.project.recipe.datasets[step.data]
        whole = as_json(source)
        steps = () if full else saved_steps(step.train, training.steps)
        start = start_of(step.lora, context)
        task = TrainTextTask(
            model=facts.digest,
            data=data.digest,
            reading={k: v for k, v in whole.items() if k not in _NOT_KEYED},
            method=step.method,
            max_length=step.max_length,
            seed=training.seed,
            precision=training.precision,
            device_class=training.device_class,
            train=training.arguments(_RATES[step.method]),
            stratified=data.cut,
            class_weights=step.class_weights,
            lora=None if full else lora_arguments(step.lora, facts.targets),
            start=start.digest,
            start_path=start.path,
            model_path=str(facts.path),
            source=facts.source,
            device=training.device,
            dataset=whole,
            labels=tuple(data.labels),
            adapter_steps=steps,
            checkpointing_steps=checkpoint_every(step.train, training.steps, full=full),
            trackers=tuple(step.train.trackers),
        )
        known = facts.digest is not None and data.digest is not None
        name = step.name
        weights = (
            {"model": (f"{name}/model.safetensors",), "config": (f"{name}/config.json",)}
            if full
            else {
                "adapter": (f"{name}/{PEFT_FILE}",),
                "config": (f"{name}/{PEFT_SETTINGS}",),
            }
        )
        counted = _counts(step, context)
        action = Action(
            id=f"{name}/training",
            step=name,
            group="",
            label=f"{step.method} training of {facts.source} on {source.texts or source.name}",
            place=step.place,
            engine=Engine(
                TRAIN.name, EngineSpec(facts.source), digest_of([name, task.key()]) if known else ""
            ),
            task=task,
            cost=cost(step, context, training, counted),
            inputs=start.inputs,
            files={
                **weights,
                **_of_steps(name, steps),
                "tokenizer": (f"{name}/tokenizer.json",),
                "tokenizer_config": (f"{name}/tokenizer_config.json",),
                "metrics": (f"{name}/metrics.json",),
                "log": (f"{name}/metrics.jsonl",),
                "curve": (f"{name}/loss_curve.png",),
            },
            units=max(1, training.steps),
            notes=(
                *_labels(data),
                *_held_out(data),
                *training.lines(),
                *training.beside(step.lora, steps),
                *weights_line(counted, full=full),
            ),
            places={"precision": step.train.place or step.place, "data": source.place},
        )
        return StepPlan((action,))


def _check_start(step: TrainTextStep, context: Context) -> Iterator[Diagnostic]:
    """What it goes on from is of the same shape, and tells the same labels apart."""
    if not step.lora.start:
        return
    facts, data = context.facts.text_models[step.model], context.facts.data[step.data]
    own = lora_arguments(step.lora, facts.targets)
    yield from check_start(step.lora, own, facts.digest, (), step.place, context)
    place = step.lora.where("from") or step.place
    text = context.facts.text_adapters.get(step.lora.start)
    if text is not None:
        counted = _counts(step, context)
        layers = counted.hit if counted else ()
        yield from check_text_start(step.lora, own, text, layers, len(data.labels), place, context)
        return

    def wrong(what: str, way: str) -> Diagnostic:
        return context.finding("other-adapter", f"{step.lora.start} {what}", place, way)

    each = [
        _differences(theirs, theirs.lora, data.labels, own)
        for theirs in trainings_of_start(step.lora, context)
        if isinstance(theirs, TrainTextTask) and theirs.lora is not None
    ]
    yield from differing(each, step.lora.start, wrong)


def _differences(
    theirs: TrainTextTask, lora: LoraArguments, labels: Sequence[str], own: LoraArguments
) -> dict[str, tuple[object, object]]:
    """What an adapter of texts must have as this step has it, beside what all adapters must."""
    pairs: dict[str, tuple[object, object]] = {
        "labels": (written(tuple(theirs.labels)), written(tuple(labels))),
        "alpha": (written(lora.alpha), written(own.alpha)),
        "use_rslora": (written(lora.use_rslora), written(own.use_rslora)),
    }
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def _training(step: TrainTextStep, context: Context) -> TrainingPlan:
    return plan_training(step.train, step.seed, context.facts.data[step.data].train, context)


def _of_steps(name: str, steps: Sequence[int]) -> dict[str, tuple[str, ...]]:
    """The adapters of steps along the way, each in PEFT's layout in a folder of its own."""
    files: dict[str, tuple[str, ...]] = {}
    for at in steps:
        folder = f"{name}/checkpoints/step_{at:06d}"
        files[f"adapter_{at}"] = (f"{folder}/{PEFT_FILE}",)
        files[f"config_{at}"] = (f"{folder}/{PEFT_SETTINGS}",)
    return files


def _labels(data: TextFacts) -> Iterator[str]:
    """The labels and how many texts each has."""
    if not data.train_counts:
        return
    shown = [
        f"{label} {count:,}" for label, count in zip(data.labels, data.train_counts, strict=True)
    ]
    rest = len(shown) - _SHOWN
    more = f" and {numbers.count(rest, 'more label')}" if rest > 0 else ""
    yield f"labels, with their texts: {', '.join(shown[:_SHOWN])}{more}"


def _held_out(data: TextFacts) -> Iterator[str]:
    if data.test:
        each = ", ".join(
            f"{label} {count:,}"
            for label, count in zip(data.labels, data.test_counts, strict=False)
        )
        shown = f": {each}" if each and len(data.labels) <= _SHOWN else ""
        yield f"measured on {numbers.count(data.test, 'text')} that it does not see{shown}"


def _counts(step: TrainTextStep, context: Context) -> Counts | None:
    labels = len(context.facts.data[step.data].labels)
    lora = step.lora if step.method == "lora" else None
    return counts(context.facts.text_models[step.model], labels, lora)
