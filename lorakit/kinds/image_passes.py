"""What passes of a training on pictures hold beside weights: the way back's, and an evaluation's."""

from __future__ import annotations

from collections.abc import Sequence

from lorakit.facts.models import transformer_kept, transformer_work
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.facts.models.unet_layers import layer_sizes
from lorakit.facts.networks.inference_memory import unet_elements
from lorakit.facts.networks.layer_targets import hit
from lorakit.facts.networks.unet_kept import kept_elements
from lorakit.kinds.training_checks import processes_of
from lorakit.kinds.training_plan import TrainingPlan
from lorakit.language.recipe.documents import TrainImageStep
from lorakit.plan.evaluation import TIMESTEPS
from lorakit.plan.kind import Context

# of an element that is kept for the way back: on a CPU some stay in fp32 in low precision, wherever they are
_ON_CPU = {"fp32": 4.0, "bf16": 2.4, "fp16": 2.4}
_ON_GPU = {"fp32": 4.0, "bf16": 2.0, "fp16": 2.0}
_BACKWARD = (
    1.3  # what is kept, with what comes beside it on the way back and the holes of a CPU's heap
)
# scratch of a CPU's convolutions, which lay out their weights anew in low precision
_SCRATCH = {"fp32": 8e6, "bf16": 48e6, "fp16": 48e6}
_EVALUATION = 30e6  # what one takes on a CPU beside its layers' tensors


def passes_bytes(
    step: TrainImageStep, context: Context, training: TrainingPlan, positions: float, count: int
) -> float:
    """Bytes beside weights, `count` of which are trained, for pictures of so many latent `positions`.

    On a CPU an evaluation leaves its share of the heap to the passes behind it. On a GPU the greatest is all:
    what a forward pass keeps, or gradients once that is gone, or an evaluation.
    """
    model, precision = context.facts.models[step.model], training.precision
    gpu, full = context.facts.machine.kind.gpu, step.method == "full"
    kept, work = picture_elements(
        model,
        positions,
        None if full else step.lora.target_modules or model.traits.targets,
        checkpointed=step.train.gradient_checkpointing,
        wide_norms=gpu and precision != "fp32",
    )
    rows = -(-step.train.batch_size // processes_of(step.train))
    if not gpu:
        evaluation = _EVALUATION + TIMESTEPS * work * _ON_CPU[precision]
        return evaluation + _SCRATCH[precision] + rows * kept * _ON_CPU[precision] * _BACKWARD
    each = _ON_GPU[precision]
    # autocast's copies of trained weights, until a pass ends; of a whole model they are counted as weights
    copies = each * count if precision != "fp32" and not full else 0.0
    return max(copies + max(rows * (kept + work) * each, 4.0 * count), TIMESTEPS * work * each)


def picture_elements(
    model: ModelFacts,
    positions: float,
    targets: Sequence[str] | str | None,
    *,
    checkpointed: bool = False,
    wide_norms: bool = False,
) -> tuple[float, float]:
    """Elements that a picture keeps for the way back, and those that a pass works with beside them.

    `targets` name the layers that get an adapter; None trains all.
    """
    linear = {name for name, shape in layer_sizes(model).items() if len(shape) == 2}

    def adapted(layer: str) -> bool:
        return hit(layer, targets or (), linear=layer in linear)

    if model.traits.flow is not None:
        kept = transformer_kept.kept_elements(
            model, positions, adapted=adapted, checkpointed=checkpointed, wide_norms=wide_norms
        )
        return kept, transformer_work.elements(model, positions)
    every = None if targets is None else adapted
    kept, _ = kept_elements(
        model.unet, positions, adapted=every, checkpointed=checkpointed, wide_norms=wide_norms
    )
    return kept, unet_elements(model.unet) * positions
