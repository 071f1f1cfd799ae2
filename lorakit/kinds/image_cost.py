"""What a training on pictures costs: parameters, operations, memory, disk."""

from __future__ import annotations

from collections.abc import Iterator

from lorakit.facts.models import unet_work
from lorakit.facts.models.model_facts import ModelFacts, copied_bytes
from lorakit.facts.models.unet_layers import layer_sizes, total, trainable
from lorakit.facts.networks import text_encoders
from lorakit.facts.networks.layer_targets import hit
from lorakit.kinds.image_passes import passes_bytes
from lorakit.kinds.image_set import ImageSet
from lorakit.kinds.training_plan import TrainingPlan, adapted, checkpoints_bytes, optimizer_bytes
from lorakit.language.recipe.documents import TrainImageStep
from lorakit.plan.cost import Cost
from lorakit.plan.drawing_memory import BYTES, ROUNDED
from lorakit.plan.kind import Context
from lorakit.plan.memory_modes import NONE, MemoryMode, Needs, Offload, chosen, rounding
from lorakit.plan.tasks.training import TrainImageTask
from lorakit.store.canonical import digest_of

# a process with torch, diffusers and peft, before any weights: measured on a CPU, as what follows
_TORCH_BYTES = 466e6


def counted(step: TrainImageStep, context: Context) -> int | None:
    """How many parameters are trained, or an adapter has; None where the denoiser's are not known."""
    model = context.facts.models[step.model]
    texts = model.text_shapes if step.train_text_encoder else {}
    if step.method == "full":
        own, more = total(model), text_encoders.parameters(texts)
    else:
        chosen = step.lora.target_modules or model.traits.targets
        own = trainable(layer_sizes(model), chosen, step.lora)
        layers = text_encoders.layers(texts)
        more = trainable(layers, text_encoders.TARGETS, step.lora) or 0
    return None if own is None else own + more


def adapted_layers(step: TrainImageStep, context: Context) -> tuple[str, ...]:
    """The layers that get an adapter, as `unet.PATH`; empty where they are not known."""
    model = context.facts.models[step.model]
    chosen = step.lora.target_modules or model.traits.targets
    own = [
        f"{model.traits.denoiser}.{name}"
        for name, shape in layer_sizes(model).items()
        if hit(name, chosen, linear=len(shape) == 2)
    ]
    texts = text_encoders.layers(model.text_shapes) if step.train_text_encoder else {}
    if step.train_text_encoder and not texts:
        return ()
    return (*own, *(name for name in texts if hit(name, text_encoders.TARGETS)))


def weights_line(step: TrainImageStep, context: Context, count: int | None) -> Iterator[str]:
    """The share of the networks that is trained, in words."""
    if count is None:
        return
    model, texts = context.facts.models[step.model], step.train_text_encoder
    whole = total(model) or count
    whole += text_encoders.parameters(model.text_shapes) if texts else 0
    what = "model" if step.method == "full" else "adapter"
    more = ", the text encoders' not counted" if texts and not model.text_shapes else ""
    yield (
        f"trains {count:,} of {whole:,} parameters ({count / whole:.3%}{more}): "
        f"{what} of about {_bytes(_saved(step, context, count))}"
    )


def _saved(step: TrainImageStep, context: Context, count: int) -> int:
    """Bytes of an adapter, or of a folder with all that a pipeline needs."""
    if step.method != "full":
        return count * 4
    model = context.facts.models[step.model]
    others = copied_bytes(model, trained_text=step.train_text_encoder)
    return count * 4 + (max(0, model.weight_bytes - count * 4) if others is None else others)


def _bytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.0f} kB"


