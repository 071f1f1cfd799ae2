"""`train-image`: an adapter for pictures, or a whole model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lorakit.diagnostics import Diagnostic
from lorakit.facts.adapters import PEFT_FILE, PEFT_SETTINGS, trained_file
from lorakit.facts.models.model_facts import ModelFacts, pipeline_files
from lorakit.kinds import image_checks
from lorakit.kinds.adapter_checks import check_adapters
from lorakit.kinds.encoded import EncodingActions
from lorakit.kinds.frames.memory_checks import check_trained
from lorakit.kinds.image_cost import adapted_layers, cost, counted, frozen, mode_of, weights_line
from lorakit.kinds.image_samples import adapter_steps, check_samples, sample_actions
from lorakit.kinds.image_set import MIDDLE, ImageSet, Sample, image_set, views
from lorakit.kinds.picture_warnings import picture_warnings
from lorakit.kinds.starts import check_start, start_of, steps_needed
from lorakit.kinds.training_plan import (
    UNKNOWN_STEPS,
    TrainingPlan,
    check_training,
    checkpoint_every,
    lora_arguments,
    plan_training,
)
from lorakit.language.recipe.adapters import AdapterUse
from lorakit.language.recipe.documents import TrainImageStep
from lorakit.plan import mode_words, numbers
from lorakit.plan.actions import Action, Engine, Input
from lorakit.plan.engine_specs import EngineSpec
from lorakit.plan.kind import Context, StepPlan
from lorakit.plan.tasks.training import EncodedSample, TrainImageTask
from lorakit.plan.workers import TRAIN
from lorakit.records import record
from lorakit.store.canonical import digest_of

_RATES = {"lora": 1e-4, "full": 1e-5}


class TrainImages:
    """Latents and embeds, the training, and its samples; what it hands out is the adapter, and figures."""

    def needs(self, step: TrainImageStep) -> Sequence[str]:
        """The step that trains what it goes on from."""
        return steps_needed(step.lora)

    def check(self, step: TrainImageStep, context: Context) -> Iterator[Diagnostic]:
        """Precision, captions that fit, layers that there are."""
        wrong = list(image_checks.family(step, context)) or list(image_checks.data(step, context))
        yield from wrong
        if wrong:
            return
        seen = image_set(step, context)
        yield from check_trained(step, context)
        yield from check_training(_training(step, context, seen), step.place, context)
        yield from image_checks.captions(step, context)
        yield from picture_warnings(step, seen, context)
        yield from check_samples(step, context)
        yield from image_checks.method(step, context)
        yield from _check_start(step, context)

    def plan(self, step: TrainImageStep, context: Context) -> StepPlan:
        """The encodings, the training, the samples."""
        model = context.facts.models[step.model]
        source = context.project.recipe.datasets[step.data]
        seen = image_set(step, context)
        training = _training(step, context, seen)
        read, skip = step.max_token_length, step.clip_skip
        encodings = EncodingActions(step.name, step.place, model, context, read, skip)
        encoded = _encoded(step, seen, encodings, training.seed)
        count = counted(step, context)
        steps = adapter_steps(step, training.steps)
        task = _task(step, context, seen, training, encoded)
        mode = mode_of(step, context, training, seen, count)
        task = replace(task, weight_bits=mode.bits)
        name = step.name
        what = numbers.count(len(seen.samples), "picture") if seen.samples else source.images
        action = Action(
            id=f"{name}/training",
            step=name,
            group="",
            label=f"{step.method} training of {model.source} on {what}",
            place=step.place,
            engine=Engine(
                TRAIN.name,
                EngineSpec(model.source),
                digest_of([name, task.key()]) if model.digest and seen.samples else "",
            ),
            task=task,
            cost=cost(step, context, training, seen, count, len(steps)),
            inputs=(*encoded.inputs, *start_of(step.lora, context).inputs),
            files={
                **_weights(step, model),
                **{
                    f"adapter_{at}": (f"{name}/checkpoints/step_{at:06d}.safetensors",)
                    for at in steps
                },
                "metrics": (f"{name}/metrics.json",),
                "log": (f"{name}/metrics.jsonl",),
                "curve": (f"{name}/loss_curve.png",),
            },
            units=max(1, training.steps),
            notes=(
                *_lines(step, seen, context, training, weights_line(step, context, count)),
                *encodings.lines,
                *mode_words.training(mode, task.frozen, context.facts.machine.card),
            ),
            places={"precision": step.train.place or step.place},
        )
        drawn = sample_actions(step, context, action, training.steps)
        return StepPlan((*encodings.actions, action, *drawn))


def _task(
    step: TrainImageStep,
    context: Context,
    seen: ImageSet,
    training: TrainingPlan,
    encoded: _Encoded,
) -> TrainImageTask:
    model = context.facts.models[step.model]
    source = context.project.recipe.datasets[step.data]
    full, start = step.method == "full", start_of(step.lora, context)
    uneven = len(set(seen.repeats)) > 1 or set(seen.repeats) - {source.repeats}
    return TrainImageTask(
        model=model.digest,
        method=step.method,
        data=context.facts.pictures[step.data].digest,
        repeats=source.repeats,
        keep_tags=step.keep_tags,
        prior_data=context.facts.pictures[step.prior_data].digest if step.prior_data else None,
        prior_loss_weight=step.prior_loss_weight,
        sizes=digest_of([sample.bucket for sample in (*seen.samples, *seen.held_out)]),
        held_out=tuple(sample.picture.name for sample in seen.held_out),
        random_flip=step.random_flip,
        random_crops=step.random_crops,
        caption_dropout=step.caption_dropout,
        shuffle_tags=step.shuffle_tags,
        snr_gamma=step.snr_gamma,
        noise_offset=step.noise_offset,
        prediction_type=step.prediction_type,
        masked_loss=step.masked_loss,
        train_text_encoder=step.train_text_encoder,
        seed=training.seed,
        precision=training.precision,
        device_class=training.device_class,
        train=training.arguments(_RATES[step.method]),
        folder_repeats=tuple(seen.repeats) if uneven else (),
        trigger_word=(source.trigger_word or "") if step.shuffle_tags else "",
        max_token_length=step.max_token_length,
        clip_skip=step.clip_skip,
        lora=None if full else lora_arguments(step.lora, model.traits.targets, step.lora.peft_type),
        start=start.digest,
        start_path=start.path,
        model_path=str(model.path),
        model_parts=str(model.parts or ""),
        source=model.source,
        frozen=frozen(model, training),
        family=model.family,
        device=training.device,
        samples=encoded.samples,
        held_out_samples=encoded.held_out,
        schedule=tuple(seen.schedule),
        empty=encoded.empty,
        adapter_steps=adapter_steps(step, training.steps),
        model_files=tuple(pipeline_files(model, trained_text=step.train_text_encoder)),
        checkpointing_steps=checkpoint_every(step.train, training.steps, full=full),
        trackers=tuple(step.train.trackers),
    )


def _check_start(step: TrainImageStep, context: Context) -> Iterator[Diagnostic]:
    """What it goes on from fits the model, and the adapter that is trained."""
    if not step.lora.start:
        return
    place = step.lora.where("from") or step.place
    yield from check_adapters([AdapterUse(step.lora.start, 1.0, place)], step.model, context)
    model = context.facts.models[step.model]
    own = lora_arguments(step.lora, model.traits.targets, step.lora.peft_type)
    layers = adapted_layers(step, context)
    yield from check_start(step.lora, own, model.digest, layers, place, context)


def _weights(step: TrainImageStep, model: ModelFacts) -> dict[str, tuple[str, ...]]:
    """The files a training leaves: an adapter, or a whole pipeline that other recipes can name."""
    name = step.name
    if step.method == "full":
        files = pipeline_files(model, trained_text=step.train_text_encoder)
        return {f"model/{file}": (f"{name}/model/{file}",) for file in files}
    file = trained_file(step.lora.peft_type)
    beside = {"config": (f"{name}/{PEFT_SETTINGS}",)} if file == PEFT_FILE else {}
    return {"adapter": (f"{name}/{file}",), **beside}


@record
class _Encoded:
    """A step's samples, and the inputs that bring their latents and embeds."""

    samples: tuple[EncodedSample, ...]
    held_out: tuple[EncodedSample, ...]
    empty: str | None
    inputs: tuple[Input, ...]


