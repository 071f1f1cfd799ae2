"""What a training on pictures costs: parameters, operations, memory, disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lorakit.facts.unet_layers import layer_sizes, total, trainable
from lorakit.kinds.image_set import ImageSet
from lorakit.kinds.trainer import Course
from lorakit.language.documents import TrainImageStep
from lorakit.plan.kind import Context
from lorakit.store.canonical import digest_of

_TORCH_BYTES = 520 << 20


def counted(step: TrainImageStep, context: Context, targets: Sequence[str]) -> int | None:
    """How many of the UNet's parameters are trained, or an adapter's; None where that is not known."""
    model = context.facts.models[step.model]
    if step.method == "full":
        return total(model)
    return trainable(layer_sizes(model), step.lora.target_modules or targets, step.lora)


def weights_line(step: TrainImageStep, context: Context, count: int | None) -> Iterator[str]:
    """The share of the UNet that is trained, in words."""
    if count is None:
        return
    whole = total(context.facts.models[step.model]) or count
    what = "model" if step.method == "full" else "adapter"
    more = ", the text encoders' not counted" if step.train_text_encoder else ""
    yield (
        f"trains {count:,} of {whole:,} parameters ({count / whole:.3%}{more}): "
        f"{what} of about {_bytes(count * 4)}"
    )


def _bytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.0f} kB"


def cost(
    step: TrainImageStep, context: Context, course: Course, seen: ImageSet, count: int | None
) -> dict[str, object]:
    """For the estimate: operations of an optimizer step, bytes of memory and disk, a name for timings."""
    model = context.facts.models[step.model]
    width, height = max(seen.order.buckets, key=lambda one: one[0] * one[1], default=model.native)
    positions = width * height / model.vae_factor**2
    rows, passes = step.train.batch_size, step.train.gradient_accumulation_steps
    once = 2 * (model.weight_bytes / 2) * positions / 8  # as frames are guessed
    held = (count or 0) * 4
    return {
        "operations": 3 * once * rows * passes,
        "memory": int(_TORCH_BYTES + model.weight_bytes * 2 + held * 4 + rows * positions * 60_000),
        "disk": held + 200_000,
        "timing": digest_of(
            [
                model.digest,
                width,
                height,
                rows,
                passes,
                course.precision,
                course.device_class,
                step.method,
                step.lora.rank,
                step.lora.peft_type,
                step.train_text_encoder,
                step.train.gradient_checkpointing,
            ]
        ),
    }
