"""What a training of texts costs: parameters, operations, memory, disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lorakit.facts.texts.text_families import figure, passes_of_a_layer, words_table
from lorakit.facts.texts.text_layers import Counts
from lorakit.kinds.training_checks import processes_of
from lorakit.kinds.training_plan import (
    TrainingPlan,
    adapted,
    checkpoints_bytes,
    optimizer_bytes,
    saved_steps,
)
from lorakit.language.recipe.documents import TrainTextStep
from lorakit.plan import evaluation
from lorakit.plan.cost import Cost
from lorakit.plan.kind import Context
from lorakit.plan.padding import padded
from lorakit.plan.tasks.training import TrainTextTask
from lorakit.store.canonical import digest_of

_UNKNOWN = 1e11  # operations of a step of a family that we do not know
_FULLER = 1.8  # batches of texts fill a CPU's matrix units that much better than a UNet does
_LETTERS_A_TOKEN = 4.2  # of English, in a vocabulary of 30,000 word pieces
_TIGHT = 1.2  # a text of many names and numbers has so many more
# a process with torch, transformers, peft and accelerate at work, without weights and activations
_TORCH_BYTES = 530 << 20
# what a layer of an encoder keeps for the way back, in bytes a token and channel, and of what comes into each
# trained layer: counted from autograd's saved tensors of BERT, in fp32 and under bf16's autocast
_KEPT = {"fp32": (41.0, 4.0), "bf16": (32.0, 2.0), "fp16": (32.0, 2.0)}
_PAIR = 12.0  # bytes a head and pair of tokens
# the holes of a heap whose blocks have another size each time, as a share of what is kept: measured of MiniLM
# on reviews, with batches of 8 to 64 texts
_HOLES = 0.65


def weights_line(counted: Counts | None, *, full: bool) -> Iterator[str]:
    """The share that is trained, in words."""
    if counted is None:
        yield "trainable parameters: unknown for this family of models"
        return
    share = counted.trainable / counted.total
    yield (
        f"trains {counted.trainable:,} of {counted.total:,} parameters ({share:.2%}): "
        f"{'model' if full else 'adapter'} of about {counted.trainable * 4 / 1e6:.1f} MB"
    )


def cost(
    step: TrainTextStep, context: Context, training: TrainingPlan, counted: Counts | None
) -> Cost:
    """Operations of an optimizer step, bytes of memory and disk, where the family's shapes are known."""
    data, train = context.facts.data[step.data], step.train
    name = digest_of(
        [
            context.facts.text_models[step.model].digest,
            data.digest,
            step.method,
            adapted(step.lora) if step.method == "lora" else [],
            step.max_length,
            training.pace(),
        ]
    )
    machine = context.facts.machine
    amx = not machine.kind.gpu and machine.fast_bf16 and training.precision == "bf16"
    known_alone = Cost(
        f"{TrainTextTask.kind}|{name}",
        operations=_UNKNOWN,
        precision=training.precision,
        speedup=_FULLER if amx else 1.0,
        processes=training.sharing,
    )
    if counted is None:
        return known_alone
    config = context.facts.text_models[step.model].config
    known = context.facts.lengths.get((step.model, step.data))
    tokens = min(float(step.max_length), data.characters / _LETTERS_A_TOKEN + 4)
    if known is not None:
        tokens = known.mean(step.max_length)
    dense = (counted.total - words_table(config)) * passes_of_a_layer(config)
    # forward, backward; a LoRA skips weights' gradients
    passes = 6 if step.method == "full" else 4.2
    samples = train.batch_size * train.gradient_accumulation_steps
    return replace(
        known_alone,
        operations=passes * dense * samples * tokens,
        memory=_memory(step, context, training, counted),
        disk=counted.trainable * 4 * (1 + len(saved_steps(train, training.steps))) + 800_000,
        passing_disk=checkpoints_bytes(train, counted.trainable),
    )


def _longest(step: TrainTextStep, context: Context, training: TrainingPlan) -> int:
    """Tokens of the longest batch that so many steps are likely to meet, padding and all."""
    known = context.facts.lengths.get((step.model, step.data))
    if known is not None:
        longest = known.longest_of(min(known.count, training.seen()))
    else:
        longest = round(context.facts.data[step.data].longest / _LETTERS_A_TOKEN * _TIGHT + 2)
    return padded(min(step.max_length, longest), training.precision, step.max_length)


def _memory(step: TrainTextStep, context: Context, training: TrainingPlan, counted: Counts) -> int:
    """Bytes of one process at its peak: where the longest texts are together in a batch."""
    config = context.facts.text_models[step.model].config
    hidden = figure(config, "hidden_size", "dim")
    depth = figure(config, "num_hidden_layers", "n_layers")
    heads = figure(config, "num_attention_heads", "n_heads")
    length = _longest(step, context, training)
    rows = -(-step.train.batch_size // processes_of(step.train))
    channel, element = _KEPT[training.precision]
    layer = channel * hidden + _PAIR * heads * length
    shared = passes_of_a_layer(config)
    every = (depth - counted.lowest) * layer + counted.inputs * shared * element
    whole = max(layer, every / max(1, depth - counted.lowest))
    if step.train.gradient_checkpointing:  # one layer whole, of the others what goes into them
        every = whole + depth * 4 * hidden
    kept = rows * length * every * (1 + _HOLES)
    evaluated = evaluation.TEXTS * length * whole  # of which one layer is there at a time
    # weights are mapped from their file before they are copied
    weights = counted.total * 4 * 1.5
    trained = counted.trainable * optimizer_bytes(step.train)
    gradients = counted.trainable * 4
    if step.train.ema_decay:  # while averages are measured the trained weights wait beside them
        trained += counted.trainable * 4
    # of what is multiplied a second copy: frozen, or autocast's of a pass
    if training.precision != "fp32":
        weights += 2 * (counted.total - words_table(config))
    # of these one comes as the other goes: gradients take the room of what was kept for them
    passing = max(kept, evaluated, gradients)
    return int(_TORCH_BYTES + weights + trained + passing)
