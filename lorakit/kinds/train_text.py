"""`train-text`: a text classifier, whole or as a LoRA."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lorakit.diagnostics import Diagnostic
from lorakit.facts.text_data import as_json
from lorakit.facts.text_models import Counts, counts, head_names, layer_names
from lorakit.kinds.trainer import (
    TRAIN_SLOT,
    Course,
    check_course,
    checkpoint_every,
    course_of,
    lora_params,
)
from lorakit.language import names
from lorakit.language.documents import TrainTextStep
from lorakit.plan.actions import Action, Engine
from lorakit.plan.kind import Context, Made
from lorakit.store.canonical import digest_of

TRAIN_TEXT_VERSION = 1
_RATES = {"lora": 5e-4, "full": 5e-5}
_LETTERS_A_TOKEN = 4.2  # of English, in a vocabulary of 30,000 word pieces
_TORCH_BYTES = 520 << 20  # a process with torch and transformers, before any weights


class TrainTexts:
    """One action a training; its outputs are the weights, what loads them, and figures."""

    def needs(self, step: TrainTextStep) -> Sequence[str]:  # noqa: ARG002
        """No other step."""
        return ()

    def check(self, step: TrainTextStep, context: Context) -> Iterator[Diagnostic]:
        """Precision, length, and layers that there are."""
        facts = context.facts.readers[step.model]
        yield from check_course(_course(step, context), step.place, context)
        if facts.longest and step.max_length > facts.longest:
            yield context.finding(
                "too-long",
                f"max_length: {step.max_length} is more than {facts.source} reads, "
                f"which is {facts.longest} tokens",
                step.place,
                f"write max_length: {facts.longest}, or less",
            )
        known = layer_names(facts)
        if step.method == "lora" and known:
            counted = _counts(step, context)
            if counted is not None and not counted.hit:
                ends = dict.fromkeys(name.rsplit(".", 1)[-1] for name in known)
                heads = head_names(facts)
                yield context.finding(
                    "no-layer",
                    f"no layer of {facts.source} is called as target_modules says",
                    step.place,
                    f"it has {names.listed(e for e in ends if e not in heads)}",
                )

    def plan(self, step: TrainTextStep, context: Context) -> Made:
        """The training."""
        facts, data = context.facts.readers[step.model], context.facts.data[step.data]
        course, full = _course(step, context), step.method == "full"
        source = context.project.recipe.datasets[step.data]
        whole = as_json(source)
        params: dict[str, object] = {
            "model": facts.digest,
            "data": data.digest,
            "reading": {k: v for k, v in whole.items() if k not in ("name", "texts")},
            "method": step.method,
            "max_length": step.max_length,
            "seed": course.seed,
            "precision": course.precision,
            "device_class": course.device_class,
            "train": course.params(_RATES[step.method]),
        }
        if not full:
            params["lora"] = lora_params(step.lora, facts.targets)
        known = facts.digest is not None and data.digest is not None
        name = step.name
        weights = (
            {"model": (f"{name}/model.safetensors",), "config": (f"{name}/config.json",)}
            if full
            else {
                "adapter": (f"{name}/adapter_model.safetensors",),
                "config": (f"{name}/adapter_config.json",),
            }
        )
        counted = _counts(step, context)
        action = Action(
            id=f"{name}/training",
            step=name,
            group="",
            kind="train-text",
            version=TRAIN_TEXT_VERSION,
            label=f"{step.method} training of {facts.source} on {source.texts or source.name}",
            place=step.place,
            engine=Engine(
                TRAIN_SLOT, {"name": facts.source}, digest_of([name, params]) if known else ""
            ),
            params=params,
            files={
                **weights,
                "tokenizer": (f"{name}/tokenizer.json",),
                "tokenizer_config": (f"{name}/tokenizer_config.json",),
                "metrics": (f"{name}/metrics.json",),
                "log": (f"{name}/metrics.jsonl",),
                "curve": (f"{name}/loss_curve.png",),
            },
            units=max(1, course.steps),
            extra={
                "model_path": str(facts.path),
                "source": facts.source,
                "device": course.device,
                "data": whole,
                "labels": list(data.labels),
                "checkpointing_steps": checkpoint_every(step.train, course.steps, full=full),
                "trackers": list(step.train.trackers),
                "plan": [*course.lines(), *_weights_line(counted, full=full)],
                **_cost(step, context, course, counted),
            },
            places={"precision": step.train.place or step.place, "data": source.place},
        )
        return Made((action,))


def _course(step: TrainTextStep, context: Context) -> Course:
    return course_of(step.train, step.seed, context.facts.data[step.data].train, context)


def _counts(step: TrainTextStep, context: Context) -> Counts | None:
    labels = len(context.facts.data[step.data].labels)
    lora = step.lora if step.method == "lora" else None
    return counts(context.facts.readers[step.model], labels, lora)


def _weights_line(counted: Counts | None, *, full: bool) -> Iterator[str]:
    if counted is None:
        yield "trainable parameters: unknown for this family of models"
        return
    share = counted.trainable / counted.total
    yield (
        f"trains {counted.trainable:,} of {counted.total:,} parameters ({share:.2%}): "
        f"{'model' if full else 'adapter'} of about {counted.trainable * 4 / 1e6:.1f} MB"
    )


def _cost(
    step: TrainTextStep, context: Context, course: Course, counted: Counts | None
) -> dict[str, object]:
    """For the estimate: operations of an optimizer step, bytes of memory and disk, and a name for timings."""
    if counted is None:
        return {}
    config = context.facts.readers[step.model].config
    hidden = int(config.get("hidden_size") or config.get("dim") or 0)
    depth = int(config.get("num_hidden_layers") or config.get("n_layers") or 0)
    letters = context.facts.data[step.data].characters
    tokens = min(float(step.max_length), letters / _LETTERS_A_TOKEN + 4)
    rows = step.train.batch_size
    dense = counted.total - int(config.get("vocab_size", 0)) * hidden
    passes = (
        6 if step.method == "full" else 4.2
    )  # forward, backward; a LoRA skips weights' gradients
    # what a layer keeps for the way back: about 34 numbers of 4 bytes a token and channel, halved in bf16
    kept = rows * tokens * 1.3 * hidden * depth * 34 * (4 if course.precision == "fp32" else 3)
    return {
        "operations": passes * dense * rows * tokens * step.train.gradient_accumulation_steps,
        "memory": int(_TORCH_BYTES + counted.total * 4 + counted.trainable * 12 + kept),
        "disk": counted.trainable * 4 + 800_000,
        "timing": digest_of(
            [
                context.facts.readers[step.model].digest,
                context.facts.data[step.data].digest,
                step.method,
                step.max_length,
                rows,
                step.train.gradient_accumulation_steps,
                course.precision,
                course.device_class,
            ]
        ),
    }
