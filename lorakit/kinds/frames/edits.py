"""A frame that is changed once it is drawn: the action that does so, and what can be wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from lorakit.diagnostics import Diagnostic
from lorakit.kinds.frames.checks import check_strength
from lorakit.kinds.frames.prompts import check_plain_words
from lorakit.kinds.frames.settings import RenderSettings
from lorakit.language.story.documents import Sentence
from lorakit.language.story.edits import Edit
from lorakit.language.story.weights import plain
from lorakit.plan import schedulers
from lorakit.plan.actions import Action, Input
from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.tasks.frame_edit import FrameEdit

_CHANNELS = 4  # of the latents that diffusers' pipelines of UNets paint into


def edit_action(
    settings: RenderSettings,
    frame: Action,
    take: Action,
    sentence: Sentence,
    noise: int,
    files: Sequence[str],
) -> Action:
    """The action that changes a frame; `take` is one that was drawn of it, maybe the frame itself."""
    edit, task = sentence.edit, take.task
    assert edit is not None
    assert isinstance(task, FrameTask)
    look = sentence.look
    strength = 1.0 if edit.instruction else edit.strength
    effective = settings.effective_steps(look, strength)
    size, guided = (task.width, task.height), settings.of_look(look).guided
    drawn = settings.drawn_at(size, 1, guided=guided, stock=True)
    own = settings.context.facts.own_pictures
    mask = own[edit.file].digest if edit.file is not None else None
    changed = replace(
        task.by_itself(),
        prompt=plain(edit.instruction or edit.prompt or task.prompt),
        negative_prompt=plain(task.negative_prompt),
        encoded_by="",
        noise=noise,
        strength=strength,
        batch_size=1,
        block_cache=drawn.block_cache,
        edit=FrameEdit(mask, bool(edit.instruction), str(edit.file or "")),
        effective_steps=effective,
    )
    return replace(
        take,
        id=f"{take.id}/edit",
        label=changed.prompt,
        place=edit.where("instruction", "mask") or sentence.place,
        engine=drawn.engine,
        task=changed,
        cost=drawn.cost,
        inputs=(*settings.worn.inputs, Input("edited", frame.id, "picture")),
        files={"picture": tuple(files)},
        units=max(1, schedulers.calls(changed.scheduler, effective, settings.model.scheduler)),
        places={"model": settings.source_place, "precision": settings.precision_place},
        held=None,
        unless=None,
    )


def before_edit(path: str) -> str:
    """Where a frame stands as it was before an edit."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/unedited/{name}"


def check_edits(settings: RenderSettings, sentences: Iterable[Sentence]) -> Iterator[Diagnostic]:
    """Edits that are not whole, or that the family has no way to make."""
    for sentence in sentences:
        if sentence.edit is not None:
            yield from _checked(settings, sentence, sentence.edit)


def _checked(settings: RenderSettings, sentence: Sentence, edit: Edit) -> Iterator[Diagnostic]:
    model, place = settings.model, sentence.place

    def wrong(message: str, key: str, *hints: str) -> Diagnostic:
        return settings.context.finding("edit", message, edit.where(key) or place, *hints)

    if edit.instruction and not model.traits.references:
        yield wrong(
            f"{model.source} is {model.traits.title}, which follows no instruction",
            "instruction",
            "write mask: and prompt: instead, or draw with a model that edits (Flux.1-Kontext, "
            "Flux.2-klein, Qwen-Image-Edit)",
        )
    elif edit.instruction and edit.prompt:
        yield wrong("instruction and prompt are two ways of saying it", "prompt", "remove one")
    elif not edit.instruction and not edit.mask:
        yield settings.context.finding(
            "edit",
            "an edit needs a mask or an instruction",
            edit.where("prompt", "strength", "chained") or place,
            'write mask: art/hat_mask.png, white where it changes, or instruction: "make the hat red"',
        )
    elif not edit.instruction:
        yield from _painted(settings, sentence, edit)


def _painted(settings: RenderSettings, sentence: Sentence, edit: Edit) -> Iterator[Diagnostic]:
    model = settings.model
    place = edit.where("mask") or sentence.place
    channels = model.unet.get("in_channels", _CHANNELS)
    if "inpaint" not in model.traits.pipelines:
        way = 'write instruction: "make the hat red"' if model.traits.references else "remove it"
        yield settings.context.finding(
            "edit",
            f"{model.source} is {model.traits.title}, which paints into no masks",
            place,
            way,
        )
    elif model.traits.waves and channels != _CHANNELS:
        yield settings.context.finding(
            "edit",
            f"diffusers paints into latents of {_CHANNELS} channels, and {model.source} has {channels}",
            place,
            "write image: with the frame as you changed it yourself",
        )
    else:
        yield from check_plain_words(settings, sentence, edit.prompt or sentence.prompt, place)
        at = edit.where("strength") or place
        yield from check_strength(settings, sentence.look, edit.strength, at)