def cost(
    step: TrainImageStep,
    context: Context,
    training: TrainingPlan,
    seen: ImageSet,
    count: int | None,
    kept: int = 0,
) -> Cost:
    """Operations of an optimizer step, bytes of memory and disk, a name for timings."""
    model = context.facts.models[step.model]
    targets = model.traits.targets
    width, height = _largest(seen, model)
    positions = width * height / model.vae_factor**2
    mode = mode_of(step, context, training, seen, count)
    rows, passes = step.train.batch_size, step.train.gradient_accumulation_steps
    name = digest_of(
        [
            model.digest,
            width,
            height,
            step.method,
            [] if step.method == "full" else [*adapted(step.lora), list(targets)],
            step.train_text_encoder,
            training.pace(),
            *([mode.bits] if mode.bits else []),
        ]
    )
    return Cost(
        f"{TrainImageTask.kind}|{name}",
        operations=3 * unet_work.of_model(model, positions) * rows * passes,
        precision=training.precision,
        memory=mode.card,
        mode=mode,
        processes=training.sharing,
        disk=_saved(step, context, count or 0) * (1 + kept) + 200_000,
        passing_disk=checkpoints_bytes(step.train, count or 0),
    )


def _largest(seen: ImageSet, model: ModelFacts) -> tuple[int, int]:
    return max(seen.order.buckets, key=lambda bucket: bucket[0] * bucket[1], default=model.native)


def frozen(model: ModelFacts, training: TrainingPlan) -> str:
    """The precision that what is not trained is kept in; empty for fp32, as it is with UNets."""
    low = model.traits.flow is not None and training.precision != "fp32"
    return training.precision if low else ""


def mode_of(
    step: TrainImageStep,
    context: Context,
    training: TrainingPlan,
    seen: ImageSet,
    count: int | None,
) -> MemoryMode:
    """How the model is kept while it is trained: rounded as far as asked, or as a card has it.

    Nothing waits beside the card: the way back needs all of it once more.
    """
    model, machine = context.facts.models[step.model], context.facts.machine
    wish = context.project.recipe.models[step.model].memory
    width, height = _largest(seen, model)
    positions = width * height / model.vae_factor**2
    able = frozen(model, training) and step.lora.peft_type == "lora" and not model.quantised_bytes
    bits = rounding(wish, machine) if able else (0,)
    needs: dict[tuple[int, Offload], Needs] = {
        (b, NONE): Needs(_memory(step, context, training, positions, count or 0, b)) for b in bits
    }
    return chosen(needs, bits, machine.card)


def _memory(
    step: TrainImageStep,
    context: Context,
    training: TrainingPlan,
    positions: float,
    count: int,
    bits: int,
) -> int:
    """Bytes of one process at its peak, with frozen weights rounded to so many bits."""
    model, train = context.facts.models[step.model], step.train
    whole = total(model) or model.weight_bytes / 4
    gpu, full = context.facts.machine.kind.gpu, step.method == "full"
    kept = frozen(model, training)
    # in low precision a second copy: of frozen weights always, of trained ones autocast's until a pass ends;
    # beside a GPU the first one of frozen weights waits on the host
    low = 2 if gpu and not full else 6
    weights: float = whole * (4 if training.precision == "fp32" else low)
    if kept:  # there is no first one
        weights = model.quantised_bytes or whole * (ROUNDED[bits] if bits else BYTES[kept])
    if step.train_text_encoder or step.shuffle_tags:
        texts = text_encoders.parameters(model.text_shapes)
        twice = step.train_text_encoder and training.precision != "fp32"
        each = BYTES[kept] if kept else low if twice else 4
        weights += texts * each or max(0.0, model.weight_bytes - whole * 4)
    # an average takes the trained weights' place while they are measured, and these wait beside it
    own = 0 if gpu and full else 4  # an adapter's, and on a CPU a whole model's gradients
    trained = count * (own + optimizer_bytes(train) + (4 if train.ema_decay else 0))
    step_bytes = weights + trained + passes_bytes(step, context, training, positions, count)
    # what a UNet says before it is trained and after is asked in fp32
    asked = 4 * (whole + count) if gpu and model.traits.flow is None else 0
    return int(_TORCH_BYTES + max(step_bytes, asked))
