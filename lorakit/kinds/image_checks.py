"""What can be wrong with a training on pictures once its data and its model are known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lorakit.diagnostics import Diagnostic, shortened
from lorakit.facts.models.unet_layers import layer_sizes
from lorakit.facts.pictures.picture import Picture
from lorakit.families import trained
from lorakit.kinds import flow_checks, layer_checks
from lorakit.kinds.frames.checks import clip_skip
from lorakit.kinds.image_set import held_out_count
from lorakit.language.recipe.documents import TrainImageStep
from lorakit.plan.kind import Context

_SHOWN = 3  # captions that a plan prints
_MOST_LOST = 200  # letters of what falls off


def family(step: TrainImageStep, context: Context) -> Iterator[Diagnostic]:
    """Models of families that are not trained."""
    model = context.facts.models[step.model]
    if not model.traits.trained:
        yield context.finding(
            "wrong-model",
            f"{model.source} is {model.traits.title}, which is drawn with and not trained yet",
            step.where("model"),
            f"train {trained()}, or wear an adapter that was trained elsewhere",
        )


def data(step: TrainImageStep, context: Context) -> Iterator[Diagnostic]:
    """Something must be left to train on, and masks must be there."""
    source = context.project.recipe.datasets[step.data]
    pictures = context.facts.pictures[step.data].pictures
    if not pictures:
        return  # they have not been downloaded yet
    count = min(source.limit or len(pictures), len(pictures))
    held = held_out_count(source, count)
    if held >= count:
        yield context.finding(
            "nothing-to-train",
            f"test_size holds out {held} of {count} pictures: none is left to train on",
            source.where("test_size"),
            f"write test_size: {max(1, count // 5)}" if count > 1 else "leave test_size out",
        )
    if step.masked_loss and not any(picture.mask for picture in pictures):
        first = Path(pictures[0].name)
        yield context.finding(
            "no-mask",
            f"masked_loss is on, and no picture of {step.data} has a mask",
            step.where("masked_loss"),
            f"put {first.stem}-masklabel.png beside {first.name}, white where it is to learn from; "
            "transparent pictures are their own masks",
        )


def captions(step: TrainImageStep, context: Context) -> Iterator[Diagnostic]:
    """Captions that the text encoder would cut, each by its file."""
    if step.truncate_captions:
        return
    read = step.max_token_length
    flow = context.facts.models[step.model].traits.flow
    longer = (
        {}
        if flow is not None
        else {75: "max_token_length: 150, or ", 150: "max_token_length: 225, or "}
    )
    more = longer.get(read, "")
    for name, picture, tokens, lost in _long_captions(step, context):
        source = context.facts.models[step.model].source
        reads = (
            f"{source} reads {tokens_read(step, context)}" if read == 75 else f"{read + 2} are read"
        )
        yield context.finding(
            "prompt-too-long",
            f"the caption of {Path(picture.name).name} has {tokens} tokens, {reads}: "
            f"'{shortened(lost)}' would fall off",
            context.project.recipe.datasets[name].where("images"),
            f"shorten it, or write {more}truncate_captions: true",
        )


def cut_captions(step: TrainImageStep, context: Context) -> Iterator[str]:
    """What falls off captions that are cut on request, for the plan."""
    if not step.truncate_captions:
        return
    cut = list(_long_captions(step, context))
    for _, picture, tokens, lost in cut[:_SHOWN]:
        yield f"{Path(picture.name).name}: '{lost}' of its {tokens} tokens falls off"
    if len(cut) > _SHOWN:
        yield f"{len(cut) - _SHOWN} more captions are cut"


def tokens_read(step: TrainImageStep, context: Context) -> int:
    """The most tokens of a caption, start and end among them."""
    limit = context.facts.models[step.model].token_limit
    return (limit - 2) * (step.max_token_length // 75) + 2


def _long_captions(
    step: TrainImageStep, context: Context
) -> Iterator[tuple[str, Picture, int, str]]:
    """(data set, picture, tokens, words that fall off) of each caption that is too long."""
    counter = context.facts.counters.get(step.model)
    if counter is None:
        return
    for name in filter(None, (step.data, step.prior_data)):
        pictures = context.facts.pictures[name].pictures
        over = counter.overflow([p.caption for p in pictures], tokens_read(step, context))
        for picture in pictures:
            if picture.caption in over:
                tokens, lost = over[picture.caption]
                yield (
                    name,
                    picture,
                    tokens,
                    lost if len(lost) <= _MOST_LOST else f"{lost[:_MOST_LOST]}…",
                )


def method(step: TrainImageStep, context: Context) -> Iterator[Diagnostic]:
    """What this model or this kind of adapter cannot do of what the step asks."""
    model, lora = context.facts.models[step.model], step.lora
    yield from clip_skip(step.clip_skip, model, step.where("clip_skip"), context)
    yield from flow_checks.unlearnt(step, model, context)
    if model.guidance_embedded and model.traits.flow is None:
        yield context.finding(
            "wrong-model",
            f"{model.source} is told the guidance scale (LCM), and cannot be trained as it was made",
            step.place,
            "train the model that it was distilled from, and wear the adapter with this one",
        )
    if model.quantised_bytes and model.path is not None:
        yield context.finding(
            "wrong-model",
            f"{model.path.name} is quantised (GGUF): it is drawn with, and not trained",
            step.place,
            "train the model that it was made of, and wear the adapter with this one",
        )
    if step.method == "full" and model.traits.flow is None:
        if model.path is not None and model.path.is_file():
            yield context.finding(
                "wrong-model",
                f"method: full needs a model in diffusers' layout, and {model.path.name} is one file",
                step.where("method"),
                "name a folder or hub:owner/name, or write method: lora",
            )
        if step.samples.prompts:
            yield context.finding(
                "no-effect",
                "samples have no effect beside method: full: they are drawn with adapters",
                step.samples.prompts[0].place,
                "draw with the trained model in a recipe of its own, models: {mine: {from: its folder}}",
            )
        return
    if lora.modules_to_save:
        yield context.finding(
            "no-effect",
            "modules_to_save has no effect in train-image: no format of adapters holds such layers",
            lora.where("modules_to_save") or step.place,
            "name the layers in target_modules instead",
        )
    if lora.peft_type != "lora":
        for given, key in ((lora.use_dora, "use_dora"), (lora.use_rslora, "use_rslora")):
            if given:
                yield context.finding(
                    "no-effect",
                    f"{key} has no effect beside peft_type: {lora.peft_type}",
                    lora.where(key) or step.place,
                    f"write peft_type: lora, or remove {key}",
                )
        if step.train_text_encoder:
            yield context.finding(
                "no-effect",
                f"train_text_encoder needs peft_type: lora; a {lora.peft_type} is of the UNet alone",
                step.where("train_text_encoder"),
                "write peft_type: lora, or remove train_text_encoder",
            )
    if lora.use_dora and step.train_text_encoder:
        yield context.finding(
            "not-portable",
            "use_dora beside train_text_encoder would be lost: diffusers loads a text encoder's adapter "
            "without DoRA's magnitudes",
            lora.where("use_dora") or step.place,
            "write use_dora: false, or train_text_encoder: false",
        )
    sizes = layer_sizes(model)
    if sizes and lora.target_modules:
        yield from layer_checks.targets(lora, tuple(sizes), model.source, step.place, context)
    yield from layer_checks.rank(lora, sizes, lora.target_modules or model.traits.targets, context)
