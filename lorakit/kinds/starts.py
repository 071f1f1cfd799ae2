"""What a training goes on from: an adapter from a file, or one that another step trains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from lorakit.diagnostics import Diagnostic, Place
from lorakit.facts.adapters.text_adapters import TextAdapterFacts
from lorakit.kinds.adapter_checks import handed_out
from lorakit.language.recipe.trainings import LoraSettings, maker_of
from lorakit.language.yaml import names
from lorakit.plan.actions import Action, Input
from lorakit.plan.kind import Context
from lorakit.plan.tasks.training import LoraArguments, TrainTask
from lorakit.records import record

ROLE = "start"
_HEADS = ("classifier.weight", "score.weight", "out_proj.weight")
_SHOWN = 3  # layers that an error names
_TRAINED = {"down", "up", "alpha", "magnitude"}  # the roles of a LoRA's tensors that PEFT trains


@record
class Start:
    """`digest` and `path` of a file, or as `input:start` the `inputs` that bring it; empty for none."""

    digest: str = ""
    path: str = ""
    inputs: tuple[Input, ...] = ()


def start_of(lora: LoraSettings, context: Context) -> Start:
    """Find what a training goes on from."""
    if not lora.start:
        return Start()
    adapter = context.facts.adapters.get(lora.start)
    if adapter is not None:
        return Start(adapter.digest, str(adapter.layout.file))
    text = context.facts.text_adapters.get(lora.start)
    if text is not None:
        return Start(text.digest, str(text.file))
    maker = maker_of_start(lora, context)
    inputs = (Input(ROLE, maker.id, maker_of(lora.start)[1]),) if maker else ()
    return Start(f"input:{ROLE}", "", inputs)


def steps_needed(lora: LoraSettings) -> tuple[str, ...]:
    """The step that must be planned before, by name; a name may be of a file as well."""
    return (lora.start_step,) if lora.start else ()


def check_start(
    lora: LoraSettings,
    own: LoraArguments,
    model: str | None,
    layers: Iterable[str],
    place: Place,
    context: Context,
) -> Iterator[Diagnostic]:
    """It must be of the same shape: nothing of it may be lost, and nothing of it means something else.

    `own` is the adapter that is trained, `layers` those that it is put on, as `unet.PATH`; none where they
    are not known.
    """
    if not lora.start:
        return
    at = lora.where("from") or place

    def wrong(what: str, way: str) -> Diagnostic:
        return context.finding("other-adapter", f"{lora.start} {what}", at, way)

    if own.peft_type not in (None, "lora"):
        yield wrong("is gone on from as a LoRA only", "write peft_type: lora, or remove from")
        return
    adapter = context.facts.adapters.get(lora.start)
    if adapter is not None:
        methods = {layer.method for layer in adapter.layout.layers}
        if methods != {"lora"}:
            yield wrong(
                f"is no plain LoRA: it has {names.listed(sorted(methods))}", "train a new one"
            )
            return
        beyond = {role for layer in adapter.layout.layers for role in layer.tensors} - _TRAINED
        if beyond:
            yield wrong(
                f"has more than is trained here: {names.listed(sorted(beyond))}", "train a new one"
            )
            return
        ranks = sorted({layer.rank for layer in adapter.layout.layers})
        if ranks != [own.rank]:
            shown = names.listed([f"{rank:g}" for rank in ranks])
            yield wrong(
                f"has rank {shown}, and this step trains rank {own.rank}",
                f"write rank: {ranks[0]:g}"
                if len(ranks) == 1
                else "its ranks differ: train a new one",
            )
        theirs = {f"{one.network}.{one.name}" for one in adapter.layout.layers if not one.sgm}
        yield from _lost(theirs, layers, wrong)
        dora = any("magnitude" in layer.tensors for layer in adapter.layout.layers)
        if dora and not own.use_dora:
            yield wrong("has DoRA's magnitudes", "write use_dora: true")
        return
    yield from handed_out(lora.start, at, context)
    trained = trainings_of_start(lora, context)
    if any(task.model != model for task in trained):
        yield wrong("is of another model", "train on the same model, or start anew")
    theirs_by_key = [_differences(task.lora, own) for task in trained if task.lora is not None]
    yield from differing(theirs_by_key, lora.start, wrong)


def differing(
    each: Sequence[Mapping[str, tuple[object, object]]],
    start: str,
    wrong: Callable[[str, str], Diagnostic],
) -> Iterator[Diagnostic]:
    """What must be the same and is not: of a step, or of any member that may be a sweep's best."""
    for key in dict.fromkeys(key for differences in each for key in differences):
        values = {str(found[key][0]): found[key] for found in each if key in found}
        theirs, (_, other) = list(values), next(iter(values.values()))
        if len(each) == 1:
            yield wrong(
                f"has {key}: {theirs[0]}, and this step {other}", f"write {key}: {theirs[0]}"
            )
        else:
            yield wrong(
                f"may have {key}: {' or '.join(theirs)}, and this step {other}",
                f"leave {key} out of what {start.removesuffix('.best')} goes over, and write the same here"
                if len(values) > 1 or any(key not in found for found in each)
                else f"write {key}: {theirs[0]}",
            )