def _encoded(
    step: TrainImageStep, seen: ImageSet, encodings: EncodingActions, seed: int
) -> _Encoded:
    """What the worker is told of each picture, and where it finds its latents and embeds."""
    roles: dict[str, Input] = {}
    # what is trained, or shuffled, cannot be encoded before
    live = step.train_text_encoder or step.shuffle_tags

    def role(action: Action, what: str) -> str:
        name = action.id.rpartition("/")[2]
        roles[name] = Input(name, action.id, what)
        return name

    def encoded(sample: Sample, *, held: bool = False) -> EncodedSample:
        cuts = [MIDDLE] if held else views(step, seed, sample.picture)
        mask = sample.picture.mask if step.masked_loss else None
        encoding = encodings.picture(sample.picture, sample.bucket, cuts, mask)
        latents, embeds = role(encoding, "latents"), None
        if not live or (held and not step.train_text_encoder):
            embeds = role(encodings.caption(sample.picture.caption), "embeds")
        return EncodedSample(
            name=sample.picture.name or sample.picture.file.name,
            caption=sample.picture.caption,
            size=sample.picture.size,
            bucket=sample.bucket,
            views=tuple(cuts),
            prior=sample.prior,
            latents=latents,
            embeds=embeds,
        )

    samples = tuple(encoded(sample) for sample in seen.samples)
    held_out = tuple(encoded(sample, held=True) for sample in seen.held_out)
    empty = None
    if step.caption_dropout and not live:
        empty = role(encodings.caption("", empty=True), "embeds")
    return _Encoded(samples, held_out, empty, tuple(roles.values()))


