"""What a training on pictures costs: parameters, operations, memory, disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lorakit.facts import unet_work
from lorakit.facts.layer_targets import hit
from lorakit.facts.unet_kept import kept_elements
from lorakit.facts.unet_layers import layer_sizes, total, trainable
from lorakit.kinds.course_checks import processes_of
from lorakit.kinds.image_set import ImageSet
from lorakit.kinds.trainer import Course, adapted, checkpoints_bytes, optimizer_bytes
from lorakit.language.documents import TrainImageStep
from lorakit.plan.evaluation import TIMESTEPS
from lorakit.plan.kind import Context
from lorakit.store.canonical import digest_of

# a process with torch, diffusers and peft, before any weights: measured on a CPU, as what follows
_TORCH_BYTES = 466e6
# of an element that is kept for the way back: in low precision some stay in fp32
_ELEMENT = {"fp32": 4.0, "bf16": 2.4, "fp16": 2.4}
_BACKWARD = 1.3  # what is kept, with what comes beside it on the way back and the holes of the heap
# scratch of convolutions, which lay out their weights anew in low precision
_SCRATCH = {"fp32": 8e6, "bf16": 48e6, "fp16": 48e6}
_EVALUATION = 30e6  # what one takes beside its layers' tensors


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
    step: TrainImageStep,
    context: Context,
    course: Course,
    seen: ImageSet,
    count: int | None,
    targets: Sequence[str],
) -> dict[str, object]:
    """For the estimate: operations of an optimizer step, bytes of memory and disk, a name for timings."""
    model = context.facts.models[step.model]
    width, height = max(seen.order.buckets, key=lambda one: one[0] * one[1], default=model.native)
    positions = width * height / model.vae_factor**2
    rows, passes = step.train.batch_size, step.train.gradient_accumulation_steps
    held = (count or 0) * 4
    return {
        "operations": 3 * unet_work.of_model(model, positions) * rows * passes,
        "memory": _memory(step, context, course, positions, count or 0, targets),
        "disk": held + 200_000,
        "passing_disk": checkpoints_bytes(step.train, count or 0),
        "timing": digest_of(
            [
                model.digest,
                width,
                height,
                step.method,
                [] if step.method == "full" else [*adapted(step.lora), list(targets)],
                step.train_text_encoder,
                course.pace(),
            ]
        ),
    }


def _memory(
    step: TrainImageStep,
    context: Context,
    course: Course,
    positions: float,
    count: int,
    targets: Sequence[str],
) -> int:
    """Bytes of one process at its peak."""
    model, train = context.facts.models[step.model], step.train
    whole = total(model) or model.weight_bytes / 4
    chosen = step.lora.target_modules or targets

    def adapted(layer: str) -> bool:
        return hit(layer, chosen)

    kept, most = kept_elements(
        model.unet,
        positions,
        adapted=None if step.method == "full" else adapted,
        checkpointed=train.gradient_checkpointing,
    )
    element, rows = _ELEMENT[course.precision], -(-train.batch_size // processes_of(train))
    # in low precision a second copy: of frozen weights always, of trained ones autocast's until a pass ends
    weights = whole * (4 if course.precision == "fp32" else 6)
    if step.train_text_encoder or step.shuffle_tags:
        weights += max(0.0, model.weight_bytes - whole * 4)
    # an average takes the trained weights' place while they are measured, and these wait beside it
    trained = count * (4 + optimizer_bytes(train) + (4 if train.ema_decay else 0))
    evaluation = _EVALUATION + 2 * TIMESTEPS * most * element
    backward = _SCRATCH[course.precision] + rows * kept * element * _BACKWARD
    return int(_TORCH_BYTES + weights + trained + evaluation + backward)
