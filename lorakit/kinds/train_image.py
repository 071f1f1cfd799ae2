"""`train-image`: an adapter for pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from lorakit.diagnostics import Diagnostic
from lorakit.facts.unet_layers import layer_sizes, total, trainable
from lorakit.kinds.trainer import (
    TRAIN_SLOT,
    Course,
    check_course,
    checkpoint_every,
    course_of,
    lora_params,
)
from lorakit.language.documents import TrainImageStep
from lorakit.plan.actions import Action, Engine
from lorakit.plan.buckets import PictureOrder, bucket_of
from lorakit.plan.kind import Context, Made
from lorakit.store.canonical import digest_of

TRAIN_IMAGE_VERSION = 1
_TARGETS = ("to_q", "to_k", "to_v", "to_out.0")  # diffusers' own example trains these
_RATE = 1e-4
_TORCH_BYTES = 520 << 20
_SHOWN = 3  # captions and buckets that a plan prints


class TrainImages:
    """One action a training; its output is the adapter, in diffusers' format, and figures."""

    def needs(self, step: TrainImageStep) -> Sequence[str]:  # noqa: ARG002
        """No other step."""
        return ()

    def check(self, step: TrainImageStep, context: Context) -> Iterator[Diagnostic]:
        """Precision, captions that fit, layers that there are."""
        model = context.facts.models[step.model]
        place = context.project.recipe.datasets[step.data].where("images")
        yield from check_course(_course(step, context), step.place, context)
        counter = context.facts.counters.get(step.model)
        pictures = context.facts.pictures[step.data].pictures
        over = counter.overflow([p.caption for p in pictures]) if counter else {}
        for picture in pictures:
            if picture.caption in over:
                tokens, lost = over[picture.caption]
                yield context.finding(
                    "prompt-too-long",
                    f"the caption of {picture.file.name} has {tokens} tokens, {model.source} reads "
                    f"{model.token_limit}: '{lost}' would fall off",
                    place,
                    "shorten it",
                )
        if step.lora.modules_to_save:
            yield context.finding(
                "no-effect",
                "modules_to_save has no effect in train-image: no format of adapters holds such layers",
                step.place,
                "name the layers in target_modules instead",
            )
        sizes = layer_sizes(model)
        if sizes and not trainable(sizes, step.lora.target_modules or _TARGETS, step.lora):
            yield context.finding(
                "no-layer",
                f"no layer of {model.source} is called as target_modules says",
                step.place,
                "for example: target_modules: [attn2.to_q, attn2.to_k, attn2.to_v]",
            )

    def plan(self, step: TrainImageStep, context: Context) -> Made:
        """The training."""
        model, facts = context.facts.models[step.model], context.facts.pictures[step.data]
        course, name = _course(step, context), step.name
        order = _order(step, context)
        params: dict[str, object] = {
            "model": model.digest,
            "data": facts.digest,
            "buckets": [list(bucket) for bucket in order.buckets],
            "random_flip": step.random_flip,
            "caption_dropout": step.caption_dropout,
            "snr_gamma": step.snr_gamma,
            "noise_offset": step.noise_offset,
            "lora": lora_params(step.lora, _TARGETS),
            "seed": course.seed,
            "precision": course.precision,
            "device_class": course.device_class,
            "train": course.params(_RATE),
        }
        sizes = layer_sizes(model)
        count = trainable(sizes, step.lora.target_modules or _TARGETS, step.lora)
        action = Action(
            id=f"{name}/training",
            step=name,
            group="",
            kind="train-image",
            version=TRAIN_IMAGE_VERSION,
            label=f"lora training of {model.source} on {len(facts.pictures)} pictures",
            place=step.place,
            engine=Engine(
                TRAIN_SLOT,
                {"name": model.source},
                digest_of([name, params]) if model.digest else "",
            ),
            params=params,
            files={
                "adapter": (f"{name}/pytorch_lora_weights.safetensors",),
                "metrics": (f"{name}/metrics.json",),
                "log": (f"{name}/metrics.jsonl",),
                "curve": (f"{name}/loss_curve.png",),
            },
            units=max(1, course.steps),
            extra={
                "model_path": str(model.path),
                "source": model.source,
                "family": model.family,
                "device": course.device,
                "files": [str(p.file) for p in facts.pictures],
                "captions": [p.caption for p in facts.pictures],
                "checkpointing_steps": checkpoint_every(step.train, course.steps, full=False),
                "plan": list(_lines(step, context, course, count)),
                **_cost(step, context, course, count),
            },
            places={"precision": step.train.place or step.place},
        )
        return Made((action,))