def check_text_start(
    lora: LoraSettings,
    own: LoraArguments,
    adapter: TextAdapterFacts,
    layers: Iterable[str],
    labels: int,
    place: Place,
    context: Context,
) -> Iterator[Diagnostic]:
    """A classifier's adapter from a file must be of this one's shape, head and all.

    `layers` are those that get an adapter here, none where they are not known.
    """

    def wrong(what: str, way: str) -> Diagnostic:
        return context.finding("other-adapter", f"{lora.start} {what}", place, way)

    settings = adapter.settings
    theirs = {
        "rank": settings.rank,
        "alpha": float(settings.rank if settings.alpha is None else settings.alpha),
        "use_rslora": settings.use_rslora,
        "use_dora": settings.use_dora,
    }
    for key, value in theirs.items():
        other = getattr(own, key)
        if value != other:
            yield wrong(
                f"has {key}: {written(value)}, and this step {written(other)}",
                f"write {key}: {written(value)}",
            )
    known = set(layers)
    for some, what in (
        (adapter.layers - known, "adapts"),
        (known - adapter.layers, "does not adapt"),
    ):
        if known and some:
            more = f" and {len(some) - _SHOWN} more" if len(some) > _SHOWN else ""
            yield wrong(
                f"{what} {', '.join(sorted(some)[:_SHOWN])}{more}",
                "name the layers that it adapts in target_modules",
            )
    heads = {s[0] for n, s in adapter.shapes.items() if n.endswith(_HEADS) and len(s) == 2}
    if heads and labels not in heads:
        told_apart = names.listed([str(size) for size in sorted(heads)])
        yield wrong(
            f"tells {told_apart} labels apart, and this data has {labels}",
            "name them in the data set's labels, in its order, or start anew",
        )


def _differences(theirs: LoraArguments, own: LoraArguments) -> Mapping[str, tuple[object, object]]:
    """What of two adapters must be the same and is not."""
    keys = ("rank", "peft_type", "use_dora", "target_modules", "modules_to_save")
    differences = {}
    for key in keys:
        one, other = getattr(theirs, key), getattr(own, key)
        if one != other:
            differences[key] = (written(one), written(other))
    return differences


def written(value: object) -> object:
    """A setting as YAML has it."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value).lower() if isinstance(value, bool) else value


def _lost(
    theirs: Iterable[str], ours: Iterable[str], wrong: Callable[[str, str], Diagnostic]
) -> Iterator[Diagnostic]:
    known = {_plain(name) for name in ours}
    lost = sorted(name for name in theirs if _plain(name) not in known)
    if not known or not lost:
        return
    more = f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
    words = any(name.startswith("text_encoder") for name in lost)
    yield wrong(
        f"adapts {', '.join(lost[:_SHOWN])}{more}, which this step does not train",
        "write train_text_encoder: true"
        if words and all(name.startswith("text_encoder") for name in lost)
        else "name these layers in target_modules",
    )


def _plain(name: str) -> str:
    """A layer's name, as transformers has it before its version 5 and after."""
    return name.replace(".text_model.", ".")


def trainings_of_start(lora: LoraSettings, context: Context) -> list[TrainTask]:
    """The training that a start comes from; of a sweep's best, those of all its members."""
    maker = maker_of_start(lora, context)
    if maker is None:
        return []
    if isinstance(maker.task, TrainTask):
        return [maker.task]
    planned = context.step_plans[maker_of(lora.start)[0]].actions
    return [action.task for action in planned if isinstance(action.task, TrainTask)]


def maker_of_start(lora: LoraSettings, context: Context) -> Action | None:
    """The action that makes what a training goes on from, if one does."""
    step, output = maker_of(lora.start)
    planned = context.step_plans.get(step)
    at = f"{step}/best" if lora.start == f"{step}.best" else ""
    makers = [a for a in planned.actions if output in a.files] if planned else []
    return next((a for a in makers if not at or a.id == at), None)