def _training(step: TrainImageStep, context: Context, seen: ImageSet) -> TrainingPlan:
    train = step.train
    if train.max_train_steps is None and seen.samples:
        # batches are of one bucket, so an epoch has more of them than its pictures would fill
        passes = (train.num_train_epochs or 3) * seen.order.per_epoch
        steps = -(-passes // train.gradient_accumulation_steps)
        train = replace(train, max_train_steps=steps)
    return plan_training(train, step.seed, len(seen.schedule), context)


def _lines(
    step: TrainImageStep,
    seen: ImageSet,
    context: Context,
    training: TrainingPlan,
    weights: Iterator[str],
) -> Iterator[str]:
    """What a plan says of a training."""
    if not seen.samples:
        yield UNKNOWN_STEPS
        yield from weights
        yield training.where()
        return
    passes = training.steps * step.train.gradient_accumulation_steps
    epochs = numbers.amount(passes / seen.order.per_epoch, "epoch")
    every = numbers.count(len(seen.schedule), "picture")
    yield (
        f"{numbers.count(training.steps, 'optimizer step')}, {epochs} of {every}: "
        f"{numbers.count(seen.order.seen(passes), 'picture')} seen"
    )
    yield from seen.lines()
    yield from image_checks.cut_captions(step, context)
    if step.masked_loss:
        masked = sum(sample.picture.mask is not None for sample in seen.samples)
        yield (
            f"{masked} of {len(seen.samples)} pictures have a mask; the whole of the others is learnt from"
            if masked < len(seen.samples)
            else "only what its mask leaves white is learnt from each picture"
        )
    if step.shuffle_tags:
        yield "captions' parts between commas are shuffled anew each time"
    if step.caption_dropout:
        yield f"{step.caption_dropout:.0%} of the pictures are shown without their caption"
    yield from training.beside(step.lora, adapter_steps(step, training.steps))
    yield from weights
    yield training.where()