def _order(step: TrainImageStep, context: Context) -> PictureOrder:
    model, facts = context.facts.models[step.model], context.facts.pictures[step.data]
    native = model.native
    area = step.resolution**2 if step.resolution else native[0] * native[1]
    unit = model.vae_factor * (8 if math.sqrt(area) >= 512 else 4)
    buckets = [bucket_of(picture.size, area, unit) for picture in facts.pictures]
    seed = context.project.recipe.seed if step.seed is None else step.seed
    return PictureOrder(buckets, step.train.batch_size, seed)


def _course(step: TrainImageStep, context: Context) -> Course:
    order = _order(step, context)
    train = step.train
    if train.max_train_steps is None:
        # batches are of one bucket, so an epoch has more of them than its pictures would fill
        passes = (train.num_train_epochs or 3) * order.per_epoch
        steps = -(-passes // train.gradient_accumulation_steps)
        train = replace(train, max_train_steps=steps)
    return course_of(train, step.seed, len(order.buckets), context)


def _lines(
    step: TrainImageStep, context: Context, course: Course, count: int | None
) -> Iterator[str]:
    """What a plan says of a training."""
    order, pictures = _order(step, context), context.facts.pictures[step.data].pictures
    passes = course.steps * step.train.gradient_accumulation_steps
    seen = order.seen(passes)
    yield (
        f"{course.steps:,} optimizer steps, {passes / order.per_epoch:.3g} epochs of "
        f"{len(pictures):,} pictures: {seen:,} pictures seen"
    )
    shown = list(order.lines())
    more = f", and {len(shown) - _SHOWN} more sizes" if len(shown) > _SHOWN else ""
    yield f"all {len(pictures)} pictures used: {', '.join(shown[:_SHOWN])}{more}"
    for picture in pictures[:_SHOWN]:
        yield f"{picture.file.name}: {picture.caption}"
    if count is not None:
        whole = total(context.facts.models[step.model]) or count
        yield (
            f"trains {count:,} of {whole:,} parameters ({count / whole:.3%}): "
            f"adapter of about {count * 4 / 1e6:.1f} MB"
        )
    yield f"precision {course.precision} on {course.device}"


def _cost(
    step: TrainImageStep, context: Context, course: Course, count: int | None
) -> dict[str, object]:
    """For the estimate: operations of an optimizer step, bytes of memory and disk, a name for timings."""
    model, order = context.facts.models[step.model], _order(step, context)
    width, height = max(order.buckets, key=lambda one: one[0] * one[1])
    positions = width * height / model.vae_factor**2
    rows = step.train.batch_size
    once = 2 * (model.weight_bytes / 2) * positions / 8  # as frames are guessed
    held = (count or 0) * 4
    return {
        "operations": 3 * once * rows * step.train.gradient_accumulation_steps,
        "memory": int(_TORCH_BYTES + model.weight_bytes * 2 + held * 4 + rows * positions * 60_000),
        "disk": held + 200_000,
        "timing": digest_of(
            [
                model.digest,
                width,
                height,
                rows,
                step.train.gradient_accumulation_steps,
                course.precision,
                course.device_class,
                step.lora.rank,
            ]
        ),
    }
